import ArgumentParser

/// `changes status`: how everything is.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how the tracker, its log, its store and its consumers are.",
        discussion: """
            Exits 0 when all is well, 1 when something is degraded, 2 when no tracker runs (what the store holds is \
            shown all the same), 74 when the tracker cannot be asked.
            """)

    @Flag(help: "One JSON object.")
    var json = false

    @Option(help: "Colours on the terminal: auto, always, never. NO_COLOR is honoured.")
    var color = ColorChoice.auto

    @OptionGroup var store: StoreOptions

    func run() throws {
        let status = Status.now(of: try store.directory())
        var output = Output()
        try output.append { bytes in
            bytes +=
                json
                ? StatusJSON.write(status)
                : StatusText.write(status, screen: .standardOutput(color), zone: .local)
        }
        try output.flush()
        if status.exitStatus != .success { throw CommandFailure(status.exitStatus, "") }
    }
}
