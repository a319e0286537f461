/// Amounts of bytes as people write them: `1GiB`, `512MiB`, `10MB`, `4096`.
///
/// A whole number and a unit, in any case: `B`; `kB`, `MB`, `GB`, `TB`, `PB` (powers of 1000);
/// `KiB`, `MiB`, `GiB`, `TiB`, `PiB` (powers of 1024). No unit means bytes.
/// A bare `K`, `M` or `G` is refused: tools disagree on what it means.
public enum ByteSizeText {
    /// What an error says was expected.
    public static let expectation = #"a size such as "1GiB", "512MiB", "10MB" or plain bytes"#

    /// From large to small; where two write a number equally short, the first is taken.
    private static let units: [(name: String, bytes: Int64)] = [
        ("PiB", 1 << 50), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("PB", 1_000_000_000_000_000), ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000),
        ("kB", 1_000), ("B", 1),
    ]

    /// The bytes that `text` means, or nil when it is no size or does not fit 63 bits.
    public static func parse(_ text: String) -> Int64? {
        let digits = text.utf8.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard let count = Int64(String(digits) ?? "") else { return nil }
        let unit = String(text.utf8.dropFirst(digits.count)) ?? ""
        if unit.isEmpty { return count }
        guard let (_, bytes) = units.first(where: { $0.name.lowercased() == unit.lowercased() }) else { return nil }
        let (total, overflow) = count.multipliedReportingOverflow(by: bytes)
        return overflow ? nil : total
    }

    /// The shortest text that `parse` turns back into exactly `bytes`: `1GiB`, `10MB`, `1025B`.
    public static func format(_ bytes: Int64) -> String {
        if bytes <= 0 { return "0B" }
        return
            units
            .filter { bytes % $0.bytes == 0 }
            .map { "\(bytes / $0.bytes)\($0.name)" }
            .min { $0.utf8.count < $1.utf8.count } ?? "\(bytes)B"
    }

    /// At most eight columns with three significant digits, for tables: `512 B`, `4.21 GiB`, `1023 MiB`.
    ///
    /// Rounded down, so that a table never shows more than there is.
    public static func approximate(_ bytes: Int64) -> String {
        guard bytes >= 1 << 10, let (name, unit) = units.first(where: { bytes >= $0.bytes && $0.name.contains("i") })
        else { return "\(bytes) B" }
        let whole = bytes / unit
        if whole >= 100 { return "\(whole) \(name)" }
        let hundredths = (bytes % unit) * 100 / unit
        if whole >= 10 { return "\(whole).\(hundredths / 10) \(name)" }
        return "\(whole).\(hundredths < 10 ? "0" : "")\(hundredths) \(name)"
    }
}
