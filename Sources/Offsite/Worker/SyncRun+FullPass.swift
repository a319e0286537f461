import ChangeStore
import LinuxKernel

/// Copying everything: the first time, with another store, after a gap in the history, or when asked.
extension SyncRun {
    /// Every path of the index goes through the normal batches, and then what the destination has beyond it is found.
    func carryEverything(_ reason: Consumer.Standing.Reason) throws {
        var pass: Consumer.FullPass
        if let known = try consumer.fullPass(in: reader) {
            pass = known
        } else {
            pass = Consumer.FullPass(through: try startOfFullPass())
            if !options.dryRun {
                let isEmpty = try consumer.cursor(inStore: uuid) == nil && link.isEmpty()
                try consumer.setNote(Note.emptyCopy, isEmpty ? [1] : nil)
                try consumer.setFullPass(pass, store: uuid)
            }
        }
        isFirstCopy = try consumer.note(Note.emptyCopy) != nil
        defer { isFirstCopy = false }
        context.tell(.fullPass(Self.words(reason), isContinued: !pass.path.isEmpty))
        var isMore = true
        while isMore {
            try beginBatch()
            let survey = try self.survey()
            let (facts, last) = try nextPaths(after: pass.path)
            isMore = last != nil
            if let last { pass.path = last }
            if facts.isEmpty { break }
            let pending = try merge(facts)
            let plan = try survey.plan(pending, through: pass.through, isFullPass: true)
            try carry(plan, survey, pending, ConsumerCommit(fullPass: pass))
        }
        if let due = deferred.take() { try conclude(due) }
        if !options.dryRun, isFirstCopy {
            // Whatever was sent and is gone by now, later rows tell of.
            try liftDeletionBar()
            try note(OrphanList())
            try commitFullPass(through: pass.through, extras: [])
            try consumer.setNote(Note.emptyCopy, nil)
        } else {
            try findExtras(through: pass.through)
        }
    }

    /// Rows that were not carried yet know which contents changed: they come after a full pass.
    private func startOfFullPass() throws -> Int64 {
        let last = try reader.lastSequence
        guard let cursor = try consumer.cursor(inStore: uuid) else { return last }
        if let kept = try reader.rowBeforeGap(around: cursor) { return max(kept, try reader.firstKept) }
        return try cursor >= reader.firstKept ? min(cursor, last) : last
    }

    /// The next paths of the index, as what may be anything at the destination.
    ///
    /// - Returns: the last of them when there are more.
    private func nextPaths(after start: [UInt8]) throws -> (facts: [[UInt8]: PathFacts], last: [UInt8]?) {
        let now = Timestamp.now
        let pending = PathFacts(
            existedBefore: true, contentChanged: false, exists: true, wasWritten: false, first: now,
            lastWritten: Timestamp(nanoseconds: 0))
        var facts: [[UInt8]: PathFacts] = [:]
        var bytes: Int64 = 0
        var last: [UInt8] = []
        var isCut = false
        try IndexWalk(stateDirectory: context.stateDirectory).run(after: start) { path, attributes in
            try pulse()
            let isDirectory = attributes.type == .directory
            guard context.scope.relative(path, isDirectory: isDirectory) != nil else {
                return !isDirectory || context.scope.isAbove(path) ? .next : .skipContents
            }
            if facts.count >= BatchSurvey.mostPaths || bytes >= BatchSurvey.mostBytes {
                isCut = true
                return .stop
            }
            if attributes.type == .file { bytes += attributes.size / Int64(max(1, attributes.linkCount)) }
            facts[path] = pending
            last = path
            return .next
        }
        return (facts, isCut ? last : nil)
    }

    /// What the destination has and the source has not becomes deletions, which wait for the guards like others; what is
    /// there and not copied any more is noted.
    private func findExtras(through: Int64) throws {
        var standing = try CopyStanding(context.scope, reader, stateDirectory: context.stateDirectory)
        var missing: Set<[UInt8]> = []
        var orphans = OrphanList()
        var strangers = 0
        var failure: (any Error)?
        func visit(_ path: [UInt8], _ isDirectory: Bool) throws {
            try pulse()
            switch orphans.top(of: path) == nil ? try standing.answer(path, isDirectory: isDirectory) : .orphan {
            case .copied: break
            case .gone: missing.insert(context.scope.absolute(path))
            case .orphan: orphans.add(path)
            case .unknown: strangers += 1
            case .stranger:
                strangers += 1
                // What a guard holds is no orphan: it is to be deleted, or not.
                let work = try consumer.work(about: context.scope.absolute(path))
                if work?.state != .heldDeletion { orphans.add(path) }
            }
        }
        try link.list { path, isDirectory in
            guard failure == nil else { return }
            do { try visit(path, isDirectory) } catch { failure = error }
        }
        if let failure { throw failure }
        if !options.dryRun { try note(orphans) }
        let extras = try withoutKnown(missing, after: through).sorted(by: BatchPlan.precedes)
        if options.dryRun {
            var plan = BatchPlan()
            plan.gone = extras.compactMap { context.scope.relative($0, isDirectory: nil) }
            return try describe(plan)
        }
        if missing.isEmpty, strangers == 0 { try liftDeletionBar() }
        try commitFullPass(through: through, extras: extras)
    }

    private func liftDeletionBar() throws {
        deletionBar = nil
        try consumer.setNote(Note.deletionBar, nil)
    }

    /// - Parameter extras: what the destination has and the source has not.
    private func commitFullPass(through: Int64, extras: [[UInt8]]) throws {
        var commit = ConsumerCommit(through: through)
        let gone = PathFacts(
            existedBefore: true, contentChanged: false, exists: false, wasWritten: false, first: .now,
            lastWritten: Timestamp(nanoseconds: 0))
        commit.kept = extras.map {
            ConsumerWork($0, gone, .heldDeletion, due: .now, reason: "the source does not have it")
        }
        try consumer.commit(commit, store: uuid)
    }

    /// Leaves out what the index has, though it cannot be seen now (a file system that is not mounted), and what later
    /// rows tell of.
    private func withoutKnown(_ paths: Set<[UInt8]>, after sequence: Int64) throws -> Set<[UInt8]> {
        if paths.isEmpty { return [] }
        var rest = paths
        try IndexWalk(stateDirectory: context.stateDirectory).run { path, _ in
            try pulse()
            rest.remove(path)
            return rest.isEmpty ? .stop : .next
        }
        var path: [UInt8] = []
        try reader.run(HistoryScan(after: sequence, through: try reader.lastSequence)) { row in
            path.removeAll(keepingCapacity: true)
            row.appendPath(to: &path)
            if row.kind != .untracked { rest.remove(path) }
            return rest.isEmpty ? .stop : .next
        }
        return rest
    }

    private static func words(_ reason: Consumer.Standing.Reason) -> String {
        switch reason {
        case .first: "it is the first run to this destination"
        case .storeReplaced: "the store is a new one"
        case .historyRemoved: "history that was not copied yet was removed"
        case .historyLost: "a power loss took back history that was copied already"
        case .requested: "it was requested"
        }
    }
}
