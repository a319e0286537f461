/// Bytes a second as people write them: `20MB/s`, which is a size (see `ByteSizeText`) and `/s`.
enum ByteRateText {
    /// What an error says was expected.
    static let expectation = #"bytes a second such as "20MB/s" or "512KiB/s""#

    private static let suffix = "/s"

    static func parse(_ text: String) -> Int64? {
        guard text.hasSuffix(suffix) else { return nil }
        return ByteSizeText.parse(String(text.dropLast(suffix.count)))
    }

    static func format(_ rate: Int64) -> String { ByteSizeText.format(rate) + suffix }
}
