import LinuxKernel
import Logging
import Offsite
import SystemdSupport

/// What a worker says: one line a batch, to the journal with a level or on standard error, and how far it is where
/// somebody looks.
final class SyncVoice {
    private let journal = makeJournalLogHandler().map { handler in Logger(label: "changes", factory: { _ in handler }) }
    private let name: String
    private let command: String
    let isOnTerminal: Bool
    private var isProgressShown = false
    private var progress = RsyncProgressReader()

    init(_ name: String, isOnTerminal: Bool, command: String = "sync") {
        self.name = name
        self.command = command
        self.isOnTerminal = isOnTerminal
    }

    /// - Parameter level: for whoever asks the journal for warnings only.
    func say(_ text: String, _ level: Logger.Level = .info) {
        if let journal {
            journal.log(level: level, "\(command) \(name): \(text)", metadata: ["destination": "\(name)"])
            return
        }
        if isProgressShown { StandardError.write(Array("\r\u{1B}[K".utf8)) }
        isProgressShown = false
        progress = RsyncProgressReader()
        Output.complain("changes: \(command) \(name): \(text)")
    }

    func tell(_ event: SyncEvent) {
        switch event {
        case .fullPass(let reason, let isContinued):
            say((isContinued ? "continuing the full scan: " : "full scan: ") + reason)
        case .batch(let batch): say(Self.text(of: batch))
        case .deletionsHeld(let count, let reason):
            say(
                "\(counted(count, "deletion is", plural: "deletions are")) held (\(reason)): list them with `changes sync "
                    + "\(name) --dry-run --allow-deletes`, then run that without --dry-run to delete them there",
                .warning)
        case .overwritesHeld(let count, let reason):
            say(
                "\(counted(count, "overwritten file is", plural: "overwritten files are")) held (\(reason)), and all "
                    + "deletions with them; new files are copied: list them with `changes sync \(name) --dry-run "
                    + "--allow-overwrites`, then run that without --dry-run to copy them",
                .warning)
        case .quarantined(let count, let first):
            let what = count == 1 ? "" : "\(count) paths (`changes status` lists them), the first "
            say("quarantined \(what)\(TerminalText.of(first.path)): \(first.reason)", .warning)
        case .relinked(let count):
            say(
                "linked again: \(counted(count, "file")) whose other names were removed during the transfer",
                .notice)
        case .renamed(let count, let statistics):
            say(
                "\(counted(count, "renamed directory", plural: "renamed directories")), "
                    + "\(ByteSizeText.approximate(statistics.sent)) sent")
        case .roomMade(let count):
            let what = count == 0 ? "parts of cut files removed" : "\(counted(count, "path")) deleted"
            say("\(what) to make room; snapshots at the destination may keep it until they expire", .notice)
        case .notice(let text): say(text, .notice)
        }
    }

    static func text(of batch: BatchReport) -> String {
        var text = "\(counted(batch.paths, "path")), \(ByteSizeText.approximate(batch.statistics.sent)) sent"
        text += ", \(batch.deleted) deleted, \(batch.linked) linked"
        if batch.postponed > 0 { text += ", \(batch.postponed) postponed" }
        if batch.heldDeletions > 0 { text += ", \(counted(batch.heldDeletions, "deletion")) held" }
        if batch.heldOverwrites > 0 { text += ", \(counted(batch.heldOverwrites, "overwritten file")) held" }
        if batch.quarantined > 0 { text += ", \(batch.quarantined) quarantined" }
        let tenths = Int((batch.seconds * 10).rounded())
        return text + ", \(tenths / 10).\(tenths % 10) s"
    }

    func summarize(_ report: SyncReport, dryRun: Bool) {
        if dryRun {
            say("would send \(counted(report.paths, "path")) and delete \(report.deleted)")
            return
        }
        var text = "up to date"
        if report.batches > 0 { text += " after \(counted(report.batches, "batch", plural: "batches"))" }
        if !report.isComplete { text = "finished, but \(report.shortfall)" }
        for doubt in report.doubts { say("not proven: \(doubt)", .warning) }
        if !report.doubts.isEmpty, report.isComplete { text = "all recorded changes are copied" }
        if report.waiting > 0 { text += "; \(counted(report.waiting, "path")) postponed: still being written, or gone" }
        say(text)
    }

    /// What a dry run would do, on standard output.
    func show(_ plan: BatchPlan) {
        var text = ""
        for unit in plan.units + plan.clones.flatMap(\.units) {
            for path in unit.paths { text += "put     \(TerminalText.of(path))\n" }
        }
        for path in plan.gone { text += "delete  \(TerminalText.of(path))\n" }
        for path in plan.held { text += "held    \(TerminalText.of(path))\n" }
        try? Output.write(text)
    }

    /// - Parameter bytes: what rsync says with `--info=progress2`.
    func showProgress(_ bytes: ArraySlice<UInt8>) {
        guard let progress = progress.take(bytes) else { return }
        isProgressShown = true
        StandardError.write(Array("\r\(name): \(ProgressText.of(progress))\u{1B}[K".utf8))
    }
}
