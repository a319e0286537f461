import TOMLKit

/// Parts of TOML documents as text.
enum TOMLText {
    /// A basic string: TOML 1.0, section String.
    static func string(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Bytes that are not UTF-8, which only flags and the environment can bring in, are replaced: TOML has none.
    static func string(bytes: [UInt8]) -> String { string(String(decoding: bytes, as: UTF8.self)) }

    /// The dotted key of a path as it may stand in the file: bare where TOML allows that, else in quotes. Elements have
    /// none.
    static func key(_ path: TOMLPath) -> String {
        path.compactMap { step in
            if case .key(let name) = step { isBare(name) ? name : quote(name) } else { nil }
        }.joined(separator: ".")
    }

    private static func isBare(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// A string for people, in quotes.
    static func quote(_ text: String) -> String {
        "\"\(TerminalText.of(Array(text.utf8)))\""
    }

    /// What a value is, for people.
    static func description(of value: (any TOMLValueConvertible)?) -> String {
        guard let value else { return "nothing" }
        switch value.type {
        case .string: return quote(value.string ?? "")
        case .int: return "the integer \(value.int ?? 0)"
        case .bool: return value.bool == true ? "true" : "false"
        case .array: return value.array?.isEmpty == true ? "an empty array" : "an array"
        case .table: return "a table"
        case .double: return "the number \(value.double ?? 0)"
        case .date: return "a date"
        case .time: return "a time of day"
        case .dateTime: return "a date and time"
        }
    }
}
