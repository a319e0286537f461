/// How a path stands in a line of the log: the control bytes (below 0x20, and 0x7F) and the backslash as a backslash
/// and three octal digits, as in `/proc/self/mountinfo` (proc(5)); every other byte as it is, also invalid UTF-8.
///
/// A newline in a name becomes `\012`, so no name can forge a line, and an ESC becomes `\033`, so none can speak to
/// the terminal that shows the log.
public enum PathEscaping {
    private static let backslash = UInt8(ascii: "\\")
    private static let zero = UInt8(ascii: "0")

    @inline(__always)
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\\")
    }

    /// Appends `path`, escaped, to `line`.
    public static func escape(_ path: UnsafeRawBufferPointer, into line: inout [UInt8]) {
        // Most paths need no escape: one search without branches on the bytes, which the compiler vectorises, and
        // one copy.
        var found: UInt8 = 0
        for byte in path { found |= needsEscape(byte) ? 1 : 0 }
        if found == 0 {
            line.append(contentsOf: path)
            return
        }
        for byte in path {
            if needsEscape(byte) {
                line.append(backslash)
                line.append(zero + (byte >> 6))
                line.append(zero + (byte >> 3 & 7))
                line.append(zero + (byte & 7))
            } else {
                line.append(byte)
            }
        }
    }

    /// `path`, escaped.
    public static func escape(_ path: [UInt8]) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(path.count)
        path.withUnsafeBytes { escape($0, into: &line) }
        return line
    }

    /// The path that a line (without its newline) stands for; nil when the line is not one that `escape` writes:
    /// a raw control byte, or a backslash without three octal digits up to `\377`.
    public static func unescape(_ line: some Collection<UInt8>) -> [UInt8]? {
        var path: [UInt8] = []
        path.reserveCapacity(line.count)
        var rest = line.makeIterator()
        while let byte = rest.next() {
            if byte != backslash {
                guard !needsEscape(byte) else { return nil }
                path.append(byte)
                continue
            }
            var value = 0
            for _ in 0..<3 {
                guard let digit = rest.next(), digit >= zero, digit < zero + 8 else { return nil }
                value = value << 3 | Int(digit - zero)
            }
            guard let escaped = UInt8(exactly: value) else { return nil }
            path.append(escaped)
        }
        return path
    }

    /// For a message to people: `path` escaped, with what is not UTF-8 replaced.
    public static func display(_ path: [UInt8]) -> String { String(decoding: escape(path), as: UTF8.self) }
}
