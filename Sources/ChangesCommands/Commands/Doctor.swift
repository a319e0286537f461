import ArgumentParser
import LinuxKernel

/// `changes doctor`: can the tracker do its work on this host?
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks whether the tracker can do its work on this host, and says what to do where it cannot.",
        discussion: """
            Looks at the configuration, the kernel's limits, the roots, the log, the store, the clock, the systemd \
            unit and the destinations; at each of these it logs in once and waits 10 s at most. Changes nothing, and \
            works while the tracker runs. As another user than root it sees less, and says so.

            Exits 0 when there is nothing worse than a note, and 1 with a warning or a problem.
            """)

    @Option(
        help: ArgumentHelp(
            "The configuration file to check with. Default: /etc/nfs-changes/config.toml.", valueName: "file"))
    var config: PathArgument?

    @Option(
        help: ArgumentHelp("A state directory instead of the configuration's, as for `track`.", valueName: "dir"))
    var state: PathArgument?

    @Flag(help: "One JSON object a line: check, state (ok, note, warning, problem), text, remedy.")
    var json = false

    func run() throws {
        let examination = Examination(
            configurationFile: try config?.absolute(option: "--config"),
            stateDirectory: try state?.absolute(option: "--state"))
        let findings = examination.facts().findings
        var output = Output()
        try output.append { buffer in
            if json {
                FindingJSON.append(findings, to: &buffer)
            } else {
                FindingText(isColored: Self.mayColor).append(findings, to: &buffer)
            }
        }
        try output.flush()
        if findings.contains(where: { $0.state >= .warning }) { throw CommandFailure(.failure, "") }
    }

    /// On a terminal, unless `NO_COLOR` is set to anything (no-color.org).
    private static var mayColor: Bool {
        ProcessContext.isTerminal(1) && ProcessContext.environmentVariable("NO_COLOR")?.isEmpty ?? true
    }
}
