/// Writes one flat JSON object (RFC 8259) without spaces.
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

    mutating func append(_ name: String, string: String, to output: inout [UInt8]) {
        appendName(name, to: &output)
        Self.appendString(string, to: &output)
    }

    func end(to output: inout [UInt8]) { output.append(UInt8(ascii: "}")) }

    /// A string with its quotes. Escaped are the quote, the backslash and the controls, as RFC 8259 demands;
    /// also DEL and the C1 controls, which terminals may obey, and U+2028 and U+2029, which JavaScript before
    /// 2019 took for line ends.
    static func appendString(_ string: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": output.append(contentsOf: #"\""#.utf8)
            case "\\": output.append(contentsOf: #"\\"#.utf8)
            case "\n": output.append(contentsOf: #"\n"#.utf8)
            case "\r": output.append(contentsOf: #"\r"#.utf8)
            case "\t": output.append(contentsOf: #"\t"#.utf8)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                output.append(contentsOf: #"\u"#.utf8)
                for shift in [12, 8, 4, 0] {
                    output.append(hexadecimalDigits[Int(scalar.value >> UInt32(shift) & 0xF)])
                }
            default: output.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static let hexadecimalDigits = Array("0123456789abcdef".utf8)
}
