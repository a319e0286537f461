/// The version of a Linux kernel, as far as features go by it.
public struct KernelVersion: Comparable, Hashable, Sendable, CustomStringConvertible {
    public var major: Int
    public var minor: Int

    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// From what uname(2) calls the release, such as `6.1.0-25-amd64`; nil for what does not begin with two numbers.
    public init?(release: some Sequence<UInt8>) {
        let parts = Array(release).split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(String(decoding: parts[0], as: UTF8.self)) else { return nil }
        let digits = parts[1].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard let minor = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        self.init(major, minor)
    }

    /// That of the running kernel; nil where /proc does not tell.
    public static var current: KernelVersion? {
        KernelSetting.line(of: "/proc/sys/kernel/osrelease").flatMap { KernelVersion(release: $0) }
    }

    public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    public var description: String { "\(major).\(minor)" }
}
