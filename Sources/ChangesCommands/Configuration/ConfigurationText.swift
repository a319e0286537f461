/// Writes a configuration as the TOML that would give it: what `check-config` prints.
enum ConfigurationText {
    static func toml(_ configuration: Configuration) -> String {
        ConfigurationTable.all.flatMap { table in
            let bodies =
                switch table.kind {
                case .one(let keys): [lines(keys, of: configuration)]
                case .many(let many): many.write(configuration)
                }
            return bodies.map { "\(table.header)\n\($0)" }
        }.joined(separator: "\n")
    }

    /// The lines of a table, without its header.
    static func lines<Root>(_ keys: [ConfigurationKey<Root>], of root: Root) -> String {
        pairs(keys, of: root).map { $0 + "\n" }.joined()
    }

    /// `key = value` for all that is set and has its place.
    private static func pairs<Root>(_ keys: [ConfigurationKey<Root>], of root: Root) -> [String] {
        keys.filter { $0.condition?.holds(root) ?? true }.compactMap { key in
            switch key.kind {
            case .value(let value): value.write(root).map { "\(key.name) = \($0)" }
            case .table(let inner): "\(key.name) = { \(pairs(inner, of: root).joined(separator: ", ")) }"
            }
        }
    }
}
