/// The tracker's answer to a request: one packet, `ok`, `ok TEXT` or `error TEXT`. The text may have several lines.
public enum ControlReply: Equatable, Sendable {
    case ok(String)
    case error(String)

    /// Bytes of the longest reply.
    public static let limit = 65_536

    /// The reply as a packet; one that would be too long becomes an error that says so, never half an answer.
    var packet: [UInt8] {
        let packet =
            switch self {
            case .ok(""): Array("ok".utf8)
            case .ok(let text): Array("ok ".utf8) + text.utf8
            case .error(let text): Array("error ".utf8) + text.utf8
            }
        if packet.count <= Self.limit { return packet }
        return ControlReply.error("the answer has \(packet.count) bytes; at most \(Self.limit) can be sent").packet
    }

    /// Reads a packet; nil where it is neither form. Bytes that are not UTF-8 become U+FFFD.
    init?(parsing packet: [UInt8]) {
        let text = String(decoding: packet, as: UTF8.self)
        if text == "ok" {
            self = .ok("")
        } else if text.hasPrefix("ok ") {
            self = .ok(String(text.dropFirst(3)))
        } else if text.hasPrefix("error ") {
            self = .error(String(text.dropFirst(6)))
        } else {
            return nil
        }
    }
}
