import TOMLKit

/// One key of a table of the configuration file: its name, and which part of a `Root` it sets.
struct ConfigurationKey<Root>: Sendable {
    typealias Setting<Content> = any WritableKeyPath<Root, Content> & Sendable

    let name: String
    let kind: Kind
    /// Whether a table without it is refused.
    private(set) var isRequired = false
    /// nil: the key has its place everywhere.
    private(set) var condition: Condition?

    enum Kind: Sendable {
        case value(Value)
        /// A table inside the table.
        case table([ConfigurationKey])
    }

    struct Value: Sendable {
        let expectation: String
        let read: @Sendable (any TOMLValueConvertible, PatternChecking, inout Root) throws(ValueFlaws) -> Void
        /// The value as TOML; nil for a setting that is not set, which TOML says by saying nothing.
        let write: @Sendable (Root) -> String?
    }

    /// That a key has its place only beside certain values of another.
    struct Condition: Sendable {
        /// The name of the other key, in the same table.
        let other: String
        let holds: @Sendable (Root) -> Bool
        /// What is wrong where it does not hold, and how to mend it.
        let flaw: String
    }

    init<Content>(_ name: String, _ setting: Setting<Content>, _ form: ValueForm<Content>) {
        self.name = name
        kind = .value(
            Value(
                expectation: form.expectation,
                read: { value, checking, root throws(ValueFlaws) in
                    root[keyPath: setting] = try form.read(value, checking)
                },
                write: { form.write($0[keyPath: setting]) }))
    }

    /// A setting that need not be set.
    init<Content>(_ name: String, optional setting: Setting<Content?>, _ form: ValueForm<Content>) {
        self.name = name
        kind = .value(
            Value(
                expectation: form.expectation,
                read: { value, checking, root throws(ValueFlaws) in
                    root[keyPath: setting] = try form.read(value, checking)
                },
                write: { $0[keyPath: setting].map(form.write) }))
    }

    init(_ name: String, table keys: [ConfigurationKey]) {
        self.name = name
        kind = .table(keys)
    }

    /// The names of the keys of a table.
    var innerNames: [String] {
        switch kind {
        case .value: []
        case .table(let keys): keys.map(\.name)
        }
    }

    /// The same key, which must be there.
    var required: ConfigurationKey {
        var key = self
        key.isRequired = true
        return key
    }

    /// The same key, which has its place only where something holds that the key `other` sets.
    func only(for other: String, flaw: String, _ holds: @escaping @Sendable (Root) -> Bool) -> ConfigurationKey {
        var key = self
        key.condition = Condition(other: other, holds: holds, flaw: flaw)
        return key
    }
}

/// A table at the top of the configuration file, or any number of tables of one name.
struct ConfigurationTable: Sendable {
    let name: String
    let kind: Kind

    enum Kind: Sendable {
        /// `[name]`
        case one([ConfigurationKey<Configuration>])
        /// `[[name]]`
        case many(Many)
    }

    /// Tables whose keys set parts of something else than the configuration.
    struct Many: Sendable {
        let names: [String]
        let read: @Sendable (inout ConfigurationReader, TOMLArray, TOMLPath, inout Configuration) -> Void
        /// The lines below each header.
        let write: @Sendable (Configuration) -> [String]
    }

    init(_ name: String, _ keys: [ConfigurationKey<Configuration>]) {
        self.name = name
        kind = .one(keys)
    }

    /// - Parameter blank: what each table begins as.
    init<Element: Sendable>(
        _ name: String, many setting: ConfigurationKey<Configuration>.Setting<[Element]>, blank: Element,
        _ keys: [ConfigurationKey<Element>]
    ) {
        self.name = name
        kind = .many(
            Many(
                names: keys.map(\.name),
                read: { reader, array, path, configuration in
                    configuration[keyPath: setting] = reader.readTables(array, keys, at: path, blank: blank)
                },
                write: { $0[keyPath: setting].map { ConfigurationText.lines(keys, of: $0) } }))
    }

    /// The names of the keys.
    var names: [String] {
        switch kind {
        case .one(let keys): keys.map(\.name)
        case .many(let many): many.names
        }
    }

    /// As it stands in the file.
    var header: String {
        switch kind {
        case .one: "[\(name)]"
        case .many: "[[\(name)]]"
        }
    }
}
