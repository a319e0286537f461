/// Writes a configuration as the TOML that would give it: what `check-config` prints.
enum ConfigurationText {
    static func toml(_ configuration: Configuration) -> String {
        ConfigurationTable.all.map { table in
            let lines = table.keys.compactMap { key in
                value(of: key.kind, in: configuration).map { "\(key.name) = \($0)\n" }
            }
            return "[\(table.name)]\n" + lines.joined()
        }.joined(separator: "\n")
    }

    /// The value as TOML; nil for a setting that is not set, which TOML says by saying nothing.
    private static func value(of kind: ConfigurationKey.Kind, in configuration: Configuration) -> String? {
        switch kind {
        case .flag(let setting): configuration[keyPath: setting] ? "true" : "false"
        case .duration(let setting): string(DurationText.format(configuration[keyPath: setting]))
        case .size(let setting): string(ByteSizeText.format(configuration[keyPath: setting]))
        case .file(let setting), .directory(let setting): string(bytes: configuration[keyPath: setting])
        case .optionalDirectory(let setting): configuration[keyPath: setting].map(string(bytes:))
        case .patterns(let setting, _):
            "[" + configuration[keyPath: setting].map(string(bytes:)).joined(separator: ", ") + "]"
        }
    }

    /// Bytes that are not UTF-8, which only flags and the environment can bring in, are replaced: TOML has none.
    private static func string(bytes: [UInt8]) -> String { string(String(decoding: bytes, as: UTF8.self)) }

    /// A basic string: TOML 1.0, section String.
    private static func string(_ text: String) -> String {
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
}
