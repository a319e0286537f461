import ArgumentParser
import LinuxKernel

/// `changes query`: what changed.
struct Query: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, paths, json
    }

    static let configuration = CommandConfiguration(
        abstract: "Prints what changed, oldest first.",
        discussion: """
            --since takes \(SinceText.expectation). A time without a date is the last time it was so late; \
            times without a zone are local.

            Exits 0 with results or none, and 69 when there is no store.
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp("Only what changed from then on. Without it, all that history holds.", valueName: "when"))
    var since: String?

    @Option(help: ArgumentHelp("Only this absolute path and what is below it.", valueName: "path"))
    var under: PathArgument?

    @Option(
        help: """
            table for people; paths: one a line, control bytes and backslashes as octal escapes (\\012); \
            json: one object a line. Default: table.
            """)
    var format: Format?

    @Flag(name: .customShort("0"), help: "Raw paths, each followed by a NUL byte; implies --format paths.")
    var nulTerminated = false

    func validate() throws { _ = try query(now: .now) }

    func run() throws {
        let query = try query(now: .now)
        let source = try openChangeSource(in: store.directory())
        if let caution = try query.caution(about: source) { Output.complain("changes: \(caution)") }
        var output = Output()
        try query.run(over: source, to: &output)
    }

    /// What the flags ask for.
    func query(now: Timestamp, zone: Zone = .local) throws -> ChangeQuery {
        var query = ChangeQuery(format: try outputFormat(), zone: zone)
        if let since {
            guard let start = SinceText.parse(since, now: now, zone: zone) else {
                let given = TerminalText.of(ArgumentBytes.bytes(of: since))
                throw ValidationError("--since \(given): expected \(SinceText.expectation)")
            }
            query.since = start
        }
        if let under {
            guard let scope = PathScope(under.bytes) else {
                let given = TerminalText.of(under.bytes)
                throw ValidationError("--under \(given): expected an absolute path without \"..\"")
            }
            query.under = scope
        }
        return query
    }

    private func outputFormat() throws -> ChangeFormat {
        switch (format, nulTerminated) {
        case (nil, true), (.paths, true): .nulTerminatedPaths
        case (let format?, true):
            throw ValidationError("-0 writes paths and cannot be had with --format \(format.rawValue)")
        case (.table, false), (nil, false): .table
        case (.paths, false): .paths
        case (.json, false): .json
        }
    }
}
