/// Lengths of time as people write them: `90d`, `60s`, `1h30m`, `250ms`.
///
/// One or more whole numbers, each with its unit, the larger unit first and no unit twice:
/// `w` (7 days), `d` (24 hours), `h`, `m` (minutes), `s`, `ms`.
/// A number without a unit is refused: nobody can tell which one was meant.
public enum DurationText {
    /// What an error says was expected.
    public static let expectation = #"a duration such as "90d", "60s" or "1h30m" (units: w, d, h, m, s, ms)"#

    /// The units from large to small, in milliseconds.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// The duration that `text` means, or nil when it is none or is longer than 292 million years.
    public static func parse(_ text: String) -> Duration? {
        var rest = text.utf8[...]
        var unitsLeft = units[...]
        var total: Int64 = 0
        repeat {
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            let letters = rest.dropFirst(digits.count).prefix { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
            rest = rest[letters.endIndex...]
            guard let count = Int64(String(digits) ?? ""),
                let unit = unitsLeft.firstIndex(where: { $0.name.utf8.elementsEqual(letters) })
            else { return nil }
            let (length, lengthOverflow) = count.multipliedReportingOverflow(by: unitsLeft[unit].milliseconds)
            let (sum, sumOverflow) = total.addingReportingOverflow(length)
            if lengthOverflow || sumOverflow { return nil }
            total = sum
            unitsLeft = unitsLeft[(unit + 1)...]
        } while !rest.isEmpty
        return .milliseconds(total)
    }

    /// The text that `parse` turns back into `duration`: `90d`, `1h30m`, `0s`.
    ///
    /// What is finer than a millisecond is dropped. Weeks are written as days, which are easier to compare.
    public static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var left = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        if left <= 0 { return "0s" }
        var text = ""
        for (name, length) in units.dropFirst() where left >= length {
            text += "\(left / length)\(name)"
            left %= length
        }
        return text
    }
}

extension DurationText {
    /// How long something is ago, to the two largest units: `3d4h`, `12m5s`, `0s`.
    static func rough(_ nanoseconds: Int64) -> String {
        let seconds = max(nanoseconds, 0) / 1_000_000_000
        let unit: Int64 = seconds >= 86_400 ? 3_600 : seconds >= 3_600 ? 60 : 1
        return format(.seconds(seconds / unit * unit))
    }
}

extension Duration {
    /// Nanoseconds, held at the ends of what 64 bits hold (292 years).
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : scaled.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    }
}
