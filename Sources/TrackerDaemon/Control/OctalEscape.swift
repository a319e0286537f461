/// Bytes as one line of text: control bytes and the backslash as `\` and three octal digits, as in
/// `/proc/self/mountinfo`.
enum OctalEscape {
    static func escape(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: needsEscape) else { return bytes }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + 16)
        for byte in bytes {
            if needsEscape(byte) {
                text += [
                    backslash, UInt8(ascii: "0") + byte >> 6, UInt8(ascii: "0") + byte >> 3 & 7,
                    UInt8(ascii: "0") + byte & 7,
                ]
            } else {
                text.append(byte)
            }
        }
        return text
    }

    /// The bytes that `text` stands for; nil where it holds a raw control byte or a malformed escape.
    static func unescape(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            if byte != backslash {
                if needsEscape(byte) { return nil }
                bytes.append(byte)
                continue
            }
            var value = 0
            for _ in 0..<3 {
                guard let digit = rest.popFirst(), (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit)
                else { return nil }
                value = value * 8 + Int(digit - UInt8(ascii: "0"))
            }
            guard let unescaped = UInt8(exactly: value) else { return nil }
            bytes.append(unescaped)
        }
        return bytes
    }

    private static let backslash = UInt8(ascii: "\\")

    private static func needsEscape(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F || byte == backslash }
}
