public import SystemPackage

/// Which rsync this host has, as `rsync --version` says.
public struct RsyncVersion: Equatable, Sendable {
    public var major: Int
    public var minor: Int
    public var patch: Int
    /// The protocol that it speaks. 3.4.0 raised it to 32 so that one can see whether the holes of January 2025 are
    /// closed (its NEWS); Debian's and others' mended packages of older versions say 32 as well.
    public var protocolNumber: Int

    public init(_ major: Int, _ minor: Int, _ patch: Int, protocolNumber: Int) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
        self.protocolNumber = protocolNumber
    }

    /// Reads the first line: `rsync  version 3.2.7  protocol version 31`; some builds have a `v` before the number, or
    /// something after it.
    public init?(parsing text: String) {
        let line = text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
        let words = line.split(separator: " ").map(String.init)
        guard words.first == "rsync", let place = words.firstIndex(of: "version"), place + 1 < words.count,
            let last = words.lastIndex(of: "version"), last > place, last + 1 < words.count,
            let protocolNumber = Int(words[last + 1])
        else { return nil }
        let digits = words[place + 1].drop { $0 == "v" }.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let numbers = digits.split(separator: ".").compactMap { Int($0) }
        guard numbers.count >= 2 else { return nil }
        self.init(numbers[0], numbers[1], numbers.count > 2 ? numbers[2] : 0, protocolNumber: protocolNumber)
    }

    public var text: String { "\(major).\(minor).\(patch)" }

    public func isBefore(_ other: (Int, Int, Int)) -> Bool { (major, minor, patch) < other }
}

/// The programs that a transfer needs.
public enum TransferPrograms {
    /// - Returns: nil when what it says is not understood.
    /// - Throws: the errno that kept it from starting: `ENOENT` when it is not installed.
    public static func rsync() throws(Errno) -> RsyncVersion? {
        let result = try ProgramRun(stop: Deadline(seconds: 5)).run([Array("rsync".utf8), Array("--version".utf8)])
        return RsyncVersion(parsing: String(decoding: result.output, as: UTF8.self))
    }

    /// What `ssh -V` says, such as `OpenSSH_9.2p1`, for people; not escaped. Empty when it says nothing in time.
    ///
    /// - Throws: as `rsync`.
    public static func ssh() throws(Errno) -> String {
        let result = try ProgramRun(stop: Deadline(seconds: 5)).run([Array("ssh".utf8), Array("-V".utf8)])
        let lines = String(decoding: result.errors.prefix(4_096), as: UTF8.self).split(separator: "\n")
        // Others may speak first: the loader, or a wrapper.
        let line = lines.first { $0.hasPrefix("OpenSSH_") } ?? lines.first ?? ""
        return result.wasInterrupted ? "" : String(line.prefix { !" ,".contains($0) })
    }
}
