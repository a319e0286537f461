import ChangeStore
import LinuxKernel
import SystemPackage

/// Carrying out one batch.
extension SyncRun {
    /// Paths that are isolated one by one before the rest is put aside together: each costs a few runs of rsync.
    private static let mostIsolated = 64
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
        var commit = commit
        commit.done = Array(facts.keys)
        try keep(plan.postponed, in: &commit)
        batch.postponed = plan.postponed.count

        if !plan.isEmpty {
            try consumer.notePartials(
                in: Set(
                    plan.units.filter { $0.bytes > 0 }.flatMap(\.paths).map { BatchPlan.parents(of: $0).last ?? [] }))
        }
        var failed: [(unit: BatchPlan.Unit, reason: String)] = []
        for isForced in [false, true] {
            let units = plan.units.filter { $0.isForced == isForced }
            if units.isEmpty { continue }
            failed += try put(units, isForced: isForced, &batch, isRetry: false)
        }
        try quarantine(failed, facts, &commit, &batch)
        try delete(plan, facts, &commit, &batch)

        guard try isStillValid(commit) else { return }
        if !plan.isEmpty { try makeDurable() }
        try consumer.commit(commit, store: uuid)
        batch.seconds = Double(MonotonicTime.now - start) / 1e9
        batch.cursor = commit.through ?? commit.fullPass?.through ?? 0
        report.batches += 1
        report.paths += batch.paths
        report.deleted += batch.deleted
        report.statistics = report.statistics + batch.statistics
        context.tell(.batch(batch))
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
        if holdsDeletions { (plan.held, plan.gone) = (plan.gone + plan.covered, []) }
        report.paths += plan.units.reduce(0) { $0 + $1.paths.count }
        report.deleted += plan.gone.count
        context.planned?(plan)
    }

    // MARK: Puts

    /// Sends units; what fails is sent once more, and then in halves, until it is known what it is.
    ///
    /// - Returns: the units that fail by themselves, with what rsync says of them.
    private func put(
        _ units: [BatchPlan.Unit], isForced: Bool, _ batch: inout BatchReport, isRetry: Bool
    ) throws -> [(unit: BatchPlan.Unit, reason: String)] {
        var failed: [(unit: BatchPlan.Unit, reason: String)] = []
        var rest = [(units: units, isSecond: isRetry)]
        while let (units, isSecond) = rest.popLast() {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let paths = BatchPlan.paths(of: units)
            let outcome = try link.put(
                paths, isForced: isForced, replacesDirectories: !holdsDeletions, take: context.progress)
            batch.statistics = batch.statistics + outcome.statistics
            guard outcome.verdict == .partial else {
                try link.check(outcome, "sending \(paths.count) paths")
                batch.paths += units.reduce(0) { $0 + $1.paths.count }
                batch.linked += units.reduce(0) { $0 + ($1.paths.count > 1 ? $1.paths.count - 1 : 0) }
                continue
            }
            if !isSecond {
                // Files come and go: what vanished meanwhile is left out. Later rows tell of it.
                let present = stillPresent(units)
                if !present.isEmpty { rest.append((present, true)) }
                continue
            }
            if units.count == 1 || failed.count >= Self.mostIsolated {
                let reason = DestinationLink.display(outcome.errors)
                failed += units.map { ($0, reason) }
                continue
            }
            let middle = units.count / 2
            rest.append((Array(units[middle...]), true))
            rest.append((Array(units[..<middle]), true))
        }
        return failed
    }

    /// The units whose paths are all there.
    private func stillPresent(_ units: [BatchPlan.Unit]) -> [BatchPlan.Unit] {
        guard var look = try? SourceLook(source: settings.source) else { return units }
        return units.compactMap { unit in
            let paths = unit.paths.filter { path in
                if case .present = look.state(of: path) { return true }
                return false
            }
            return paths.isEmpty ? nil : BatchPlan.Unit(paths, isForced: unit.isForced, bytes: unit.bytes)
        }
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

    private func setAside(
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

    // MARK: Deletions

    private func delete(
        _ plan: BatchPlan, _ facts: [[UInt8]: PathFacts], _ commit: inout ConsumerCommit,
        _ batch: inout BatchReport
    ) throws {
        if holdsDeletions {
            // What was renamed waits with the rest: more than its own entries may lie under the old name.
            for path in plan.gone + plan.covered {
                let absolute = context.scope.absolute(path)
                guard let pending = facts[absolute] else { continue }
                commit.kept.append(
                    ConsumerWork(
                        absolute, pending, .heldDeletion, due: .now, reason: deletionBar ?? massDeletion ?? ""))
                batch.heldDeletions += 1
            }
            return
        }
        guard !plan.gone.isEmpty else { return }
        // Looked at once more, as late as can be.
        var look: SourceLook
        do throws(Errno) { look = try SourceLook(source: settings.source) } catch {
            throw SyncFailure.sourceAway(settings.source, error)
        }
        let roots = RootCheck(try reader.rootIdentities)
        func isGone(_ path: [UInt8]) -> Bool {
            look.state(of: path) == .missing && !roots.isAway(context.scope.absolute(path))
        }
        for path in plan.gone where !isGone(path) {
            let absolute = context.scope.absolute(path)
            guard let pending = facts[absolute] else { continue }
            commit.kept.append(ConsumerWork(absolute, pending, .waiting, due: .now, reason: "there again"))
        }
        // Of a directory that is there again, what was in it may be gone all the same.
        let deletions = BatchPlan.outermost(plan.gone.filter(isGone))
        guard !deletions.isEmpty else { return }
        for (path, reason) in try delete(deletions, atMost: Int64(plan.gone.count) * 2 + 1_000, &batch) {
            let absolute = context.scope.absolute(path)
            guard let pending = facts[absolute] else { continue }
            try setAside(absolute, pending, reason, &commit, &batch)
        }
        // A deletion changes its directory's time.
        let parents = Set(deletions.compactMap { BatchPlan.parents(of: $0).last }).map { BatchPlan.Unit([$0]) }
        let present = stillPresent(parents)
        guard !present.isEmpty else { return }
        _ = try put(present, isForced: false, &batch, isRetry: false)
    }

    /// Deletes paths; what fails is tried once more, and then in halves, until it is known what it is.
    ///
    /// - Returns: what fails by itself, with what rsync says of it.
    private func delete(
        _ paths: [[UInt8]], atMost limit: Int64, _ batch: inout BatchReport
    ) throws -> [(path: [UInt8], reason: String)] {
        var failed: [(path: [UInt8], reason: String)] = []
        var rest = [(paths: paths, isSecond: false)]
        while let (paths, isSecond) = rest.popLast() {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let outcome = try link.delete(paths, atMost: limit)
            batch.statistics = batch.statistics + outcome.statistics
            batch.deleted += Int(outcome.statistics.deleted)
            guard outcome.verdict == .partial else {
                try link.check(outcome, "deleting \(paths.count) paths")
                continue
            }
            if !isSecond {
                rest.append((paths, true))
            } else if paths.count == 1 || failed.count >= Self.mostIsolated {
                let reason = DestinationLink.display(outcome.errors)
                failed += paths.map { ($0, reason) }
            } else {
                let middle = paths.count / 2
                rest.append((Array(paths[middle...]), true))
                rest.append((Array(paths[..<middle]), true))
            }
        }
        return failed
    }

    // MARK: On the destination's disk

    /// What rsync wrote is on the destination's disk when this returns, where that can be had.
    private func makeDurable() throws {
        guard link.hasShell, let path = link.targetPath else { return }
        let result = try link.shell("sync -f \(path) 2>/dev/null || sync")
        if result.wasInterrupted { throw SyncFailure.interrupted }
        guard result.status == 0 else {
            throw SyncFailure.rsync(
                .later, status: result.status, step: "making the copy durable (sync)",
                errors: DestinationLink.display(result.errors))
        }
    }

    /// Removes the parts of files that earlier runs left where they were interrupted.
    func clearPartials() throws {
        guard var look = try? SourceLook(source: settings.source) else { return }
        while true {
            let directories = try consumer.partials(atMost: 2_000)
            if directories.isEmpty { return try consumer.setNote(Note.partial, nil) }
            if try consumer.note(Note.partial) != nil {
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
                            isForced: false, replacesDirectories: false)
                        if put.verdict != .partial { try link.check(put, "putting back the times of directories") }
                    }
                }
            }
            try consumer.forgetPartials(in: directories)
        }
    }
}
