/// Reads flat JSON objects, one a line (RFC 8259), keeping strings as bytes: a path need not be UTF-8.
struct JSONLines {
    enum Value: Equatable {
        case string([UInt8])
        case number(Int64)
        case other
    }

    struct Malformed: Error { let line: String }

    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next object, or nil at the end.
    mutating func next() throws -> [String: Value]? {
        skipSpace()
        guard index < bytes.count else { return nil }
        try expect("{")
        var object: [String: Value] = [:]
        skipSpace()
        if peek() == UInt8(ascii: "}") {
            index += 1
            return object
        }
        while true {
            skipSpace()
            let key = String(decoding: try string(), as: UTF8.self)
            skipSpace()
            try expect(":")
            skipSpace()
            object[key] = try value()
            skipSpace()
            if peek() == UInt8(ascii: ",") {
                index += 1
            } else {
                try expect("}")
                return object
            }
        }
    }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard peek() == UInt8(ascii: character) else { throw malformed("expected \(character)") }
        index += 1
    }

    private func malformed(_ what: String) -> Malformed {
        let context = bytes[max(0, index - 60)..<min(bytes.count, index + 60)]
        return Malformed(line: "\(what) at byte \(index): \(Path(context))")
    }

    private mutating func value() throws -> Value {
        if peek() == UInt8(ascii: "\"") { return .string(try string()) }
        let start = index
        while let byte = peek(), byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte > 0x20 { index += 1 }
        guard index > start else { throw malformed("expected a value") }
        return Int64(String(decoding: bytes[start..<index], as: UTF8.self)).map { .number($0) } ?? .other
    }

    private mutating func string() throws -> [UInt8] {
        try expect("\"")
        var result: [UInt8] = []
        while let byte = peek() {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return result
            case UInt8(ascii: "\\"): try unescape(into: &result)
            case 0..<0x20: throw malformed("a control byte in a string")
            default: result.append(byte)
            }
        }
        throw malformed("a string without an end")
    }

    private mutating func unescape(into result: inout [UInt8]) throws {
        guard let kind = peek() else { throw malformed("an escape without an end") }
        index += 1
        switch kind {
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(kind)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if code >= 0xD800 && code < 0xDC00 {
                try expect("\\")
                try expect("u")
                code = 0x10000 + (code - 0xD800) << 10 + (try hexadecimal() - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("half of a surrogate pair") }
            result.append(contentsOf: Array(String(scalar).utf8))
        default: throw malformed("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        guard index + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
        else { throw malformed("four hexadecimal digits") }
        index += 4
        return code
    }
}
