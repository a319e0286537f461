import ChangeStore
import LinuxKernel

/// Carrying everything: the first time, with another store, after a gap in the history, or when asked.
extension SyncRun {
    /// Every path of the index goes through the normal batches, and then what the destination has beyond it is found.
    func carryEverything(_ reason: Consumer.Standing.Reason) throws {
        var pass: Consumer.FullPass
        if let known = try consumer.fullPass(in: reader) {
            pass = known
        } else {
            pass = Consumer.FullPass(through: try reader.lastSequence)
            if !options.dryRun { try consumer.setFullPass(pass, store: uuid) }
        }
        context.tell(.fullPass(Self.words(reason), isContinued: !pass.path.isEmpty))
        var isMore = true
        while isMore {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let survey = self.survey()
            let (facts, last) = try nextPaths(after: pass.path)
            isMore = last != nil
            if let last { pass.path = last }
            if facts.isEmpty { break }
            let plan = try survey.plan(facts, through: pass.through, isFullPass: true)
            try carry(plan, survey, facts, ConsumerCommit(fullPass: pass))
        }
        if options.dryRun { return }
        try findExtras(through: pass.through)
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
        let source = context.scope.source
        try IndexWalk(stateDirectory: context.stateDirectory).run(after: start) { path, attributes in
            try pulse()
            let isDirectory = attributes.type == .directory
            guard context.scope.relative(path, isDirectory: isDirectory) != nil else {
                // What the source lies in is gone through.
                return isDirectory && RenameMap.rest(of: source, below: path) == nil && path != source
                    ? .skipContents : .next
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

    /// What the destination has and the source has not becomes deletions, which wait for the guards like others.
    private func findExtras(through: Int64) throws {
        let roots = RootCheck(try reader.rootIdentities)
        var look: SourceLook
        do { look = try SourceLook(source: settings.source) } catch {
            throw SyncFailure.sourceAway(settings.source, error)
        }
        var extras: [[UInt8]] = []
        var strangers = 0
        try link.list { path, isDirectory in
            let absolute = context.scope.absolute(path)
            guard context.scope.relative(absolute, isDirectory: isDirectory) != nil else { return }
            switch look.state(of: path) {
            case .missing, .blocked: break
            case .present, .unknown: return
            }
            // Only where a root of the index is what it was: what became of others nobody knows.
            guard roots.present.contains(where: { RenameMap.rest(of: absolute, below: $0) != nil }) else {
                strangers += 1
                return
            }
            extras.append(absolute)
        }
        if strangers > 0 {
            context.tell(
                .notice("the destination has \(strangers) paths that belong to no root; they are left alone"))
        }
        if extras.isEmpty {
            deletionBar = nil
            try consumer.setNote(Note.deletionBar, nil)
        }
        var commit = ConsumerCommit(through: through)
        let gone = PathFacts(
            existedBefore: true, contentChanged: false, exists: false, wasWritten: false, first: .now,
            lastWritten: Timestamp(nanoseconds: 0))
        commit.kept = extras.map {
            ConsumerWork($0, gone, .heldDeletion, due: .now, reason: "the source does not have it")
        }
        try consumer.commit(commit, store: uuid)
    }

    private static func words(_ reason: Consumer.Standing.Reason) -> String {
        switch reason {
        case .first: "it is the first run to this destination"
        case .storeReplaced: "the store is a new one"
        case .historyRemoved: "history that was not carried yet was removed"
        case .requested: "that was asked for"
        }
    }
}
