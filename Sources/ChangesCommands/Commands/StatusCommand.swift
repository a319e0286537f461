import ArgumentParser
import LinuxKernel

/// `changes status`: how everything is.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Reports the health of the tracker, its log, its store, its consumers and the destinations.",
        discussion: """
            Exits 0 when all is well, 1 when something is degraded, 2 when no tracker runs (what the store holds is \
            shown all the same), 74 when the tracker cannot be asked.

            With --check it is about one part alone, in one line: exits 0 when it is healthy, 1 when it is degraded, \
            2 when it does not run or nothing can be said.
            """)

    @Flag(help: "One JSON object.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Check the tracker, or the destination or consumer of this name, alone.", valueName: "tracker|name"))
    var check: String?

    @Flag(
        help: ArgumentHelp(
            "With --check tracker: tell ping_url of [watch] how the tracker is. One that is not healthy is looked at once more "
                + "after ten seconds, which a restart takes."))
    var ping = false

    @Option(help: "Colours on the terminal: auto, always, never. NO_COLOR is honoured.")
    var color = ColorChoice.auto

    @OptionGroup var store: StoreOptions

    func validate() throws {
        if ping, check != StatusCheck.tracker { throw ValidationError("--ping goes with --check tracker") }
    }

    func run() throws {
        let place = try store.place()
        let url = ping ? try store.pingURL() : nil
        var status = Status.now(of: place.directory, destinations: place.destinations)
        var check = try check.map { try StatusCheck($0, of: status) }
        if url != nil, let first = check, first.status != .success {
            KernelThread.sleep(milliseconds: 10_000)
            status = Status.now(of: place.directory, destinations: place.destinations)
            check = try StatusCheck(first.name, of: status)
        }
        var output = Output()
        try output.append { bytes in
            if let check {
                bytes += json ? check.json : check.text
            } else if json {
                bytes += StatusJSON.write(status)
            } else {
                bytes += StatusText.write(status, screen: .standardOutput(color), zone: .local)
            }
        }
        try output.flush()
        if let url, let check { try TrackerPing.send(check, to: url) }
        let exitStatus = check?.status ?? status.exitStatus
        if exitStatus != .success { throw CommandFailure(exitStatus, "") }
    }
}
