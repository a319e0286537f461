import ArgumentParser
import ChangeStore
import LinuxKernel

/// `changes query`: what changed.
struct Query: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, paths, json, csv
    }

    static let configuration = CommandConfiguration(
        abstract: "Prints what changed: the latest change of each path, the newest last.",
        discussion: """
            --since and --until take \(BoundaryText.expectation). A time without a date is the last time it was so \
            late; times without a zone are local.

            --by and --top count every change and not only the latest of each path.

            Exits 0 with results or none (--exit-code: 1 with none), 69 when there is no store, 75 when --settle \
            finds what cannot be recorded, such as a root that is held or missing.
            """)

    @OptionGroup(title: "Which changes") var what: SelectionOptions

    @Option(
        help: ArgumentHelp(
            """
            table for people; json: one object a line; csv; paths: one a line, control bytes and backslashes as \
            octal escapes (\\012). Default: table.
            """))
    var format: Format?

    @Flag(name: .customShort("0"), help: "Raw paths, each followed by a NUL byte; implies --format paths.")
    var nulTerminated = false

    @Option(help: "By time, the newest last; by size, the largest last; by path.")
    var sort: RowOrder?

    @Option(
        help: ArgumentHelp("At most so many: the newest, the largest, or the first by path.", valueName: "number"))
    var limit: Int?

    @Flag(help: "Print how many there are.")
    var count = false

    @Option(help: "Count changes, and add up their sizes, by root, dir, hour, day or kind.")
    var by: Grouping?

    @Option(help: ArgumentHelp("The directories with the most changes.", valueName: "number"))
    var top: Int?

    @Flag(help: "Go on with what changes, like tail -f. Begins with the last 10, --limit or --since.")
    var follow = false

    @Flag(help: "Answer only when everything that happened before is in the store; needs a running tracker.")
    var settle = false

    @Flag(help: "Exit with 1 when there is nothing.")
    var exitCode = false

    @Option(help: "Colours on the terminal: auto, always, never. NO_COLOR is honoured.")
    var color = ColorChoice.auto

    @OptionGroup var store: StoreOptions

    func validate() throws {
        _ = try what.selection(now: .now, zone: .local)
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1 on") }
        if let top, top < 1 || top > 100_000 { throw ValidationError("--top takes a number from 1 to 100000") }
        let outputs = [(count, "--count"), (by != nil, "--by"), (top != nil, "--top"), (follow, "--follow")]
            .filter(\.0).map(\.1)
        if outputs.count > 1, !(outputs == ["--by", "--top"] && by == .dir) {
            throw ValidationError("\(outputs[0]) and \(outputs[1]) exclude each other")
        }
        if nulTerminated, let format, format != .paths {
            throw ValidationError("-0 writes paths and cannot be had with --format \(format.rawValue)")
        }
        if let summary = outputs.first, summary != "--follow" {
            if nulTerminated || format == .paths { throw ValidationError("\(summary) prints no paths") }
            if sort != nil || limit != nil { throw ValidationError("\(summary) takes neither --sort nor --limit") }
        }
        if follow {
            let conflicts = [
                (what.until != nil, "--until"), (sort != nil, "--sort"), (what.existing, "--existing"),
                (what.gone, "--gone"), (exitCode, "--exit-code"),
            ]
            if let (_, option) = conflicts.first(where: \.0) {
                throw ValidationError("--follow goes on for ever and cannot be had with \(option)")
            }
        }
    }

    func run() throws {
        let zone = Zone.local
        let directory = try store.directory()
        var selection = try what.selection(now: .now, zone: zone)
        let unsettled = settle ? try settleTracker(in: directory) : []
        let reader = try openStore(in: directory)
        let cautions = [try what.resolveScope(in: &selection, reader), try caution(selection, reader)]
        // At once: a reader of the answer may leave before its end, and --follow has none.
        for caution in unsettled + cautions.compactMap(\.self) { Output.complain("changes: \(caution)") }
        var output = Output()
        let found = try answer(selection, zone, reader, directory, to: &output)
        if !unsettled.isEmpty { throw CommandFailure(.temporary, "") }
        if exitCode && found == 0 { throw CommandFailure(.failure, "") }
    }

    private func answer(
        _ selection: Selection, _ zone: Zone, _ reader: StoreReader, _ directory: [UInt8], to output: inout Output
    ) throws -> Int {
        let screen = Screen.standardOutput(color)
        if let grouping = by ?? (top == nil ? nil : .dir) {
            var selection = selection
            selection.isEveryChange = true
            let kind: SummaryFormat.Kind =
                switch format {
                case .json: .json
                case .csv: .csv
                case .table, .paths, nil: .table
                }
            let format = SummaryFormat(kind: kind, grouping: grouping, zone: zone, screen: screen)
            let summary = ChangeSummary(selection: selection, grouping: grouping, top: top, format: format, zone: zone)
            return Int(try summary.run(over: reader, to: &output))
        }
        if count { return try writeCount(try SelectedRows(selection, in: reader).totals(), to: &output) }
        let format = rowFormat(TableFormat(zone: zone, screen: screen))
        if follow {
            var selection = selection
            selection.isEveryChange = true
            let follower = ChangeFollower(
                selection: selection, format: format, backlog: limit ?? 10, stateDirectory: directory)
            try follower.run(to: &output) { Output.complain("changes: \($0)") }
        }
        let listing = ChangeListing(selection: selection, format: format, order: sort ?? .time, limit: limit)
        return try listing.run(over: reader, to: &output)
    }

    private func writeCount(_ totals: Totals, to output: inout Output) throws -> Int {
        switch format {
        case .json:
            try output.append { bytes in
                var object = JSONObjectWriter(to: &bytes)
                object.append("count", number: totals.count, to: &bytes)
                object.append("bytes", number: totals.bytes, to: &bytes)
                object.end(to: &bytes)
                bytes.append(UInt8(ascii: "\n"))
            }
        case .csv: try output.append("count,bytes\n\(totals.count),\(totals.bytes)\n")
        case .table, .paths, nil: try output.append("\(totals.count)\n")
        }
        try output.flush()
        return Int(totals.count)
    }

    private func rowFormat(_ table: TableFormat) -> ChangeFormat {
        if nulTerminated { return .nulTerminatedPaths }
        return switch format {
        case .table, nil: .table(table)
        case .paths: .paths
        case .json: .json
        case .csv: .csv
        }
    }

    /// What whoever asked should know about the answer: that it is empty because the history is another one.
    private func caution(_ selection: Selection, _ reader: StoreReader) throws -> String? {
        guard case .sequence(let sequence)? = selection.since else { return nil }
        let last = try reader.lastSequence
        guard sequence > last else { return nil }
        return """
            seq:\(sequence) is ahead of this store, whose last change is seq:\(last): the store was replaced, or the \
            number is another store's; what came before is asked for without --since
            """
    }
}
