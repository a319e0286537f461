import ArgumentParser

/// `changes check-config`: reads the configuration and nothing else.
struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Checks the configuration file and prints the settings that follow from it.",
        discussion: "Exits 78 when the file cannot be used, with one line for each thing that is wrong.")

    @Option(
        help: ArgumentHelp("The file to check. Default: /etc/nfs-changes/config.toml.", valueName: "file"))
    var config: PathArgument?

    @Flag(help: "Print a configuration file with every key commented out, its default and what it means.")
    var printDefault = false

    func validate() throws {
        if printDefault && config != nil { throw ValidationError("--print-default reads no file: remove --config") }
    }

    func run() throws {
        if printDefault { return try Output.write(DefaultConfigurationText.toml) }
        let source = ConfigurationSource(file: config?.bytes)
        let file = TerminalText.of(source.file)
        let configuration: Configuration?
        do throws(ConfigurationError) {
            configuration = try source.loadFile()
        } catch {
            throw CommandFailure(error)
        }
        let verdict = configuration == nil ? "no such file, so the defaults hold" : "ok"
        try Output.write("\(file): \(verdict)\n\n\(ConfigurationText.toml(configuration ?? .defaults))")
    }
}
