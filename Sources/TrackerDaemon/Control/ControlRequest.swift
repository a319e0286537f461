import LinuxKernel

/// What a command asks of the running tracker: one packet, one line, a verb and for some verbs an argument.
///
/// ```
/// settle
/// accept /srv/nfs/a\040backup
/// status
/// ```
/// Control bytes and backslashes in the argument are octal escapes; any byte may be. A newline at the end may be there.
public enum ControlRequest: Equatable, Sendable {
    /// Answer once everything that had changed before the request is in the store.
    case settle
    /// Release the held root with this path.
    case accept(path: [UInt8])
    /// Say how the tracker is.
    case status

    /// Bytes of the longest request: `accept` with a path of PATH_MAX (4096) bytes, each as an escape of four.
    public static let limit = 16_400

    /// Whether it changes nothing, so that everyone who can connect may ask.
    var isOpenToAll: Bool {
        switch self {
        case .settle, .status: true
        case .accept: false
        }
    }

    /// The request as a packet.
    public var packet: [UInt8] {
        switch self {
        case .settle: Array("settle".utf8)
        case .accept(let path): Array("accept ".utf8) + OctalEscapes.escape(path)
        case .status: Array("status".utf8)
        }
    }

    /// Reads a packet.
    ///
    /// - Throws: a refusal that says what is expected.
    init(parsing packet: [UInt8]) throws(Refusal) {
        guard packet.count <= Self.limit else { throw .tooLong(packet.count) }
        let line = packet.last == UInt8(ascii: "\n") ? packet.dropLast() : packet[...]
        let space = line.firstIndex(of: UInt8(ascii: " "))
        let argument = space.map { line[($0 + 1)...] }
        switch String(decoding: line[..<(space ?? line.endIndex)], as: UTF8.self) {
        case "settle" where argument == nil: self = .settle
        case "status" where argument == nil: self = .status
        case "settle", "status": throw .unexpectedArgument
        case "accept":
            guard let argument, let path = OctalEscapes.unescape(argument), path.first == UInt8(ascii: "/"),
                !path.contains(0)
            else { throw .badPath }
            self = .accept(path: path)
        default: throw .unknownVerb
        }
    }

    /// Why a packet is not a request.
    enum Refusal: Error, Equatable, CustomStringConvertible {
        case tooLong(Int)
        case unknownVerb
        case unexpectedArgument
        case badPath

        var description: String {
            switch self {
            case .tooLong(let count): "the request has \(count) bytes; at most \(ControlRequest.limit) are allowed"
            case .unknownVerb: "unknown request; expected settle, accept PATH or status"
            case .unexpectedArgument: "settle and status take no argument"
            case .badPath: "expected accept PATH: an absolute path, control bytes and backslash as octal escapes"
            }
        }
    }
}
