import LinuxKernel

/// A place whose changes the store cannot have, and why: one line of the answer to `settle`.
public struct UnsettledPlace: Equatable, Sendable {
    public enum Reason: String, CaseIterable, Sendable {
        case missing = "is missing"
        case held = "is held: another file system or directory is there"
        case foreign = "is not tracked: it is on a network or user-space file system"
        case unreadable = "cannot be read"
    }

    /// Absolute.
    public let path: [UInt8]
    public let reason: Reason

    init(_ path: [UInt8], _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    var line: String { "\(OctalEscapes.display(path)) \(reason.rawValue)" }

    /// Reads what `line` wrote; nil for a line of another version.
    public init?(parsing line: some StringProtocol) {
        guard let reason = Reason.allCases.first(where: { line.hasSuffix(" " + $0.rawValue) }) else { return nil }
        let escaped = Array(line.utf8.dropLast(reason.rawValue.utf8.count + 1))
        self.init(OctalEscapes.unescape(escaped) ?? escaped, reason)
    }
}
