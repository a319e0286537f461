import LinuxKernel

/// Writes one JSON object (RFC 8259) without spaces.
struct JSONObjectWriter {
    private var isEmpty = true

    /// Begins the object.
    init(to output: inout [UInt8]) { output.append(UInt8(ascii: "{")) }

    /// Writes a name; the value is for the caller to append.
    ///
    /// - Parameter name: written as it is: letters, digits and underscores.
    mutating func appendName(_ name: String, to output: inout [UInt8]) {
        if !isEmpty { output.append(UInt8(ascii: ",")) }
        isEmpty = false
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: name.utf8)
        output.append(contentsOf: "\":".utf8)
    }

    mutating func append(_ name: String, number: Int64, to output: inout [UInt8]) {
        appendName(name, to: &output)
        output.append(contentsOf: String(number).utf8)
    }

    /// Appends a member whose value is a word of letters and digits.
    mutating func append(_ name: String, word: String, to output: inout [UInt8]) {
        appendName(name, to: &output)
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: word.utf8)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends a member whose value is text.
    ///
    /// - Returns: false when `bytes` are not UTF-8 and the text has U+FFFD for each byte that is not.
    @discardableResult
    mutating func append(_ name: String, text bytes: [UInt8], to output: inout [UInt8]) -> Bool {
        appendName(name, to: &output)
        return Self.appendString(bytes, to: &output)
    }

    /// Appends a path as text; one that is not UTF-8 also has its exact bytes in base 64, as `NAME_b64`.
    mutating func append(_ name: String, path: [UInt8], to output: inout [UInt8]) {
        if append(name, text: path, to: &output) { return }
        appendName(name + "_b64", to: &output)
        output.append(UInt8(ascii: "\""))
        Base64.append(path, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends a moment in RFC 3339, UTC, with nanoseconds.
    mutating func append(_ name: String, moment: Timestamp, to output: inout [UInt8]) {
        appendName(name, to: &output)
        output.append(UInt8(ascii: "\""))
        TimestampText.appendRFC3339(moment, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    mutating func append(_ name: String, boolean: Bool, to output: inout [UInt8]) {
        appendName(name, to: &output)
        output.append(contentsOf: (boolean ? "true" : "false").utf8)
    }

    mutating func appendNull(_ name: String, to output: inout [UInt8]) {
        appendName(name, to: &output)
        output.append(contentsOf: "null".utf8)
    }

    /// Appends an array, whose elements `write` appends, without what separates them.
    mutating func append<Element>(
        _ name: String, array: [Element], to output: inout [UInt8], _ write: (Element, inout [UInt8]) -> Void
    ) {
        appendName(name, to: &output)
        output.append(UInt8(ascii: "["))
        for (index, element) in array.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            write(element, &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    func end(to output: inout [UInt8]) { output.append(UInt8(ascii: "}")) }

    /// A string with its quotes. Escaped are the quote, the backslash and the controls, as RFC 8259 demands;
    /// also DEL and the C1 controls, which terminals may obey, and U+2028 and U+2029, which JavaScript before
    /// 2019 took for line ends.
    ///
    /// - Returns: false when `bytes` are not UTF-8 and the string has U+FFFD for each byte that is not.
    @discardableResult
    static func appendString(_ bytes: [UInt8], to output: inout [UInt8]) -> Bool {
        var isExact = true
        var index = 0
        output.append(UInt8(ascii: "\""))
        while index < bytes.count {
            let byte = bytes[index]
            // The common case, first: one printable ASCII byte.
            if byte >= 0x20, byte < 0x7F {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { output.append(UInt8(ascii: "\\")) }
                output.append(byte)
                index += 1
                continue
            }
            let length = UTF8Prefix.length(of: bytes[index...])
            if length == 0 {
                isExact = false
                output.append(contentsOf: "\u{FFFD}".utf8)
            } else {
                appendScalar(bytes[index..<index + length], to: &output)
            }
            index += max(length, 1)
        }
        output.append(UInt8(ascii: "\""))
        return isExact
    }

    /// Appends the bytes of one scalar that is not printable ASCII.
    private static func appendScalar(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first!
        switch scalar {
        case "\n": output.append(contentsOf: #"\n"#.utf8)
        case "\r": output.append(contentsOf: #"\r"#.utf8)
        case "\t": output.append(contentsOf: #"\t"#.utf8)
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
            output.append(contentsOf: #"\u"#.utf8)
            for shift in [12, 8, 4, 0] {
                output.append(hexadecimalDigits[Int(scalar.value >> UInt32(shift) & 0xF)])
            }
        default: output.append(contentsOf: bytes)
        }
    }

    private static let hexadecimalDigits = Array("0123456789abcdef".utf8)
}
