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
    /// Why, as the last run found it; nil when none is held.
    var heldReason: String?
    /// Overwritten files that are held.
    var heldOverwrites: PendingWork?
    /// Why; nil when none is held.
    var heldOverwritesReason: String?
    /// `changes sync pause`.
    var isPaused = false
    /// Differences that the last `changes verify` found; nil when there was none.
    var drift: Int64?
    /// Paths at the destination that are no longer copied; nil when nobody looked.
    var orphans: Int64?
    /// Why metrics do not get where they belong.
    var metricsFailures: [String] = []
    /// The last run failed for nothing but paths that are quarantined or held.
    private var isShortfallNoted = false
    /// When its first run began; nil: none did.
    var firstRun: Timestamp?
    /// Its worker, as that showed itself last; nil: none has yet.
    var worker: WorkerRecord?
    /// How old its last success may be; nil where the configuration does not name it.
    var maxAge: Duration?

    /// That of a destination that has no consumer yet.
    init() {}

    /// - Returns: nil for a consumer that is none of a destination's: only those note anything.
    init?(_ record: ConsumerRecord) {
        guard !record.notes.isEmpty else { return nil }
        func text(_ key: String) -> String? { record.notes[key].map { String(decoding: $0, as: UTF8.self) } }
        waiting = record.work[.waiting]
        quarantined = record.work[.quarantined]
        held = record.work[.heldDeletion]
        isPaused = record.notes[SyncSwitch.pauseNote] != nil
        drift = CopyExamination.drift(in: record)
        metricsFailures = SyncFiguresReporter.Outlet.allCases.compactMap { text($0.rawValue) }
        isShortfallNoted = record.notes[SyncWorker.shortfallNote] != nil
        firstRun = text(SyncWorker.firstRunNote).flatMap { Int64($0) }.map(Timestamp.init(nanoseconds:))
        orphans = OrphanList.count(record.notes)
        heldOverwrites = record.work[.heldOverwrite]
        // Written by the worker, but for people all the same: escaped where it is shown. That of each run comes before
        // what was noted beside a path, which may be old.
        func reason(_ keys: [String], _ work: PendingWork?) -> String? {
            guard let work else { return nil }
            return keys.compactMap(text).first ?? work.shown.first?.reason
        }
        heldOverwritesReason = reason(["mass-overwrite"], heldOverwrites)
        heldReason = reason(["deletion-bar", "mass-overwrite", "mass-deletion"], held)
        for index in held?.shown.indices ?? 0..<0 { held?.shown[index].reason = heldReason ?? "" }
        for index in heldOverwrites?.shown.indices ?? 0..<0 {
            heldOverwrites?.shown[index].reason = heldOverwritesReason ?? ""
        }
    }

    /// Why the last run failed is what stands beside it anyway.
    var isFailedByShortfallAlone: Bool {
        isShortfallNoted && (quarantined != nil || held != nil || heldOverwrites != nil)
    }

    /// A worker lives, as far as this can be seen.
    func hasWorker(now: Timestamp) -> Bool { worker?.isAlive(now: now) ?? false }

    /// There is nothing that would ever bring it up to date: no run has begun, or the worker that went on for ever is gone.
    func isAbandoned(_ consumer: ConsumerLag, now: Timestamp) -> Bool {
        guard maxAge != nil, !hasWorker(now: now) else { return false }
        if let worker { return !worker.endsAfterRun }
        return firstRun == nil && consumer.lastSuccess == nil && consumer.lastFailure == nil
    }

    /// What is wrong, each with its remedy.
    func reasons(_ consumer: ConsumerLag, now: Timestamp) -> [String] {
        let name = consumer.name
        var reasons: [String] = []
        if isPaused { reasons.append("it is paused until `changes sync resume \(name)`") }
        if isAbandoned(consumer, now: now) {
            let what =
                worker.map { "no worker runs: the last one was seen \(Self.ago($0.seen, now))" }
                ?? "it has never run"
            reasons.append("\(what): systemctl enable --now nfs-offsite-sync@\(name)")
        }
        reasons += lateness(consumer, now)
        if let quarantined {
            let first = quarantined.shown.first.map { ", first \(TerminalText.of($0.path)): \($0.reason)" } ?? ""
            reasons.append(
                "\(Self.paths(quarantined.count)) quarantined\(first); correct the cause, then "
                    + "`changes sync resume \(name)` retries at once")
        }
        if let held {
            reasons.append(
                "\(Self.deletions(held.count)) held (\(heldReason ?? "")), awaiting your decision: list them with "
                    + "`changes sync \(name) --dry-run --allow-deletes`, then run that without --dry-run")
        }
        if let heldOverwrites {
            let files =
                heldOverwrites.count == 1 ? "1 overwritten file is" : "\(heldOverwrites.count) overwritten files are"
            reasons.append(
                "\(files) held (\(heldOverwritesReason ?? "")): `changes sync \(name) --allow-overwrites` copies them; "
                    + "if that was malware, the copy still has the old content: `changes restore \(name)`")
        }
        if let drift, drift > 0 {
            reasons.append(
                "the last verification found \(drift) \(drift == 1 ? "difference" : "differences"): "
                    + "`changes verify \(name) --repair` ends them")
        }
        return reasons + metricsFailures
    }

    /// It is behind for longer than it may be.
    private func lateness(_ consumer: ConsumerLag, _ now: Timestamp) -> [String] {
        guard let maxAge else { return [] }
        let longest = maxAge.wholeNanoseconds
        func isOld(_ moment: Timestamp) -> Bool { now.nanoseconds - moment.nanoseconds > longest }
        let limit = "max_age \(DurationText.format(maxAge))"
        if let success = consumer.lastSuccess {
            if isOld(success) { return ["its last success was \(Self.ago(success, now)) (\(limit))"] }
        } else if let firstRun, isOld(firstRun) {
            return ["it has had no success since its first run \(Self.ago(firstRun, now)) (\(limit))"]
        }
        guard let oldest = consumer.oldestPending, isOld(oldest) else { return [] }
        return ["a change of \(Self.ago(oldest, now)) is not copied yet (\(limit))"]
    }

    private static func ago(_ moment: Timestamp, _ now: Timestamp) -> String {
        "\(DurationText.rough(now.nanoseconds - moment.nanoseconds)) ago"
    }

    /// `3 paths are`
    static func paths(_ count: Int64) -> String { "\(count) \(count == 1 ? "path is" : "paths are")" }
    static func deletions(_ count: Int64) -> String { "\(count) \(count == 1 ? "deletion is" : "deletions are")" }
}
