/// What a dead man's switch is told.
public enum Ping: Equatable, Sendable {
    case start
    /// How long it took is known of a run alone.
    case success(String, took: Duration? = nil)
    case failure(String, took: Duration? = nil)
}

/// A dead man's switch at another place, which raises the alarm when nobody asks for its URL any more.
///
/// Two forms are known: that of healthchecks.io (https://healthchecks.io/docs/http_api/: the URL, with `/start` or `/fail`
/// behind it, and a text as the body), and that of Uptime Kuma's push monitors, whose path has `/api/push/` in it
/// (`?status=up|down&msg=…&ping=…`, with milliseconds). The latter knows no start.
public struct PingTarget: Equatable, Sendable {
    /// Without its query.
    private let base: String
    /// With its question mark; empty: none.
    private let query: String
    private let isUptimeKuma: Bool

    /// Bytes of a text that are sent: healthchecks.io keeps 100 kB, Uptime Kuma shows a line.
    private static let mostText = 8_192
    private static let mostMessage = 200

    /// - Parameter url: an `http` or `https` URL.
    public init(url: String) {
        let end = url.firstIndex(of: "?") ?? url.endIndex
        var base = url[..<end]
        while base.hasSuffix("/") { base.removeLast() }
        self.base = String(base)
        query = String(url[end...])
        isUptimeKuma = base.contains("/api/push/")
    }

    /// - Returns: nil where this form has none.
    func request(_ ping: Ping) -> CurlRequest? {
        var request: CurlRequest
        if isUptimeKuma {
            guard let query = Self.kumaQuery(ping) else { return nil }
            // What its page shows as the URL has an example of these behind it.
            request = CurlRequest(url: base + query)
        } else {
            let (suffix, text) =
                switch ping {
                case .start: ("/start", "")
                case .success(let text, _): ("", text)
                case .failure(let text, _): ("/fail", text)
                }
            request = CurlRequest(url: base + suffix + query, body: Self.body(text))
        }
        request.retries = 2
        request.limits.overall = 30
        return request
    }

    private static func body(_ text: String) -> [UInt8] {
        // curl takes a leading @ for a file's name.
        let bytes = text.utf8.first == UInt8(ascii: "@") ? Array(" ".utf8) + text.utf8 : Array(text.utf8)
        return Array(bytes.prefix(mostText))
    }

    private static func kumaQuery(_ ping: Ping) -> String? {
        switch ping {
        case .start: nil
        case .success(let text, let took): kumaQuery("up", text, took)
        case .failure(let text, let took): kumaQuery("down", text, took)
        }
    }

    private static func kumaQuery(_ status: String, _ text: String, _ took: Duration?) -> String {
        let milliseconds = took.map { took in
            "\(took.components.seconds * 1_000 + took.components.attoseconds / 1_000_000_000_000_000)"
        }
        return "?status=\(status)&msg=\(encoded(text))&ping=\(milliseconds ?? "")"
    }

    /// Percent-encoded (RFC 3986), at most so much of it.
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8.prefix(mostMessage) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
