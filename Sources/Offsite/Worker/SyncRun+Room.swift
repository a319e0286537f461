import ChangeStore
import LinuxKernel

/// A destination without room: what is gone here may be what fills it.
extension SyncRun {
    /// Deletes what is gone before anything is sent. What was renamed or has a new name only is gone from the copy then until
    /// it has been sent again, which is why nobody does this unasked.
    ///
    /// - Returns: whether anything was deleted.
    /// - Throws: `StoreError`; `SyncFailure`: `.destinationFull` when that did not make enough.
    func makeRoom(after first: Int64, through end: Int64) throws -> Bool {
        if let bar = barText {
            context.tell(.notice("nothing is deleted to make room (\(bar)): add --allow-deletes once that is right"))
            try link.checkRoom(report.room)
            return false
        }
        var batch = BatchReport()
        var cursor = first
        try consumer.setNote(Note.running, [1])
        // What is deleted now is found deleted when its batch comes, which commits it.
        func remove(_ facts: [[UInt8]: PathFacts], _ survey: BatchSurvey) throws {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            var commit = ConsumerCommit(through: cursor)
            try delete(try survey.plan(facts, through: cursor), facts, &commit, &batch)
        }
        // What waited until it was allowed.
        var count = 0
        while case let held = try consumer.work(
            due: .now, in: [.heldDeletion], atMost: BatchSurvey.mostPaths, after: count), !held.isEmpty
        {
            count += held.count
            try remove(Dictionary(held.map { ($0.path, PathFacts($0)) }) { first, _ in first }, try survey())
        }
        while cursor < end {
            let survey = try self.survey()
            let window = try survey.window(after: cursor, through: end)
            cursor = window.through
            try remove(try merge(window.facts), survey)
        }
        report.deleted += batch.deleted
        report.statistics = report.statistics + batch.statistics
        try removePartsForRoom(deleted: batch.deleted)
        return batch.deleted > 0
    }

    /// Removes parts of files that nobody may finish. Before a full scan is over nothing else is known to be gone.
    ///
    /// - Parameter deleted: paths that were deleted before.
    func removePartsForRoom(deleted: Int = 0) throws {
        if var look = try? SourceLook(source: settings.source) { try removeParts(&look) }
        context.tell(.roomMade(deleted: deleted))
        report.room = try link.greet().room
        context.roomFound(report.room)
        try link.checkRoom(report.room)
    }
}
