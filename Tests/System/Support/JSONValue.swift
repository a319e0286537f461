/// Any JSON text (RFC 8259) as a value, strictly: what a program of another's would make of it.
indirect enum JSONValue: Equatable {
    case object([String: JSONValue])
    case array([JSONValue])
    case string(String)
    case number(Double)
    case boolean(Bool)
    case null

    /// Nil when it is no JSON text.
    init?(_ text: [UInt8]) {
        var parser = Parser(rest: text[...])
        guard let value = parser.value() else { return nil }
        parser.skipSpace()
        guard parser.rest.isEmpty else { return nil }
        self = value
    }

    subscript(_ name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var array: [JSONValue] { if case .array(let items) = self { items } else { [] } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }

    private struct Parser {
        var rest: ArraySlice<UInt8>

        mutating func skipSpace() { rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) } }

        mutating func takes(_ word: String) -> Bool {
            skipSpace()
            guard rest.starts(with: word.utf8) else { return false }
            rest = rest.dropFirst(word.utf8.count)
            return true
        }

        mutating func value() -> JSONValue? {
            if takes("null") { return .null }
            if takes("true") { return .boolean(true) }
            if takes("false") { return .boolean(false) }
            if takes("[") { return items() }
            if takes("{") { return members() }
            if takes("\"") { return string().map { .string($0) } }
            let digits = rest.prefix { "+-.eE0123456789".utf8.contains($0) }
            rest = rest.dropFirst(digits.count)
            return Double(String(decoding: digits, as: UTF8.self)).map { .number($0) }
        }

        private mutating func items() -> JSONValue? {
            var items: [JSONValue] = []
            if takes("]") { return .array([]) }
            while let item = value() {
                items.append(item)
                if takes("]") { return .array(items) }
                guard takes(",") else { return nil }
            }
            return nil
        }

        private mutating func members() -> JSONValue? {
            var members: [String: JSONValue] = [:]
            if takes("}") { return .object([:]) }
            while takes("\""), let name = string(), takes(":"), let value = value() {
                guard members.updateValue(value, forKey: name) == nil else { return nil }
                if takes("}") { return .object(members) }
                guard takes(",") else { return nil }
            }
            return nil
        }

        /// What follows the opening quote. Escapes are kept as they are.
        private mutating func string() -> String? {
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") { return String(validating: bytes, as: UTF8.self) }
                guard byte >= 0x20 else { return nil }
                bytes.append(byte)
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = rest.popFirst() else { return nil }
                    bytes.append(escaped)
                }
            }
            return nil
        }
    }
}
