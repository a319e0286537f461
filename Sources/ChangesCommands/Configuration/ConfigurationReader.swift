import TOMLKit

/// Takes settings out of a parsed document into a `Configuration`, and collects what is wrong with them.
struct ConfigurationReader {
    let file: String
    let map: TOMLLineMap
    let checking: PatternChecking
    private(set) var problems: [ConfigurationProblem] = []
    /// The keys that were read without a problem.
    private var good: Set<TOMLPath> = []

    init(file: String, map: TOMLLineMap, checking: PatternChecking) {
        self.file = file
        self.map = map
        self.checking = checking
    }

    mutating func readDocument(_ document: TOMLTable, into configuration: inout Configuration) {
        for name in document.keys {
            guard let table = ConfigurationTable.all.first(where: { $0.name == name }) else {
                reportUnknown(table: name, in: document)
                continue
            }
            let path: TOMLPath = [.key(name)]
            switch table.kind {
            case .one(let keys):
                guard let content = document[name]?.table else {
                    reject(document[name], at: path, expected: "a table, \(table.header)")
                    continue
                }
                readTable(content, keys, at: path, into: &configuration)
            case .many(let many):
                guard let content = document[name]?.array else {
                    reject(document[name], at: path, expected: "an array of tables, \(table.header)")
                    continue
                }
                many.read(&self, content, path, &configuration)
            }
        }
    }

    /// Reads the tables of an array, each into a value of its own. One that has problems is a value, too, which nobody
    /// gets to see.
    mutating func readTables<Root>(
        _ array: TOMLArray, _ keys: [ConfigurationKey<Root>], at path: TOMLPath, blank: Root
    ) -> [Root] {
        array.enumerated().map { index, element in
            var root = blank
            let elementPath = path + [.index(index)]
            if let table = element.table {
                readTable(table, keys, at: elementPath, into: &root)
            } else {
                reject(element, at: elementPath, expected: "a table")
            }
            return root
        }
    }

    private mutating func readTable<Root>(
        _ table: TOMLTable, _ keys: [ConfigurationKey<Root>], at path: TOMLPath, into root: inout Root
    ) {
        for name in table.keys {
            guard let value = table[name] else { continue }
            if let key = keys.first(where: { $0.name == name }) {
                read(value, key, at: path + [.key(name)], into: &root)
            } else {
                reportUnknown(key: name, of: keys, at: path)
            }
        }
        for key in keys {
            let keyPath = path + [.key(key.name)]
            let value = table[key.name]
            if value == nil, key.isRequired, case .value(let kind) = key.kind {
                report(keyPath, line: map.lines[path], found: "nothing", .expected(kind.expectation))
            }
            // Where the other key is missing or wrong, nobody knows whether this one has its place.
            if let value, let condition = key.condition, isGood(path + [.key(condition.other)]), !condition.holds(root)
            {
                report(keyPath, found: TOMLText.description(of: value), .flaw(condition.flaw))
            }
        }
    }

    private mutating func read<Root>(
        _ value: any TOMLValueConvertible, _ key: ConfigurationKey<Root>, at path: TOMLPath, into root: inout Root
    ) {
        switch key.kind {
        case .value(let kind):
            do throws(ValueFlaws) {
                try kind.read(value, checking, &root)
                good.insert(path)
            } catch {
                for flaw in error.all {
                    let line = flaw.element.flatMap { map.lines[path + [.index($0.index)]] }
                    report(
                        path, line: line, found: flaw.element?.found ?? TOMLText.description(of: value),
                        flaw.correction, suggestion: flaw.suggestion)
                }
            }
        case .table(let keys):
            guard let table = value.table else {
                return reject(value, at: path, expected: "a table with \(key.innerNames.joined(separator: ", "))")
            }
            readTable(table, keys, at: path, into: &root)
        }
    }
}

// MARK: - Problems

extension ConfigurationReader {
    /// Whether the file sets a key, in a way that was understood.
    func isGood(_ path: TOMLPath) -> Bool { good.contains(path) }

    /// Whether what holds for a key is what somebody meant: it is good, or not in the file. What stands for a value that
    /// was refused is a default that nobody wrote.
    func isMeant(_ path: TOMLPath) -> Bool { good.contains(path) || map.lines[path] == nil }

    /// - Parameter line: where the path's own is not the one that is meant.
    mutating func report(
        _ path: TOMLPath, line: Int? = nil, found: String, _ correction: ConfigurationProblem.Correction,
        suggestion: String? = nil
    ) {
        problems.append(
            ConfigurationProblem(
                file: file, line: line ?? map.lines[path], key: TOMLText.key(path), found: found, correction,
                suggestion: suggestion))
    }

    private mutating func reject(_ value: (any TOMLValueConvertible)?, at path: TOMLPath, expected: String) {
        report(path, found: TOMLText.description(of: value), .expected(expected))
    }

    private mutating func reportUnknown<Root>(key name: String, of keys: [ConfigurationKey<Root>], at path: TOMLPath) {
        let names = keys.map(\.name)
        report(
            path + [.key(name)], found: "an unknown key", .expected("one of " + names.joined(separator: ", ")),
            suggestion: keys.first { $0.innerNames.contains(name) }.map { "\($0.name).\(name)" }
                ?? NearestWord.to(name, among: names))
    }

    private mutating func reportUnknown(table name: String, in document: TOMLTable) {
        let tables = ConfigurationTable.all
        // A key that is right but stands above the table it belongs to is a common slip.
        let home = tables.first { $0.names.contains(name) }
        report(
            [.key(name)], found: document[name]?.table == nil ? "an unknown key" : "an unknown table",
            .expected("one of the tables " + tables.map(\.header).joined(separator: ", ")),
            suggestion: home.map { "\($0.name).\(name)" } ?? NearestWord.to(name, among: tables.map(\.name)))
    }
}
