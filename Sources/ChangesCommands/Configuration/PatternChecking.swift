/// How patterns are judged while a configuration is read: each function answers what is expected instead, or nil
/// when the pattern is good.
public struct PatternChecking: Sendable {
    public var root: @Sendable (_ pattern: [UInt8]) -> String?
    public var exclude: @Sendable (_ pattern: [UInt8]) -> String?

    public init(
        root: @escaping @Sendable (_ pattern: [UInt8]) -> String?,
        exclude: @escaping @Sendable (_ pattern: [UInt8]) -> String?
    ) {
        self.root = root
        self.exclude = exclude
    }

    /// The checks of every command.
    public static let standard = PatternChecking(
        root: { pattern in
            pattern.first == UInt8(ascii: "/") ? nil : #"an absolute pattern such as "/srv/nfs/*-backup""#
        },
        exclude: { pattern in
            pattern.isEmpty ? #"a pattern in the manner of .gitignore, such as ".nfs*""# : nil
        })
}
