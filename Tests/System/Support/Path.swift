/// A path or name as the kernel has it: bytes, any but NUL.
struct Path: Hashable, Comparable, Sendable {
    let bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// The path's directory; of `/a` it is `/`.
    var parent: Path {
        let slash = bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return Path(bytes[..<max(slash, 1)])
    }

    /// The bytes after the last slash.
    var name: Path {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return Path(bytes[(slash + 1)...])
    }

    /// True for everything below `ancestor`, at any depth, but not for `ancestor` itself.
    func isBelow(_ ancestor: Path) -> Bool {
        bytes.count > ancestor.bytes.count + 1 && bytes[ancestor.bytes.count] == UInt8(ascii: "/")
            && bytes.starts(with: ancestor.bytes)
    }

    func isAtOrBelow(_ ancestor: Path) -> Bool { self == ancestor || isBelow(ancestor) }

    /// The same place in a tree that was moved from `old` to `new`.
    func moved(from old: Path, to new: Path) -> Path { Path(new.bytes + bytes[old.bytes.count...]) }

    static func / (directory: Path, name: Path) -> Path { Path(directory.bytes + [UInt8(ascii: "/")] + name.bytes) }
    static func + (path: Path, suffix: Path) -> Path { Path(path.bytes + suffix.bytes) }
    static func < (left: Path, right: Path) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    /// For arguments of commands: only right for paths that are UTF-8.
    var string: String { String(decoding: bytes, as: UTF8.self) }

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// Calls `body` with the path as C has it.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try (bytes + [0]).withUnsafeBytes { try body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }
}

extension Path: ExpressibleByStringInterpolation, CustomStringConvertible {
    init(stringLiteral value: String) { bytes = Array(value.utf8) }
    init(_ string: String) { bytes = Array(string.utf8) }

    /// Readable in a failure's text: everything but printable ASCII as `\ooo`, long paths with their middle left out.
    var description: String {
        if bytes.count > 400 {
            return "\(Path(bytes.prefix(150)))…\(bytes.count - 300) bytes…\(Path(bytes.suffix(150)))"
        }
        var text = ""
        for byte in bytes {
            if byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\\") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let octal = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
            }
        }
        return text
    }
}
