import ArgumentParser
public import Logging

/// `changes track`: the daemon.
struct Track: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watches directories and records every change below them.",
        discussion: """
            Runs in the foreground until SIGTERM or SIGINT; SIGHUP rereads the configuration. \
            Flags override the configuration file, also after a reload.
            """)

    @Option(
        help: ArgumentHelp(
            "The configuration file. Without it, /etc/nfs-changes/config.toml is read if it exists.",
            valueName: "file"))
    var config: PathArgument?

    @Option(
        name: .customLong("root"),
        help: ArgumentHelp(
            "A directory to watch, as an absolute glob pattern; may be repeated. Replaces the file's list. "
                + "Default: /srv/nfs/*-backup.", valueName: "pattern"))
    var roots: [PathArgument] = []

    @Option(
        name: .customLong("exclude"),
        help: ArgumentHelp(
            "What not to track, as a pattern in the manner of .gitignore; may be repeated. Replaces the file's "
                + "list. Default: .nfs*.", valueName: "pattern"))
    var excludes: [PathArgument] = []

    @Option(
        help: ArgumentHelp(
            "The file that changed paths are appended to. Default: /mnt/backup/.nfs-changes.log.", valueName: "file"))
    var log: PathArgument?

    @Option(
        help: ArgumentHelp(
            "The state directory. Default: $STATE_DIRECTORY, else /var/lib/nfs-changes.", valueName: "dir"))
    var state: PathArgument?

    @Option(
        help: ArgumentHelp(
            "Write the log only while this directory is a mount point; \"\" takes back what the file says.",
            valueName: "dir"))
    var requireMount: PathArgument?

    @Flag(help: "Log every path that exists when the store is new.")
    var emitExisting = false

    @Option(help: ArgumentHelp("The least severe messages to write.", valueName: "level"))
    var logLevel = LogLevel.info

    func validate() throws {
        for root in roots {
            if let flaw = PatternChecking.standard.root(root.bytes) {
                throw ValidationError("--root \(TerminalText.of(root.bytes)): \(flaw)")
            }
        }
        for exclude in excludes {
            if let flaw = PatternChecking.standard.exclude(exclude.bytes) {
                throw ValidationError("--exclude \(TerminalText.of(exclude.bytes)): \(flaw)")
            }
        }
        if log?.bytes.last == UInt8(ascii: "/") { throw ValidationError("--log names a directory; it takes a file") }
    }

    func run() throws { try runTracker(settings()) }

    /// The settings that the flags and the configuration file come to.
    func settings() throws -> TrackSettings {
        var overrides = ConfigurationOverrides()
        if !roots.isEmpty { overrides.roots = roots.map(\.bytes) }
        if !excludes.isEmpty { overrides.exclude = excludes.map(\.bytes) }
        overrides.logPath = try log?.absolute(option: "--log")
        overrides.stateDirectory = try state?.absolute(option: "--state")
        if let requireMount {
            overrides.requireMount =
                requireMount.bytes.isEmpty ? [] : try requireMount.absolute(option: "--require-mount")
        }
        // Absolute, so that a reload finds the same file whatever the working directory is by then.
        let source = ConfigurationSource(file: try config?.absolute(option: "--config"), overrides: overrides)
        do throws(ConfigurationError) {
            return TrackSettings(
                configuration: try source.load(), source: source, emitExisting: emitExisting,
                logLevel: logLevel.level)
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// Everything that `changes track` was told.
public struct TrackSettings: Sendable {
    /// The effective settings at the start.
    public var configuration: Configuration
    /// Where they came from; a reload calls its `load`.
    public var source: ConfigurationSource
    /// Whether the first walk of a new store logs what it finds.
    public var emitExisting: Bool
    public var logLevel: Logger.Level
}
