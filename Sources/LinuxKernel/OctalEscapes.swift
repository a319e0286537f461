/// Bytes as one line of text: the control bytes (below 0x20, and 0x7F) and the backslash as a backslash and three octal
/// digits, as in `/proc/self/mountinfo` (proc(5)), so that printf(1)'s `%b` undoes it; every other byte as it is, also
/// invalid UTF-8.
///
/// A newline in a name becomes `\012`, so no name can forge a line, and an ESC becomes `\033`, so none can speak to
/// the terminal that shows it.
public enum OctalEscapes {
    private static let backslash = UInt8(ascii: "\\")
    private static let zero = UInt8(ascii: "0")

    /// Whether a byte cannot stand for itself in a line.
    @inlinable
    public static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\\")
    }

    /// Appends the escape of one byte, whatever it is, to `line`.
    public static func append(_ byte: UInt8, to line: inout [UInt8]) {
        line.append(backslash)
        line.append(zero + byte >> 6)
        line.append(zero + byte >> 3 & 7)
        line.append(zero + byte & 7)
    }

    /// Appends `bytes`, escaped, to `line`.
    public static func escape(_ bytes: UnsafeRawBufferPointer, into line: inout [UInt8]) {
        // Most paths need no escape: one search without branches on the bytes, which the compiler vectorises, and
        // one copy.
        var found: UInt8 = 0
        for byte in bytes { found |= needsEscape(byte) ? 1 : 0 }
        if found == 0 {
            line.append(contentsOf: bytes)
            return
        }
        for byte in bytes {
            if needsEscape(byte) {
                append(byte, to: &line)
            } else {
                line.append(byte)
            }
        }
    }

    /// `bytes`, escaped.
    public static func escape(_ bytes: [UInt8]) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(bytes.count)
        bytes.withUnsafeBytes { escape($0, into: &line) }
        return line
    }

    /// The bytes that a line (without its newline) stands for; nil when the line is not one that `escape` writes:
    /// a raw control byte, or a backslash without three octal digits up to `\377`.
    public static func unescape(_ line: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(line.count)
        var rest = line[...]
        while let byte = rest.popFirst() {
            if byte != backslash {
                guard !needsEscape(byte) else { return nil }
                bytes.append(byte)
            } else {
                guard let escaped = value(of: rest.prefix(3)) else { return nil }
                bytes.append(escaped)
                rest = rest.dropFirst(3)
            }
        }
        return bytes
    }

    /// The bytes of a field in which another writer chose what to escape, such as the kernel's of mountinfo: space,
    /// tab, newline, backslash and `#`. What is no escape stays as it is.
    public static func unescapeLeniently(_ field: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.count)
        var rest = field[...]
        while let byte = rest.popFirst() {
            if byte == backslash, let escaped = value(of: rest.prefix(3)) {
                bytes.append(escaped)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// The byte that three octal digits stand for.
    private static func value(of digits: some Collection<UInt8>) -> UInt8? {
        guard digits.count == 3, digits.allSatisfy({ $0 >= zero && $0 < zero + 8 }) else { return nil }
        return UInt8(exactly: digits.reduce(0) { $0 << 3 | Int($1 - zero) })
    }

    /// For a message to people: `bytes` escaped, with what is not UTF-8 replaced.
    public static func display(_ bytes: [UInt8]) -> String { String(decoding: escape(bytes), as: UTF8.self) }
}
