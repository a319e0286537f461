/// URLs of dead man's switches: `https://hc-ping.com/UUID`, `https://kuma/api/push/TOKEN?status=up&msg=OK&ping=`.
///
/// As a base URL, and optionally a query.
enum PingURLText {
    /// What an error says was expected.
    static let expectation =
        #"a URL such as "https://hc-ping.com/UUID" or "https://kuma/api/push/TOKEN", without user or password"#

    /// nil when it is none.
    static func parse(_ text: String) -> String? {
        let end = text.firstIndex(of: "?") ?? text.endIndex
        guard let base = BaseURLText.parse(String(text[..<end])), text[end...].utf8.allSatisfy(isOfQuery) else {
            return nil
        }
        return base + text[end...]
    }

    private static func isOfQuery(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "?=&%+-._~/:,;".utf8.contains(byte)
        }
    }
}
