import Glibc
import LinuxKernel
import Testing

@testable import ChangesCommands

/// Central European Time by the rule in force since 1996: summer time from the last Sunday of March, 01:00 UTC, to
/// the last Sunday of October, 01:00 UTC.
private let berlin = Zone { seconds in
    let year = CivilTime(clockSeconds: seconds).year
    let summer = lastSunday(of: 3, year)..<lastSunday(of: 10, year)
    return summer.contains(seconds) ? 7_200 : 3_600
}

private func lastSunday(of month: Int, _ year: Int) -> Int64 {
    let last = CivilTime(year: year, month: month, day: 31, hour: 1)
    // 1970-01-01 was a Thursday: day number + 4, modulo 7, is 0 on Sundays.
    let weekday = (last.clockSeconds / 86_400 + 4).modulo(7)
    return last.clockSeconds - weekday * 86_400
}

/// The moment of a text such as `2026-11-23T02:00:05.25Z`.
private func utc(_ text: String) throws -> Timestamp {
    var scanner = DigitScanner(text.lowercased())
    let date = scanner.readDate()
    let separated = scanner.skip("t")
    let time = scanner.readTimeOfDay()
    let isWhole = scanner.skip("z") && scanner.isAtEnd
    var civil = try #require(separated && isWhole ? date : nil)
    (civil.hour, civil.minute, civil.second, civil.nanosecond) = try #require(time)
    return Timestamp(seconds: civil.clockSeconds, nanoseconds: Int64(civil.nanosecond))
}

@Suite struct CivilTimeTests {
    @Test func agreesWithTheCLibrary() {
        var random = SeededGenerator(seed: 0xC1F11)
        for _ in 0..<5_000 {
            var moment = time_t(Int64.random(in: -9_000_000_000...9_000_000_000, using: &random))
            var fields = tm()
            gmtime_r(&moment, &fields)
            let civil = CivilTime(clockSeconds: Int64(moment))
            let expected = CivilTime(
                year: Int(fields.tm_year) + 1900, month: Int(fields.tm_mon) + 1, day: Int(fields.tm_mday),
                hour: Int(fields.tm_hour), minute: Int(fields.tm_min), second: Int(fields.tm_sec))
            #expect(civil == expected, "seed 0xC1F11, \(moment)")
            #expect(civil.clockSeconds == Int64(moment), "seed 0xC1F11, \(moment)")
        }
    }

    @Test(arguments: [
        (2024, 2, 29, true), (2023, 2, 29, false), (1900, 2, 29, false), (2000, 2, 29, true), (2026, 4, 31, false),
        (2026, 13, 1, false), (2026, 0, 1, false), (2026, 12, 31, true), (2026, 1, 0, false),
    ])
    func knowsTheCalendar(year: Int, month: Int, day: Int, isValid: Bool) {
        #expect(CivilTime(year: year, month: month, day: day).isValid == isValid)
    }
}

@Suite struct ZoneTests {
    /// What this process's C library makes of a moment, in whatever zone the tests run.
    @Test func localAgreesWithTheCLibrary() {
        var random = SeededGenerator(seed: 0x20E)
        for _ in 0..<1_000 {
            var moment = time_t(Int64.random(in: 0...4_000_000_000, using: &random))
            var fields = tm()
            localtime_r(&moment, &fields)
            let civil = Zone.local.civilTime(at: Timestamp(seconds: Int64(moment), nanoseconds: 7))
            #expect(civil.day == fields.tm_mday && civil.hour == fields.tm_hour && civil.minute == fields.tm_min)
            #expect(civil.nanosecond == 7)
        }
    }

    @Test func everyShownTimeLeadsBackToItsFirstMoment() {
        var random = SeededGenerator(seed: 0xBE71)
        for _ in 0..<5_000 {
            let moment = Timestamp(nanoseconds: .random(in: 0...4_000_000_000_000_000_000, using: &random))
            let civil = berlin.civilTime(at: moment)
            let first = berlin.firstMoment(showing: civil)
            #expect(first == moment || first.nanoseconds == moment.nanoseconds - 3_600_000_000_000, "seed 0xBE71")
            #expect(berlin.civilTime(at: first) == civil, "seed 0xBE71")
        }
    }

    @Test func reachesTheEndsOfTime() {
        #expect(Zone.utc.civilTime(at: Timestamp(nanoseconds: .min)).year == 1677)
        #expect(Zone.utc.civilTime(at: Timestamp(nanoseconds: .max)).year == 2262)
        #expect(Zone.utc.civilTime(at: Timestamp(nanoseconds: -1)).nanosecond == 999_999_999)
    }
}

@Suite struct BoundaryTextTests {
    /// 13:30 in Berlin.
    private let now = "2026-11-23T12:30:00Z"

    @Test(arguments: [
        // Durations.
        ("10m", "2026-11-23T12:20:00Z"), ("2d", "2026-11-21T12:30:00Z"), ("1h30m", "2026-11-23T11:00:00Z"),
        ("250ms", "2026-11-23T12:29:59.75Z"),
        // Times of day: the last time it was so late.
        ("03:00", "2026-11-23T02:00:00Z"), ("13:30", "2026-11-23T12:30:00Z"), ("13:31", "2026-11-22T12:31:00Z"),
        ("13:30:00.000000001", "2026-11-22T12:30:00.000000001Z"), ("00:00", "2026-11-22T23:00:00Z"),
        // Named days and dates.
        ("today", "2026-11-22T23:00:00Z"), ("yesterday", "2026-11-21T23:00:00Z"),
        ("yesterday 03:00", "2026-11-22T02:00:00Z"), ("Today 23:59", "2026-11-23T22:59:00Z"),
        ("2026-11-23", "2026-11-22T23:00:00Z"), ("2026-07-01", "2026-06-30T22:00:00Z"),
        ("2026-11-23T03:00", "2026-11-23T02:00:00Z"), ("2026-11-23 03:00", "2026-11-23T02:00:00Z"),
        ("2026-11-23t03:00:05.25", "2026-11-23T02:00:05.25Z"), ("2024-02-29 12:00", "2024-02-29T11:00:00Z"),
        // With a zone.
        ("2026-11-23T03:00Z", "2026-11-23T03:00:00Z"), ("2026-11-23 03:00:05.25+01:00", "2026-11-23T02:00:05.25Z"),
        ("2026-11-23 03:00-0330", "2026-11-23T06:30:00Z"), ("2026-11-23T03:00+14", "2026-11-22T13:00:00Z"),
        // The night clocks go forward (2026-03-29, 02:00 to 03:00): what is left out is the moment of the change.
        ("2026-03-29 01:59:59", "2026-03-29T00:59:59Z"), ("2026-03-29 02:00", "2026-03-29T01:00:00Z"),
        ("2026-03-29 02:30", "2026-03-29T01:00:00Z"), ("2026-03-29 02:59:59.9", "2026-03-29T01:00:00Z"),
        ("2026-03-29 03:00", "2026-03-29T01:00:00Z"), ("2026-03-29 03:30", "2026-03-29T01:30:00Z"),
        ("2026-03-29", "2026-03-28T23:00:00Z"), ("2026-03-30", "2026-03-29T22:00:00Z"),
        // The night clocks go back (2026-10-25, 03:00 to 02:00): what is shown twice is the first.
        ("2026-10-25 01:59:59", "2026-10-24T23:59:59Z"), ("2026-10-25 02:00", "2026-10-25T00:00:00Z"),
        ("2026-10-25 02:59:59.9", "2026-10-25T00:59:59.9Z"), ("2026-10-25 03:00", "2026-10-25T02:00:00Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z"), ("2026-10-26", "2026-10-25T23:00:00Z"),
    ])
    func readsMoments(text: String, moment: String) throws {
        #expect(BoundaryText.parse(text, now: try utc(now), zone: berlin) == .moment(try utc(moment)))
    }

    @Test(arguments: [
        // Just after midnight: 03:00 was yesterday, and yesterday is the day before.
        ("2026-11-22T23:00:01Z", "03:00", "2026-11-22T02:00:00Z"),
        ("2026-11-22T23:00:01Z", "yesterday 03:00", "2026-11-22T02:00:00Z"),
        ("2026-11-22T23:00:00Z", "00:00", "2026-11-22T23:00:00Z"),
        ("2026-11-22T22:59:59Z", "00:00", "2026-11-21T23:00:00Z"),
        ("2026-11-22T22:59:59Z", "today", "2026-11-21T23:00:00Z"),
        // The days of the changes have 23 and 25 hours.
        ("2026-03-29T12:00:00Z", "yesterday 14:00", "2026-03-28T13:00:00Z"),
        ("2026-03-29T12:00:00Z", "1d", "2026-03-28T12:00:00Z"),
        ("2026-03-30T00:10:00Z", "02:30", "2026-03-29T01:00:00Z"),
        ("2026-10-25T12:00:00Z", "yesterday 13:00", "2026-10-24T11:00:00Z"),
        // In the hour that is shown again, a time of the same hour is its first showing.
        ("2026-10-25T01:45:00Z", "02:30", "2026-10-25T00:30:00Z"),
        // Across months and years.
        ("2027-01-01T01:00:00Z", "03:00", "2026-12-31T02:00:00Z"),
        ("2024-03-01T01:00:00Z", "yesterday", "2024-02-28T23:00:00Z"),
    ])
    func readsMomentsAtOtherTimes(now: String, text: String, moment: String) throws {
        #expect(BoundaryText.parse(text, now: try utc(now), zone: berlin) == .moment(try utc(moment)))
    }

    @Test(arguments: [("seq:0", Int64(0)), ("seq:41", 41), ("SEQ:7", 7), ("seq:9223372036854775807", .max)])
    func readsSequenceNumbers(text: String, sequence: Int64) throws {
        #expect(BoundaryText.parse(text, now: try utc(now), zone: berlin) == .sequence(sequence))
    }

    @Test(arguments: [
        "", "foo", "10", "seq:", "seq:-1", "seq:+1", "seq:x", "seq:9223372036854775808", "3:00", "24:00", "12:60",
        "12:30:60", "12:30:", "12:30:00.", "12:30:00.1234567890", "12:30Z", "12:30 ", " 12:30", "2026-02-29",
        "2026-13-01", "2026-11-31", "2026-1-1", "26-11-23", "20261123", "2026-11-23T", "2026-11-23 ", "2026-11-23Z",
        "2026-11-23T03:00+", "2026-11-23T03:00+1", "2026-11-23T03:00+01:0", "2026-11-23T03:00+24:00",
        "2026-11-23T03:00+01:60", "2026-11-23T03:00Zx", "2026-11-23  03:00", "todayT03:00", "today03:00",
        "yesterday 03:00Z", "tomorrow", "today ", "-5m", "2026-11-23T03",
    ])
    func refuses(text: String) throws { #expect(BoundaryText.parse(text, now: try utc(now), zone: berlin) == nil) }

    @Test func readsTheTimeOfTheMachinesStart() throws {
        let boot = try utc("2026-11-20T06:00:00Z")
        #expect(BoundaryText.parse("boot", now: try utc(now), zone: berlin, boot: boot) == .moment(boot))
        #expect(Timestamp.boot < .now)
    }

    @Test func aVeryLongDurationReachesTheBeginning() throws {
        let since = BoundaryText.parse("9223372036854775807ms", now: try utc(now), zone: berlin)
        #expect(since == .moment(Timestamp(nanoseconds: .min)))
    }
}

@Suite struct TimestampTextTests {
    @Test(arguments: [
        ("2026-11-23T02:00:05.25Z", "2026-11-23T02:00:05.250000000Z", "2026-11-23 03:00:05.250"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000000Z", "1970-01-01 01:00:00.000"),
        ("2026-06-30T23:59:59.999999999Z", "2026-06-30T23:59:59.999999999Z", "2026-07-01 01:59:59.999"),
    ])
    func writes(moment: String, rfc3339: String, local: String) throws {
        var output: [UInt8] = []
        TimestampText.appendRFC3339(try utc(moment), to: &output)
        #expect(String(decoding: output, as: UTF8.self) == rfc3339)
        output = []
        TimestampText.appendLocal(try utc(moment), zone: berlin, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == local)
    }
}
