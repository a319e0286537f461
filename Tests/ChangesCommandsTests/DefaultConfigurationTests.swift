import Testing

@testable import ChangesCommands
@testable import Offsite

/// The printed default configuration against what the program accepts.
@Suite struct DefaultConfigurationTests {
    private struct Key {
        var header: String
        var name: String
        var line: String
        var explanation: String
        var isSet: Bool { !explanation.contains("Not set by default") }
        var isRequired: Bool { explanation.contains("Required.") }
    }

    private static let keys: [Key] = {
        var header = ""
        var explanation = ""
        var keys: [Key] = []
        for line in DefaultConfigurationText.toml.split(separator: "\n").map(String.init) {
            let bare = line.hasPrefix("#") ? String(line.dropFirst()) : line
            if bare.hasPrefix(" ") {
                explanation = bare
            } else if bare.hasPrefix("[") {
                header = bare
            } else {
                let name = String(bare.prefix { $0 != " " })
                keys.append(Key(header: header, name: name, line: bare, explanation: explanation))
                explanation = ""
            }
        }
        return keys
    }()

    private func parse(_ text: String) throws -> Configuration {
        try ConfigurationFile.parse(text: Array(text.utf8), file: "c.toml", base: Configuration())
    }

    /// A table with what it requires and the lines given.
    private func table(_ header: String, _ lines: [String], daemon: Bool) -> String {
        let required = Self.keys.filter { $0.header == header && $0.isRequired }.map { key in
            daemon && key.name == "target" ? #"target = "rsync://nas/backup/nfs""# : key.line
        }
        return ([header] + required + lines).joined(separator: "\n") + "\n"
    }

    @Test func `as it is printed, it changes nothing`() throws {
        #expect(try parse(DefaultConfigurationText.toml) == Configuration())
    }

    @Test func `it has every key that is accepted, and no other`() throws {
        for table in ConfigurationTable.all {
            let printed = Self.keys.filter { $0.header == table.header }.map(\.name)
            #expect(printed.sorted() == table.names.sorted(), "\(table.header)")
        }
        #expect(Self.keys.count == ConfigurationTable.all.map(\.names.count).reduce(0, +))
        for key in DestinationSettings.keys {
            let line = try #require(Self.keys.first { $0.header == "[[destination]]" && $0.name == key.name }).line
            for name in key.innerNames { #expect(line.contains(" \(name) = ")) }
        }
    }

    @Test func `each key alone is accepted, and is the default unless it says otherwise`() throws {
        for key in Self.keys where !key.isRequired {
            #expect(!key.explanation.isEmpty, "\(key.line)")
            let daemon = key.name == "password_file"
            let without = try parse(table(key.header, [], daemon: daemon))
            let with = try parse(table(key.header, [key.line], daemon: daemon))
            #expect((with == without) == key.isSet, "\(key.line)")
        }
    }
}
