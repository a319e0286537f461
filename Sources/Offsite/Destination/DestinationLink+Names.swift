/// Which names may stand in the command line of a receiver.
extension DestinationLink {
    /// The first version that escapes what a remote shell would take for more than a name (its NEWS).
    private static let firstThatEscapes = (3, 2, 4)

    /// Whether a path below the target may be an argument: a shell gets it, or a daemon expands wildcards in it. All other
    /// paths travel in lists, where any byte may be in a name.
    func mayBeArgument(_ path: [UInt8]) -> Bool {
        // It becomes a part of texts.
        guard String(validating: path, as: UTF8.self) != nil else { return false }
        switch settings.target {
        case .local: return true
        case .daemon: return !path.contains { Self.isWildcard($0) || $0 < UInt8(ascii: " ") }
        case .ssh:
            let isEscaped = hasShell && !(ownRsync?.isBefore(Self.firstThatEscapes) ?? true)
            // No more than needed is trusted to that.
            return path.allSatisfy { Self.isPlain($0) || isEscaped && ($0 == UInt8(ascii: " ") || $0 >= 0x80) }
        }
    }

    private static func isWildcard(_ byte: UInt8) -> Bool { "*?[]\\".utf8.contains(byte) }

    /// A byte that means nothing to any shell.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "/._+,@=-".utf8.contains(byte)
        }
    }
}
