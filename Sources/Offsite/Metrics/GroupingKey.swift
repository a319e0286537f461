/// The path under which the Pushgateway keeps the figures of one destination
/// (https://github.com/prometheus/pushgateway, "URL").
enum GroupingKey {
    static func path(job: String, destination: String) -> String {
        "/metrics" + segments("job", job) + segments("destination", destination)
    }

    /// A plain value as it is, any other in base64, as the gateway provides for it. Percent-encoding would not do:
    /// the gateway decodes before it splits, so a slash ends a segment, and a value of dots is a step in the path.
    private static func segments(_ label: String, _ value: String) -> String {
        isPlain(value) ? "/\(label)/\(value)" : "/\(label)@base64/\(base64(Array(value.utf8)))"
    }

    /// Only unreserved characters of RFC 3986, and a letter or digit first.
    private static func isPlain(_ value: String) -> Bool {
        guard let first = value.utf8.first, isAlphanumeric(first) else { return false }
        return value.utf8.allSatisfy { isAlphanumeric($0) || "-_.~".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The alphabet for URLs (RFC 4648, section 5), without padding; `=` for nothing, as the gateway wants it.
    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for position in 0...group.count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * position) & 0x3F)]) }
        }
        return text.isEmpty ? "=" : String(decoding: text, as: UTF8.self)
    }
}
