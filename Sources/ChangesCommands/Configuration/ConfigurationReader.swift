import TOMLKit

/// Takes settings out of a parsed document into a `Configuration`, and collects what is wrong with them.
struct ConfigurationReader {
    let file: String
    let map: TOMLLineMap
    let checking: PatternChecking
    private(set) var configuration: Configuration
    private(set) var problems: [ConfigurationProblem] = []
    /// The dotted keys that were read without a problem.
    private var good: Set<String> = []

    init(file: String, map: TOMLLineMap, checking: PatternChecking, configuration: Configuration) {
        self.file = file
        self.map = map
        self.checking = checking
        self.configuration = configuration
    }

    mutating func readDocument(_ document: TOMLTable) {
        for name in document.keys {
            if name == "destination", let array = document[name]?.array {
                configuration.destinations = Self.destinations(array)
                continue
            }
            guard let schema = ConfigurationTable.all.first(where: { $0.name == name }) else {
                reportUnknown(table: name, in: document)
                continue
            }
            guard let table = document[name]?.table else {
                report([name], found: Self.describe(document[name]), .expected("a table, [\(name)]"))
                continue
            }
            readTable(table, schema)
        }
        checkSizes()
    }

    private mutating func readTable(_ table: TOMLTable, _ schema: ConfigurationTable) {
        for name in table.keys {
            guard let value = table[name] else { continue }
            let path = [schema.name, name]
            if let key = schema.keys.first(where: { $0.name == name }) {
                let before = problems.count
                read(value, key.kind, at: path)
                if problems.count == before { good.insert(path.joined(separator: ".")) }
            } else {
                let names = schema.keys.map(\.name)
                report(
                    path, found: "an unknown key",
                    .expected("one of " + names.joined(separator: ", ")),
                    suggestion: NearestWord.to(name, among: names))
            }
        }
    }

    private mutating func reportUnknown(table name: String, in document: TOMLTable) {
        let tables = ConfigurationTable.all.map(\.name)
        // A key that is right but stands above the table it belongs to is a common slip.
        let home = ConfigurationTable.all.first { $0.keys.contains { $0.name == name } }
        report(
            [name], found: document[name]?.table == nil ? "an unknown key" : "an unknown table",
            .expected("one of the tables " + tables.map { "[\($0)]" }.joined(separator: ", ")),
            suggestion: home.map { "\($0.name).\(name)" } ?? NearestWord.to(name, among: tables))
    }

    /// What history may grow to in the end cannot be less than what it may have at ease.
    private mutating func checkSizes() {
        let (soft, hard) = (configuration.store.maxSize, configuration.store.maxSizeHard)
        let written = ["max_size", "max_size_hard"].filter { map.lines[["store", $0]] != nil }
        // A size that was refused is not compared: what stands for it is a default that nobody wrote.
        guard hard < soft, written.allSatisfy({ good.contains("store.\($0)") }) else { return }
        // The one that the file sets is the one to change; of two, the hard one.
        if written.contains("max_size_hard") {
            report(
                ["store", "max_size_hard"], found: Self.quote(ByteSizeText.format(hard)),
                .expected("at least max_size, which is \(ByteSizeText.format(soft))"))
        } else {
            report(
                ["store", "max_size"], found: Self.quote(ByteSizeText.format(soft)),
                .expected("at most max_size_hard, which is \(ByteSizeText.format(hard)) where it is not set"))
        }
    }
}

// MARK: - Values

extension ConfigurationReader {
    private mutating func read(_ value: any TOMLValueConvertible, _ kind: ConfigurationKey.Kind, at path: [String]) {
        switch kind {
        case .flag(let setting):
            guard let flag = value.bool else { return reject(value, at: path, expected: "true or false") }
            configuration[keyPath: setting] = flag
        case .duration(let setting):
            guard let duration = value.string.flatMap(DurationText.parse), duration >= .seconds(1) else {
                let short = value.string.flatMap(DurationText.parse) != nil
                return reject(value, at: path, expected: short ? "at least 1s" : DurationText.expectation)
            }
            configuration[keyPath: setting] = duration
        case .size(let setting):
            let size = value.string.flatMap(ByteSizeText.parse) ?? value.int.map(Int64.init)
            guard let size, size > 0 else {
                return reject(value, at: path, expected: size == nil ? ByteSizeText.expectation : "more than 0")
            }
            configuration[keyPath: setting] = size
        case .file(let setting):
            guard let bytes = value.string.map({ Array($0.utf8) }), bytes.first == slash, bytes.last != slash else {
                return reject(value, at: path, expected: "the absolute path of a file")
            }
            configuration[keyPath: setting] = bytes
        case .directory(let setting):
            guard let bytes = readDirectory(value, at: path) else { return }
            configuration[keyPath: setting] = bytes
        case .optionalDirectory(let setting):
            guard let bytes = readDirectory(value, at: path) else { return }
            configuration[keyPath: setting] = bytes
        case .patterns(let setting, let role):
            guard let patterns = readPatterns(value, role, at: path) else { return }
            configuration[keyPath: setting] = patterns
        }
    }

    private mutating func readDirectory(_ value: any TOMLValueConvertible, at path: [String]) -> [UInt8]? {
        guard let bytes = value.string.map({ Array($0.utf8) }), bytes.first == slash else {
            reject(value, at: path, expected: "the absolute path of a directory")
            return nil
        }
        return PathBytes.withoutTrailingSlashes(bytes)
    }

    private mutating func readPatterns(
        _ value: any TOMLValueConvertible, _ role: ConfigurationKey.PatternRole, at path: [String]
    ) -> [[UInt8]]? {
        let example = role == .root ? #"["/srv/nfs/*-backup"]"# : #"[".nfs*"]"#
        guard let array = value.array else {
            reject(value, at: path, expected: "an array of patterns such as \(example)")
            return nil
        }
        if array.isEmpty, role == .root {
            reject(value, at: path, expected: "at least one pattern such as \(example)")
            return nil
        }
        var patterns: [[UInt8]] = []
        for (index, element) in array.enumerated() {
            let elementLines = map.elementLines[path] ?? []
            let line = index < elementLines.count ? elementLines[index] : nil
            guard let pattern = element.string.map({ Array($0.utf8) }) else {
                reject(element, at: path, line: line, expected: "a pattern in quotes")
                continue
            }
            if let flaw = role == .root ? checking.root(pattern) : checking.exclude(pattern) {
                report(path, line: line, found: Self.describe(element), .flaw(flaw))
                continue
            }
            patterns.append(pattern)
        }
        return patterns
    }

    private var slash: UInt8 { UInt8(ascii: "/") }
}

// MARK: - Problems

extension ConfigurationReader {
    private mutating func reject(
        _ value: any TOMLValueConvertible, at path: [String], line: Int? = nil, expected: String
    ) {
        report(path, line: line, found: Self.describe(value), .expected(expected))
    }

    private mutating func report(
        _ path: [String], line: Int? = nil, found: String, _ correction: ConfigurationProblem.Correction,
        suggestion: String? = nil
    ) {
        problems.append(
            ConfigurationProblem(
                file: file, line: line ?? map.lines[path], key: path.map(Self.keyText).joined(separator: "."),
                found: found, correction, suggestion: suggestion))
    }

    /// A key as it may stand in the file: bare where TOML allows that, else in quotes.
    private static func keyText(_ key: String) -> String {
        let isBare = key.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || Unicode.Scalar(byte).properties.isAlphabetic
                    && byte < 0x80
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        }
        return isBare && !key.isEmpty ? key : quote(key)
    }

    private static func quote(_ text: String) -> String {
        "\"\(TerminalText.of(Array(text.utf8)))\""
    }

    private static func describe(_ value: (any TOMLValueConvertible)?) -> String {
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
