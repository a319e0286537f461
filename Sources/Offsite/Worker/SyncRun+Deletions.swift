import ChangeStore
import LinuxKernel
import SystemPackage

/// The deletions of a batch.
extension SyncRun {
    func removeReplaced(_ plan: BatchPlan, _ batch: inout BatchReport) throws {
        guard !plan.replaced.isEmpty, mayDelete else { return }
        // What cannot be deleted cannot be sent either, and is quarantined then.
        _ = try delete(plan.replaced, atMost: Int64(plan.replaced.count) + 1_000, &batch)
    }

    /// Deletes what is gone, or keeps it where something bars that.
    func delete(
        _ plan: BatchPlan, _ facts: [[UInt8]: PathFacts], _ commit: inout ConsumerCommit,
        _ batch: inout BatchReport
    ) throws {
        let gone = plan.gone + uncovered(plan.covered)
        let allowed = mayDelete ? gone : gone.filter { bar(of: context.scope.absolute($0)) == nil }
        if !mayDelete {
            // What was renamed is held with the rest: more than its own entries may lie under the old name.
            for path in plan.gone + plan.covered {
                let absolute = context.scope.absolute(path)
                guard let reason = bar(of: absolute), let pending = facts[absolute] else { continue }
                commit.kept.append(ConsumerWork(absolute, pending, .heldDeletion, due: .now, reason: reason))
                batch.heldDeletions += 1
            }
        }
        guard !allowed.isEmpty else { return }
        // Looked at once more, as late as can be.
        var look: SourceLook
        do throws(Errno) { look = try SourceLook(source: settings.source) } catch {
            throw SyncFailure.sourceAway(settings.source, error)
        }
        let roots = RootCheck(try reader.rootIdentities)
        func isGone(_ path: [UInt8]) -> Bool {
            look.state(of: path) == .missing && !roots.isAway(context.scope.absolute(path))
        }
        var missing: [[UInt8]] = []
        for path in allowed {
            if isGone(path) {
                missing.append(path)
                continue
            }
            let absolute = context.scope.absolute(path)
            guard let pending = facts[absolute] else { continue }
            commit.kept.append(ConsumerWork(absolute, pending, .waiting, due: .now, reason: "there again"))
        }
        // Of a directory that is there again, what was in it may be gone all the same.
        let deletions = BatchPlan.outermost(missing.sorted(by: BatchPlan.precedes))
        guard !deletions.isEmpty else { return }
        try confirmMarker()
        for (path, reason) in try delete(deletions, atMost: Int64(plan.gone.count) * 2 + 1_000, &batch) {
            let absolute = context.scope.absolute(path)
            guard let pending = facts[absolute] else { continue }
            try quarantine(absolute, pending, reason, &commit, &batch)
        }
        // A deletion changes its directory's time.
        let parents = Set(deletions.compactMap { BatchPlan.parents(of: $0).last }).map { BatchPlan.Unit([$0]) }
        let present = stillPresent(parents).present
        guard !present.isEmpty else { return }
        _ = try put(present, isForced: false, &batch)
    }

    /// Paths that were to go with what had taken the place of a directory above them, where a directory is there again: they
    /// went with nothing.
    private func uncovered(_ covered: [[UInt8]]) -> [[UInt8]] {
        guard !covered.isEmpty, var look = try? SourceLook(source: settings.source) else { return [] }
        return covered.filter { look.state(of: $0) == .missing }
    }

    /// Makes sure that the copy is still this host's, before something of it is deleted or the marker is written anew: a
    /// transfer may have taken hours.
    ///
    /// - Throws: `SyncFailure.foreignMarker`, `.noMarker`.
    func confirmMarker() throws {
        guard let marker = try link.greet().marker else { throw SyncFailure.noMarker(target: link.targetText) }
        guard self.marker(marker.cursor).mayReplace(marker) else {
            throw SyncFailure.foreignMarker(
                target: link.targetText, "has become that of another host or store meanwhile")
        }
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
            if paths.isEmpty { continue }
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            var complaints = complaints(about: paths, namesAncestors: true)
            let outcome = try link.delete(paths, atMost: limit, takeErrors: { complaints.take($0) })
            batch.statistics = batch.statistics + outcome.statistics
            batch.deleted += Int(outcome.statistics.deleted)
            guard outcome.verdict == .partial else {
                try link.check(outcome, "deleting \(counted(paths.count, "path"))")
                continue
            }
            let blamed = paths.filter { complaints.failed[$0] != nil }
            if !isSecond {
                rest.append((complaints.isExplained ? blamed : paths, true))
            } else if complaints.isExplained {
                failed += blamed.map { ($0, complaints.failed[$0] ?? "") }
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
}
