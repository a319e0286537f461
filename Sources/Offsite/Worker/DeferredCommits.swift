import ChangeStore
import LinuxKernel

/// Batches of a full pass that were sent and are not committed yet. Making a disk durable takes as long for one batch as for
/// several, so they share it: what an interruption has compared once more is a few seconds' work.
struct DeferredCommits {
    /// A batch, or several: nothing of them may be committed before the destination's disk has them.
    struct Due {
        var commit: ConsumerCommit
        /// Something was sent, so that the marker is to name their row.
        var isSent: Bool
    }

    private var due: Due?
    private var since = MonotonicTime(nanoseconds: 0)

    /// Milliseconds that a batch is deferred.
    private static let longest: Int64 = 10_000
    /// Paths of all of them, for memory's sake.
    private static let mostPaths = 100_000

    /// Adds a batch.
    ///
    /// - Parameter now: when it had been sent.
    /// - Returns: what is to be made durable and committed now; nil while that can be put off.
    mutating func add(_ commit: ConsumerCommit, isSent: Bool, at now: MonotonicTime) -> Due? {
        var sum = due ?? Due(commit: commit, isSent: isSent)
        if due == nil {
            since = now
        } else {
            sum.commit.fullPass = commit.fullPass
            sum.commit.through = commit.through
            sum.commit.done += commit.done
            sum.commit.kept = commit.kept
            sum.commit.notes.merge(commit.notes) { _, new in new }
            sum.isSent = sum.isSent || isSent
        }
        due = sum
        // What a batch keeps is asked for when the next is planned.
        let isDeferred =
            commit.fullPass != nil && commit.kept.isEmpty && sum.commit.done.count < Self.mostPaths
            && now < since.advanced(milliseconds: Self.longest)
        return isDeferred ? nil : take()
    }

    /// Takes what was deferred, as soon as nothing is to be deferred any more.
    mutating func take() -> Due? {
        defer { due = nil }
        return due
    }
}

extension SyncRun {
    /// Makes what was sent durable, and commits it.
    func conclude(_ due: DeferredCommits.Due) throws {
        var commit = due.commit
        if due.isSent, !link.hasShell { try confirmMarker() }
        let marker = due.isSent ? Self.sequence(of: commit).map(self.marker) : nil
        if let marker, link.hasShell {
            // The batch's only receiver may have done that already.
            if !link.contact.isSealed || link.contact.marker != marker { try link.seal(marker) }
            commit.notes[Note.marker] = Array("\(marker.cursor)".utf8)
        }
        try consumer.commit(commit, store: uuid)
        if let marker, !link.hasShell {
            try link.write(marker)
            try consumer.setNote(Note.marker, Array("\(marker.cursor)".utf8))
        }
        if marker != nil { isMarkerStale = false }
    }
}
