import ChangeStore
import LinuxKernel

/// A destination without room: what is gone here may be what fills it.
extension SyncRun {
    /// Deletes what is gone before anything is sent. What was renamed or has a new name only is gone from the copy then until
    /// it has been sent again, which is why nobody does this unasked.
    ///
    /// - Throws: `StoreError`; `SyncFailure`: `.destinationFull` when that did not make enough.
    func makeRoom(after first: Int64, through end: Int64) throws {
        guard mayDelete else { return try link.checkRoom(report.room) }
        var batch = BatchReport()
        var cursor = first
        try consumer.setNote(Note.running, [1])
        // What waited until it was allowed.
        let held = try consumer.work(due: .now, in: [.heldDeletion], atMost: BatchSurvey.mostPaths)
        var facts = Dictionary(held.map { ($0.path, PathFacts($0)) }) { first, _ in first }
        while true {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let survey = try self.survey()
            // What is deleted now is found deleted when its batch comes, which commits it.
            var commit = ConsumerCommit(through: cursor)
            try delete(try survey.plan(facts, through: cursor), facts, &commit, &batch)
            guard cursor < end else { break }
            let window = try survey.window(after: cursor, through: end)
            facts = try merge(window.facts)
            cursor = window.through
        }
        context.tell(.roomMade(deleted: batch.deleted))
        report.room = try link.greet().room
        context.roomFound(report.room)
        try link.checkRoom(report.room)
    }
}
