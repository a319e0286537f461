import ArgumentParser
import LinuxKernel
import Offsite

/// `changes sync`: brings copies at other places up to date.
struct SyncCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Makes the configured destinations equal to the source.",
        discussion: """
            Copies what the tracker recorded since the last run with rsync: content, deletions, renames, modes, \
            times, symlinks and hard links. Destinations are the [[destination]] tables of the configuration; the \
            README describes them.

            A destination is a mirror: what is deleted here is deleted there. Keep snapshots there.
            """,
        subcommands: [Run.self, Init.self, Pause.self, Resume.self, Reset.self, OrphansCommand.self],
        defaultSubcommand: Run.self)

    /// `changes sync [run]`.
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies what changed (the default).",
            discussion: """
                Exits 0 when the copy is proven to be whole; 1 when paths are quarantined, or deletions or overwritten \
                files are held; 75 when a later try may succeed (the destination cannot be reached or is full) or \
                nothing is proven, although all recorded changes were copied (no tracker answers, a root is missing or held); \
                69 when there is no store; 78 when the copy is another host's. Nothing is lost in any case.

                Deletions are held where they and those of the last day (delete_window) exceed max_delete of a root \
                or of everything, by paths or by bytes. A new generation, that is a name which differs from an older \
                one beside it in its numbers only, balances one that goes, as long as half is left of what the root \
                had a day ago. In a root, fewer than ten paths are held only where they are half of it.

                Existing files are held where twenty or more, with more than max_overwrite of all bytes, were \
                overwritten within that time; one that was already overwritten half of it before or earlier does not \
                count.
                """)

        @OptionGroup var choice: DestinationOptions

        @Flag(help: "Copy what changed and exit (the default).")
        var once = false

        @Flag(help: "Keep running, as a service.")
        var watch = false

        @Flag(help: "Do a full scan: compare every path of the source and of the destination.")
        var full = false

        @Flag(help: "Write nothing anywhere; show what would be done.")
        var dryRun = false

        @Flag(help: "Show how far the transfer is.")
        var progress = false

        @Flag(help: "Delete what is held, and allow all deletions of this run.")
        var allowDeletes = false

        @Flag(help: "Copy the overwritten files that are held.")
        var allowOverwrites = false

        @Flag(
            help:
                "Delete what is gone before anything is sent, for a destination without room; what was renamed is missing there until it was sent again. Snapshots there may keep what is deleted until they expire."
        )
        var makeRoom = false

        func validate() throws {
            guard !(once && watch) else { throw ValidationError("--once and --watch exclude each other") }
            guard !(watch && (full || dryRun || allowDeletes || allowOverwrites || makeRoom)) else {
                throw ValidationError(
                    "--full, --dry-run, --allow-deletes, --allow-overwrites and --make-room are for a single run")
            }
        }

        func run() throws {
            var options = SyncOptions()
            options.full = full
            options.dryRun = dryRun
            options.allowDeletes = allowDeletes
            options.allowOverwrites = allowOverwrites
            options.makeRoom = makeRoom
            let configuration = try choice.configuration()
            let session = SyncSession(
                configuration: configuration, destinations: try choice.destinations(in: configuration),
                options: options, showsProgress: progress)
            try watch ? session.watch() : session.once()
        }
    }

    /// `changes sync init`.
    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prepares a destination: its host's key, and the marker that says whose copy it is.",
            discussion: """
                Without the marker nothing is ever written to a destination: where its volume is not mounted there is \
                none. A target that is not empty is taken over with --adopt: what is there and equal is not sent again, \
                and what the source has not is listed and kept until `changes sync --allow-deletes`.
                """)

        @OptionGroup var choice: DestinationOptions

        @Flag(help: "Take over a target that has files in it, or the marker of another host or store.")
        var adopt = false

        @OptionGroup var hostKeys: HostKeyOptions

        func run() throws {
            let configuration = try choice.configuration()
            for destination in try choice.destinations(in: configuration) {
                try DestinationSetup(configuration: configuration, destination: destination)
                    .run(adopt: adopt, hostKeys: hostKeys)
            }
        }
    }

    /// `changes sync pause`.
    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies nothing until `resume`; changes are kept.")

        @OptionGroup var choice: DestinationOptions

        func run() throws { try choice.withEach { try SyncSwitch($0, in: $1).pause() } }
    }

    /// `changes sync resume`.
    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a pause, and retries quarantined paths at once.")

        @OptionGroup var choice: DestinationOptions

        func run() throws { try choice.withEach { try SyncSwitch($0, in: $1).resume() } }
    }

    /// `changes sync reset`.
    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the next run a full scan, as --full does, and retries quarantined paths.")

        @OptionGroup var choice: DestinationOptions

        func run() throws { try choice.withEach { try SyncSwitch($0, in: $1).reset() } }
    }
}

/// Which destinations a command is about.
struct DestinationOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The destinations. Default: all that are configured.", valueName: "destination"))
    var names: [String] = []

    @OptionGroup var place: ConfigurationOptions

    func configuration() throws -> Configuration { try place.configuration() }

    func destinations(in configuration: Configuration) throws -> [DestinationSettings] {
        let all = configuration.destinations
        if names.isEmpty {
            guard !all.isEmpty else {
                throw CommandFailure(.configuration, "no [[destination]] is configured; the README shows one")
            }
            return all
        }
        return try names.map(configuration.destination(named:))
    }

    func withEach(_ body: (DestinationSettings, [UInt8]) throws -> Void) throws {
        let configuration = try configuration()
        for destination in try destinations(in: configuration) { try body(destination, configuration.store.directory) }
    }
}

/// Where the configuration and the state are.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: PathArgument?

    @Option(help: ArgumentHelp("The state directory of the tracker.", valueName: "dir"))
    var state: PathArgument?

    func configuration() throws -> Configuration {
        var overrides = ConfigurationOverrides()
        overrides.stateDirectory = try state?.absolute(option: "--state")
        do throws(ConfigurationError) {
            return try ConfigurationSource(file: config?.bytes, overrides: overrides).load()
        } catch {
            throw CommandFailure(error)
        }
    }
}

extension Configuration {
    /// - Throws: `CommandFailure` when there is none.
    func destination(named name: String) throws -> DestinationSettings {
        guard let found = destinations.first(where: { $0.name == name }) else {
            let known = destinations.map(\.name).joined(separator: ", ")
            throw CommandFailure(
                .usage, "there is no destination \(name)" + (known.isEmpty ? "" : "; configured: \(known)"))
        }
        return found
    }
}
