import LinuxKernel

/// Moments as text, appended to bytes because they are written millions of times.
enum TimestampText {
    /// RFC 3339 in UTC with nanoseconds: `2026-11-23T02:00:05.250000000Z`.
    static func appendRFC3339(_ moment: Timestamp, to output: inout [UInt8]) {
        let civil = Zone.utc.civilTime(at: moment)
        append(civil, separator: UInt8(ascii: "T"), to: &output)
        append(civil.nanosecond, digits: 9, to: &output)
        output.append(UInt8(ascii: "Z"))
    }

    /// How much of a moment is written.
    enum Precision {
        case days, minutes, seconds, milliseconds
    }

    /// What a clock on the wall shows: `2026-11-23 03:00:05.250`, `2026-11-23 03:00`, `2026-11-23`.
    static func appendLocal(
        _ moment: Timestamp, zone: Zone, to output: inout [UInt8], precision: Precision = .milliseconds
    ) {
        let civil = zone.civilTime(at: moment)
        let start = output.count
        append(civil, separator: UInt8(ascii: " "), to: &output)
        append(civil.nanosecond / 1_000_000, digits: 3, to: &output)
        switch precision {
        case .days: output.removeSubrange((start + "2026-11-23".utf8.count)...)
        case .minutes: output.removeSubrange((start + "2026-11-23 03:00".utf8.count)...)
        case .seconds: output.removeSubrange((start + "2026-11-23 03:00:05".utf8.count)...)
        case .milliseconds: break
        }
    }

    /// Date and time up to the point before the fraction.
    private static func append(_ civil: CivilTime, separator: UInt8, to output: inout [UInt8]) {
        append(civil.year, digits: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        append(civil.month, digits: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        append(civil.day, digits: 2, to: &output)
        output.append(separator)
        append(civil.hour, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(civil.minute, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(civil.second, digits: 2, to: &output)
        output.append(UInt8(ascii: "."))
    }

    private static func append(_ number: Int, digits: Int, to output: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
