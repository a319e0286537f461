/// One key of the configuration file: its name, and which setting of what kind it is.
struct ConfigurationKey: Sendable {
    typealias Setting<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    enum Kind: Sendable {
        case patterns(Setting<[[UInt8]]>, PatternRole)
        case flag(Setting<Bool>)
        case duration(Setting<Duration>)
        case size(Setting<Int64>)
        case file(Setting<[UInt8]>)
        case directory(Setting<[UInt8]>)
        case optionalDirectory(Setting<[UInt8]?>)
    }

    enum PatternRole: Sendable {
        case root
        case exclude
    }

    let name: String
    let kind: Kind

    init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// One table of the configuration file.
struct ConfigurationTable: Sendable {
    let name: String
    let keys: [ConfigurationKey]

    /// Everything that a configuration file may hold; what is read and what `check-config` prints follow from it.
    static let all: [ConfigurationTable] = [
        ConfigurationTable(
            name: "watch",
            keys: [
                ConfigurationKey("roots", .patterns(\.watch.roots, .root)),
                ConfigurationKey("exclude", .patterns(\.watch.exclude, .exclude)),
                ConfigurationKey("one_file_system", .flag(\.watch.oneFileSystem)),
                ConfigurationKey("poll_interval", .duration(\.watch.pollInterval)),
            ]),
        ConfigurationTable(
            name: "log",
            keys: [
                ConfigurationKey("path", .file(\.log.path)),
                ConfigurationKey("require_mount", .optionalDirectory(\.log.requireMount)),
            ]),
        ConfigurationTable(
            name: "store",
            keys: [
                ConfigurationKey("directory", .directory(\.store.directory)),
                ConfigurationKey("keep", .duration(\.store.keep)),
                ConfigurationKey("max_size", .size(\.store.maxSize)),
                ConfigurationKey("max_size_hard", .size(\.store.maxSizeHard)),
            ]),
    ]
}
