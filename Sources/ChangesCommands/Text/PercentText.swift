/// Parts of a whole as people write them: `10%`, `0.5%`.
///
/// From 0 to 100, with up to four decimals, and no space before the sign.
enum PercentText {
    /// What an error says was expected.
    static let expectation = #"a percentage from "0%" to "100%", such as "10%" or "0.5%""#

    static func parse(_ text: String) -> Double? {
        guard text.utf8.last == UInt8(ascii: "%") else { return nil }
        let number = text.utf8.dropLast()
        let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        }
        guard areDigits, parts.count == 1 || parts.count == 2 && parts[1].count <= 4,
            let percent = String(number).flatMap({ Double($0) }), percent <= 100
        else { return nil }
        return percent
    }

    /// The shortest text that `parse` turns back into exactly `percent`, when that came from `parse`.
    static func format(_ percent: Double) -> String {
        let text = "\(percent)"
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + "%"
    }
}
