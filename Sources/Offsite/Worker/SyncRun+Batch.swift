import ChangeStore
import LinuxKernel
import SystemPackage

/// Carrying out one batch.
extension SyncRun {
    /// Puts, then deletions, then the parents of what was deleted, then the commit.
    ///
    /// - Parameter facts: by absolute path: what the plan was made from.
    func carry(
        _ plan: BatchPlan, _ survey: BatchSurvey, _ facts: [[UInt8]: PathFacts], _ commit: ConsumerCommit
    ) throws {
        if options.dryRun { return try describe(plan, facts) }
        let start = MonotonicTime.now
        var batch = BatchReport()
        var plan = plan
        var commit = commit
        commit.done = Array(facts.keys)
        try keep(plan.postponed, in: &commit, &batch)
        batch.postponed = plan.postponed.count
        try quarantineUnrepresentable(in: &plan, facts, &commit, &batch)
        try holdOverwrites(&plan, facts, &commit, &batch)
        if !plan.units.isEmpty { try link.checkRoom(link.room) }

        if !plan.isEmpty {
            try begin(plan, commit)
        }
        // A full pass makes several batches durable at once.
        if plan.isOneRun, commit.fullPass == nil { link.contact.sealing = Self.sequence(of: commit).map(self.marker) }
        try removeReplaced(plan, &batch)
        var unsent = try makeClones(&plan, &batch)
        for isForced in [false, true] {
            let units = plan.units.filter { $0.isForced == isForced }
            if !units.isEmpty { unsent.add(try put(units, isForced: isForced, &batch)) }
        }
        try relink(unsent.split, survey, &batch)
        try quarantine(unsent.failed, facts, &commit, &batch)
        plan.gone += keepVanished(unsent.vanished, facts, &commit)
        plan.gone.sort(by: BatchPlan.precedes)
        try delete(plan, facts, &commit, &batch)

        guard try isStillValid(commit) else { return }
        if let due = deferred.add(commit, isSent: !plan.isEmpty, at: .now) { try conclude(due) }
        batch.seconds = Double(MonotonicTime.now - start) / 1e9
        batch.cursor = commit.through ?? commit.fullPass?.through ?? 0
        if let first = batch.firstQuarantined { context.tell(.quarantined(batch.quarantined, first: first)) }
        report.batches += 1
        report.paths += batch.paths
        report.deleted += batch.deleted
        report.statistics = report.statistics + batch.statistics
        context.tell(.batch(batch))
    }

    /// Notes what has to be known should this batch not come to its end.
    private func begin(_ plan: BatchPlan, _ commit: ConsumerCommit) throws {
        var notes: [String: [UInt8]] = [Note.running: [1]]
        if let sequence = Self.sequence(of: commit) { notes[Note.announced] = try announcement(sequence) }
        let directories = plan.units.filter { $0.bytes > 0 || $0.isLinked }.flatMap(\.paths).map(BatchPlan.parent(of:))
        try consumer.notePartials(in: Set(directories), notes: notes)
    }

    /// The row that the marker names after a batch.
    static func sequence(of commit: ConsumerCommit) -> Int64? { commit.through ?? commit.fullPass?.through }

    func marker(_ sequence: Int64) -> DestinationMarker {
        DestinationMarker(destination: settings.name, machine: context.machine, store: uuid, cursor: sequence)
    }

    /// Rows that were read may have been removed by retention before all of them were.
    private func isStillValid(_ commit: ConsumerCommit) throws -> Bool {
        guard commit.through != nil, commit.fullPass == nil else { return true }
        if case .at = try consumer.standing(in: reader) { return true }
        context.tell(.notice("history was removed while it was read: a full scan follows"))
        return false
    }

    func describe(_ plan: BatchPlan, _ facts: [[UInt8]: PathFacts] = [:]) throws {
        var plan = plan
        if !mayDelete {
            plan.held = (plan.gone + plan.covered).filter { bar(of: context.scope.absolute($0)) != nil }
            plan.gone.removeAll { bar(of: context.scope.absolute($0)) != nil }
        }
        plan.held += try takeOverwrites(from: &plan, facts).flatMap(\.paths)
        report.paths += (plan.units + plan.clones.flatMap(\.units)).reduce(0) { $0 + $1.paths.count }
        report.deleted += plan.gone.count
        context.planned?(plan)
    }

    private func keep(
        _ postponed: [BatchPlan.Postponed], in commit: inout ConsumerCommit, _ batch: inout BatchReport
    ) throws {
        for item in postponed {
            let reason =
                switch item.reason {
                case .unsettled: "being written"
                case .absent: "not there, and not known to be deleted"
                case .unreadable(let code): "cannot be looked at (\(Errno(rawValue: code)))"
                case .rootAway: "its root is missing or another directory"
                }
            let path = context.scope.absolute(item.path)
            // Nothing that passes by itself: a copy that lacks it is no success.
            if case .unreadable = item.reason {
                try quarantine(path, item.facts, reason, &commit, &batch)
                continue
            }
            commit.kept.append(ConsumerWork(path, item.facts, .waiting, due: item.due, reason: reason))
        }
    }

    // MARK: Parts of files

    /// Notes that the run has come to its end, with no part of a file left that an earlier one made where it was
    /// interrupted.
    func finish() throws {
        guard try consumer.note(Note.running) != nil else { return }
        if try consumer.note(Note.partial) != nil {
            guard var look = try? SourceLook(source: settings.source) else {
                return try consumer.setNote(Note.running, nil)
            }
            try removeParts(&look)
        }
        try consumer.forgetPartials(notes: [Note.partial, Note.running])
    }

    func removeParts(_ look: inout SourceLook) throws {
        while true {
            let directories = try consumer.partials(atMost: 2_000)
            if directories.isEmpty { return }
            // Those of a directory that is gone went with it.
            let present = directories.filter { directory in
                guard case .present(let status) = look.state(of: directory) else { return false }
                return status.isDirectory
            }
            let paths = present.map { $0 + [UInt8(ascii: "/")] + DestinationLink.partialName }
            if !paths.isEmpty {
                let outcome = try link.delete(paths, atMost: 10_000)
                try link.check(outcome, "removing parts of files")
                // It changes the directory's time.
                if outcome.statistics.deleted > 0 {
                    let put = try link.put(
                        BatchPlan.paths(of: present.filter { !$0.isEmpty }.map { BatchPlan.Unit([$0]) }),
                        isForced: false, mayReplaceDirectories: false)
                    if put.verdict != .partial { try link.check(put, "putting back the times of directories") }
                }
            }
            try consumer.forgetPartials(in: directories)
        }
    }
}
