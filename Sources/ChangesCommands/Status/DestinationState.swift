import ChangeStore
import LinuxKernel
import Offsite

/// What is particular of the consumer of a destination: what waits apart from the history, and why.
struct DestinationState: Equatable {
    /// Paths that wait for their turn: still being written, away, or to be looked at again.
    var waiting: PendingWork?
    /// Paths that failed by themselves.
    var quarantined: PendingWork?
    /// Deletions that wait until somebody allows them.
    var held: PendingWork?
    /// Why; nil when none is held.
    var heldReason: String?
    /// Overwritten files that are held.
    var heldOverwrites: PendingWork?
    /// Why; nil when none is held.
    var heldOverwritesReason: String?
    /// `changes sync pause`.
    var isPaused: Bool
    /// Differences that the last `changes verify` found; nil when there was none.
    var drift: Int64?
    /// Paths at the destination that are no longer copied; nil when nobody looked.
    var orphans: Int64?

    /// - Returns: nil for a consumer that is none of a destination's: only those note anything.
    init?(_ record: ConsumerRecord) {
        guard !record.notes.isEmpty else { return nil }
        waiting = record.work[.waiting]
        quarantined = record.work[.quarantined]
        held = record.work[.heldDeletion]
        isPaused = record.notes[SyncSwitch.pauseNote] != nil
        drift = record.notes[CopyExamination.driftNote].flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        orphans = OrphanList.count(record.notes)
        heldOverwrites = record.work[.heldOverwrite]
        // Written by the worker, but for people all the same: escaped where it is shown. That of each run comes before
        // what was noted beside a path, which may be old.
        func reason(_ keys: [String], _ work: PendingWork?) -> String? {
            guard let work else { return nil }
            return keys.compactMap { record.notes[$0] }.first.map { String(decoding: $0, as: UTF8.self) }
                ?? work.shown.first?.reason
        }
        heldOverwritesReason = reason(["mass-overwrite"], heldOverwrites)
        heldReason = reason(["deletion-bar", "mass-overwrite", "mass-deletion"], held)
        for index in held?.shown.indices ?? 0..<0 { held?.shown[index].reason = heldReason ?? "" }
        for index in heldOverwrites?.shown.indices ?? 0..<0 {
            heldOverwrites?.shown[index].reason = heldOverwritesReason ?? ""
        }
    }

    /// What is wrong, each with its remedy.
    func reasons(_ name: String) -> [String] {
        var reasons: [String] = []
        if isPaused { reasons.append("it is paused: `changes sync resume \(name)` ends that") }
        if let quarantined {
            let first = quarantined.shown.first.map { ", first \(TerminalText.of($0.path)): \($0.reason)" } ?? ""
            reasons.append(
                "\(Self.paths(quarantined.count)) quarantined\(first); mend the cause, then "
                    + "`changes sync resume \(name)` tries again at once")
        }
        if let held {
            reasons.append(
                "\(Self.deletions(held.count)) held (\(heldReason ?? "")) and wait for `changes sync \(name) "
                    + "--allow-deletes`; look at them with `--dry-run --allow-deletes` first")
        }
        if let heldOverwrites {
            let files =
                heldOverwrites.count == 1 ? "1 overwritten file is" : "\(heldOverwrites.count) overwritten files are"
            reasons.append(
                "\(files) held (\(heldOverwritesReason ?? "")) and wait for `changes sync \(name) --allow-overwrites`; "
                    + "if that was malware, the copy still has what was there: `changes restore`")
        }
        if let drift, drift > 0 {
            reasons.append(
                "the last verification found \(drift) \(drift == 1 ? "difference" : "differences"): "
                    + "`changes verify \(name) --repair` ends them")
        }
        return reasons
    }

    /// `3 paths are`
    static func paths(_ count: Int64) -> String { "\(count) \(count == 1 ? "path is" : "paths are")" }
    static func deletions(_ count: Int64) -> String { "\(count) \(count == 1 ? "deletion is" : "deletions are")" }
}
