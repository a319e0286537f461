import LinuxKernel

/// Reads the arguments of `--since` and `--until`. In words, besides `seq:N`:
///
/// - a duration (`10m`, `2d`, `1h30m`): that long before now;
/// - a time of day (`03:00`, `03:00:05.25`): the last time that it was so late; at 02:00, `03:00` is yesterday's;
/// - `today`, `yesterday`, or a date (`2026-11-23`), each with or without a time of day: without one, from midnight;
/// - `boot`: when this machine was started;
/// - after a date and a time also a zone: `Z`, `+01:00`, `+0100`, `+01`. Without one, local time is meant.
///
/// A local time that clocks showed twice is the first one, one that they left out is the moment of the change.
enum BoundaryText {
    static let expectation =
        "a duration (10m, 2d, 1h30m), a time (03:00, yesterday 03:00, today, 2026-11-23, 2026-11-23T03:00, "
        + "2026-11-23 03:00:05.25+01:00), boot or seq:N"

    /// What `text` means, or nil when it is none of the above.
    ///
    /// - Parameter boot: when the machine was started.
    static func parse(
        _ text: String, now: Timestamp, zone: Zone, boot: @autoclosure () -> Timestamp = .boot
    ) -> Boundary? {
        // Before letters lose their case: an M would be a month to many.
        if let duration = DurationText.parse(text) { return .moment(now.before(by: duration)) }
        let text = text.lowercased()
        if DurationText.parse(text) != nil { return nil }
        if text == "boot" { return .moment(boot()) }
        if text.hasPrefix("seq:") {
            let digits = text.utf8.dropFirst(4)
            guard digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
            return Int64(String(digits) ?? "").map(Boundary.sequence)
        }
        return parseTime(text, now: now, zone: zone).map(Boundary.moment)
    }

    private static func parseTime(_ text: String, now: Timestamp, zone: Zone) -> Timestamp? {
        var scanner = DigitScanner(text)
        let today = zone.civilTime(at: now).atMidnight
        if let timeOfDay = scanner.readTimeOfDay() {
            guard scanner.isAtEnd, let earlierToday = today.setting(timeOfDay) else { return nil }
            let moment = zone.firstMoment(showing: earlierToday)
            return moment <= now ? moment : zone.firstMoment(showing: earlierToday.advanced(days: -1))
        }
        let isNamed: Bool
        var day: CivilTime
        if scanner.skip("today") {
            (day, isNamed) = (today, true)
        } else if scanner.skip("yesterday") {
            (day, isNamed) = (today.advanced(days: -1), true)
        } else if let date = scanner.readDate() {
            (day, isNamed) = (date, false)
        } else {
            return nil
        }
        var writtenZone: Zone?
        if !scanner.isAtEnd {
            guard scanner.skip(" ") || !isNamed && scanner.skip("t"), let timeOfDay = scanner.readTimeOfDay(),
                let time = day.setting(timeOfDay)
            else { return nil }
            day = time
            if !scanner.isAtEnd, !isNamed {
                guard let seconds = scanner.readZone() else { return nil }
                writtenZone = .fixed(seconds)
            }
        }
        guard scanner.isAtEnd, day.isValid else { return nil }
        return (writtenZone ?? zone).firstMoment(showing: day)
    }
}

extension CivilTime {
    fileprivate var atMidnight: CivilTime { CivilTime(year: year, month: month, day: day) }

    /// This day at another time of day; nil when no clock shows that.
    fileprivate func setting(_ time: DigitScanner.TimeOfDay) -> CivilTime? {
        var result = self
        (result.hour, result.minute, result.second, result.nanosecond) = time
        return result.isValid ? result : nil
    }
}

extension Timestamp {
    /// Earlier by `duration`, to the millisecond; held at the earliest moment there is.
    fileprivate func before(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let (scaled, scaledOverflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (length, lengthOverflow) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        let (result, overflow) = nanoseconds.subtractingReportingOverflow(length)
        return Timestamp(nanoseconds: scaledOverflow || lengthOverflow || overflow ? .min : result)
    }
}
