import ChangeStore
import LinuxKernel
import SystemPackage

/// Carrying out one batch.
extension SyncRun {
    /// Paths that are isolated one by one before the rest is put aside together: each costs a few runs of rsync.
    static let mostIsolated = 64
    /// Nanoseconds until what failed by itself is tried again, doubled with each failure, up to a day.
    private static let quarantine: Int64 = 3_600_000_000_000
    private static let longestQuarantine: Int64 = 86_400_000_000_000

    /// Puts, then deletions, then the parents of what was deleted, then the commit.
    ///
    /// - Parameter facts: by absolute path: what the plan was made from.
    func carry(
        _ plan: BatchPlan, _ survey: BatchSurvey, _ facts: [[UInt8]: PathFacts], _ commit: ConsumerCommit
    ) throws {
        if options.dryRun { return describe(plan) }
        let start = MonotonicTime.now
        var batch = BatchReport()
        var plan = plan
        var commit = commit
        commit.done = Array(facts.keys)
        try keep(plan.postponed, in: &commit)
        batch.postponed = plan.postponed.count

        if !plan.isEmpty {
            try begin(plan, commit)
        }
        try removeReplaced(plan, &batch)
        for isForced in [false, true] {
            let units = plan.units.filter { $0.isForced == isForced }
            if units.isEmpty { continue }
            let rest = try put(units, isForced: isForced, &batch)
            try quarantine(rest.failed, facts, &commit, &batch)
            plan.gone += keepVanished(rest.vanished, facts, &commit)
        }
        plan.gone.sort(by: BatchPlan.precedes)
        try delete(plan, facts, &commit, &batch)

        guard try isStillValid(commit) else { return }
        let marker = plan.isEmpty ? nil : Self.sequence(of: commit).map(self.marker)
        if let marker, link.hasShell {
            try link.seal(marker)
            commit.notes[Note.marker] = Array("\(marker.cursor)".utf8)
        }
        try consumer.commit(commit, store: uuid)
        if let marker, !link.hasShell {
            try link.write(marker)
            try consumer.setNote(Note.marker, Array("\(marker.cursor)".utf8))
        }
        if marker != nil { isMarkerStale = false }
        batch.seconds = Double(MonotonicTime.now - start) / 1e9
        batch.cursor = commit.through ?? commit.fullPass?.through ?? 0
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
        let directories = plan.units.filter { $0.bytes > 0 }.flatMap(\.paths).map(BatchPlan.parent(of:))
        try consumer.notePartials(in: Set(directories), notes: notes)
    }

    /// The row that the marker names after a batch.
    private static func sequence(of commit: ConsumerCommit) -> Int64? { commit.through ?? commit.fullPass?.through }

    func marker(_ sequence: Int64) -> DestinationMarker {
        DestinationMarker(destination: settings.name, machine: context.machine, store: uuid, cursor: sequence)
    }

    /// Rows that were read may have been removed by retention before all of them were.
    private func isStillValid(_ commit: ConsumerCommit) throws -> Bool {
        guard commit.through != nil, commit.fullPass == nil else { return true }
        if case .at = try consumer.standing(in: reader) { return true }
        context.tell(.notice("history was removed while it was carried; everything is carried next"))
        return false
    }

    func describe(_ plan: BatchPlan) {
        var plan = plan
        if !mayDelete { (plan.held, plan.gone) = (plan.gone + plan.covered, []) }
        report.paths += plan.units.reduce(0) { $0 + $1.paths.count }
        report.deleted += plan.gone.count
        context.planned?(plan)
    }

    // MARK: Puts

    /// What of some units was not sent.
    struct Unsent {
        /// Units that fail by themselves, with what rsync says of them.
        var failed: [(unit: BatchPlan.Unit, reason: String)] = []
        /// Paths that were there when the batch was planned.
        var vanished: [[UInt8]] = []
    }

    /// Sends units; what fails is sent once more, and then in halves, until it is known what it is.
    func put(
        _ units: [BatchPlan.Unit], isForced: Bool, _ batch: inout BatchReport
    ) throws -> Unsent {
        var unsent = Unsent()
        var rest = [(units: units, isSecond: false)]
        while let (units, isSecond) = rest.popLast() {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let paths = BatchPlan.paths(of: units)
            let outcome = try link.put(
                paths, isForced: isForced, mayReplaceDirectories: mayDelete, take: context.progress)
            batch.statistics = batch.statistics + outcome.statistics
            guard outcome.verdict == .partial else {
                try link.check(outcome, "sending \(paths.count) paths")
                batch.paths += units.reduce(0) { $0 + $1.paths.count }
                batch.linked += units.reduce(0) { $0 + ($1.paths.count > 1 ? $1.paths.count - 1 : 0) }
                continue
            }
            if !isSecond {
                // Files come and go: what vanished meanwhile is left out.
                let (present, vanished) = stillPresent(units)
                unsent.vanished += vanished
                if !present.isEmpty { rest.append((present, true)) }
                continue
            }
            if units.count == 1 || unsent.failed.count >= Self.mostIsolated {
                let reason = DestinationLink.display(outcome.errors)
                unsent.failed += units.map { ($0, reason) }
                continue
            }
            let middle = units.count / 2
            rest.append((Array(units[middle...]), true))
            rest.append((Array(units[..<middle]), true))
        }
        return unsent
    }

    /// The units without the paths that are not there any more, and these.
    func stillPresent(_ units: [BatchPlan.Unit]) -> (present: [BatchPlan.Unit], vanished: [[UInt8]]) {
        guard var look = try? SourceLook(source: settings.source) else { return (units, []) }
        var present: [BatchPlan.Unit] = []
        var vanished: [[UInt8]] = []
        for unit in units {
            var paths: [[UInt8]] = []
            for path in unit.paths {
                if case .present = look.state(of: path) { paths.append(path) } else { vanished.append(path) }
            }
            if !paths.isEmpty { present.append(.init(paths, isForced: unit.isForced, bytes: unit.bytes)) }
        }
        return (present, vanished)
    }

    /// A later row says that they were deleted, or none does: then a file system was unmounted, and what it holds is to be
    /// sent when it is back.
    ///
    /// - Returns: those of which the last row says it, and that were there again for a moment only: no later row will.
    private func keepVanished(
        _ vanished: [[UInt8]], _ facts: [[UInt8]: PathFacts], _ commit: inout ConsumerCommit
    ) -> [[UInt8]] {
        var gone: [[UInt8]] = []
        for path in vanished {
            let absolute = context.scope.absolute(path)
            guard let pending = facts[absolute] else { continue }
            guard pending.exists else {
                gone.append(path)
                continue
            }
            commit.kept.append(
                ConsumerWork(
                    absolute, pending, .waiting, due: Timestamp.now.advanced(by: BatchPlanner.absence),
                    reason: "not there, and not known to be deleted"))
        }
        return gone
    }

    private func quarantine(
        _ failed: [(unit: BatchPlan.Unit, reason: String)], _ facts: [[UInt8]: PathFacts],
        _ commit: inout ConsumerCommit, _ batch: inout BatchReport
    ) throws {
        for (unit, reason) in failed {
            for relative in unit.paths {
                let path = context.scope.absolute(relative)
                // Whatever rsync made of it: the next time it is sent anew.
                var pending =
                    facts[path]
                    ?? PathFacts(
                        existedBefore: true, contentChanged: true, exists: true, wasWritten: false, first: .now,
                        lastWritten: Timestamp(nanoseconds: 0))
                pending.contentChanged = true
                try setAside(path, pending, reason, &commit, &batch)
            }
        }
    }

    func setAside(
        _ path: [UInt8], _ facts: PathFacts, _ reason: String, _ commit: inout ConsumerCommit,
        _ batch: inout BatchReport
    ) throws {
        let attempts = (try consumer.work(about: path)?.attempts ?? 0) + 1
        let pause = min(Self.quarantine << min(attempts - 1, 5), Self.longestQuarantine)
        commit.kept.append(
            ConsumerWork(
                path, facts, .quarantined, due: Timestamp.now.advanced(by: pause), attempts: attempts, reason: reason))
        batch.quarantined += 1
        context.tell(.quarantined(path: path, reason: reason))
    }

    private func keep(_ postponed: [BatchPlan.Postponed], in commit: inout ConsumerCommit) throws {
        for item in postponed {
            let reason =
                switch item.reason {
                case .unsettled: "being written"
                case .absent: "not there, and not known to be deleted"
                case .unreadable(let code): "cannot be looked at (errno \(code))"
                case .rootAway: "its root is missing or another directory"
                }
            commit.kept.append(
                ConsumerWork(
                    context.scope.absolute(item.path), item.facts, .waiting, due: item.due, reason: reason))
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

    private func removeParts(_ look: inout SourceLook) throws {
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
