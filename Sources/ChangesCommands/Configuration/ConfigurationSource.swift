/// Settings that flags give and that the file does not get to decide. Nil: the flag was not used.
public struct ConfigurationOverrides: Equatable, Sendable {
    /// Replaces the file's list as a whole.
    public var roots: [[UInt8]]?
    /// Replaces the file's list as a whole.
    public var exclude: [[UInt8]]?
    public var logPath: [UInt8]?
    public var stateDirectory: [UInt8]?
    /// Empty: no mount is required, whatever the file says.
    public var requireMount: [UInt8]?

    public init() {}

    func applied(to base: Configuration) -> Configuration {
        var configuration = base
        if let roots { configuration.watch.roots = roots }
        if let exclude { configuration.watch.exclude = exclude }
        if let logPath { configuration.log.path = logPath }
        if let stateDirectory { configuration.store.directory = stateDirectory }
        if let requireMount { configuration.log.requireMount = requireMount.isEmpty ? nil : requireMount }
        return configuration
    }
}

/// Where the effective settings come from: defaults, then the file, then flags. Kept, so that a reload can ask again.
public struct ConfigurationSource: Equatable, Sendable {
    /// The file.
    public var file: [UInt8]
    /// Whether the file must exist, because somebody named it.
    public var isRequired: Bool
    public var overrides: ConfigurationOverrides

    /// - Parameter file: nil for the standard file, which need not exist.
    public init(file: [UInt8]? = nil, overrides: ConfigurationOverrides = ConfigurationOverrides()) {
        self.file = file ?? ConfigurationFile.standardPath
        self.isRequired = file != nil
        self.overrides = overrides
    }

    /// Reads the file anew.
    ///
    /// - Throws: what is wrong with the file, or that it is missing although it is required.
    public func load() throws(ConfigurationError) -> Configuration {
        overrides.applied(to: try loadFile() ?? .defaults)
    }

    /// The defaults and the file without the flags; nil when the file need not exist and does not.
    func loadFile() throws(ConfigurationError) -> Configuration? {
        let configuration = try ConfigurationFile.load(file, base: .defaults)
        if configuration == nil, isRequired {
            throw ConfigurationError([
                ConfigurationProblem(
                    file: TerminalText.of(file), found: "no such file", expected: "a readable TOML file")
            ])
        }
        return configuration
    }
}
