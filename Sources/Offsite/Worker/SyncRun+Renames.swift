import ChangeStore
import LinuxKernel

/// A renamed directory is built at its new place from what the destination has at the old one (`--link-dest`): nothing is
/// sent again, and hard links stay. The old place is deleted afterwards, like everything that is gone.
extension SyncRun {
    /// Entries of one renamed directory; those beyond are sent again.
    private static let mostEntries = 200_000

    func carryRenames(after cursor: Int64, through end: Int64) throws {
        guard !renames.renames.isEmpty, !renames.isAmbiguous,
            var entries = try renamedEntries(after: cursor, through: end)
        else { return }
        guard var look = try? SourceLook(source: settings.source) else { return }
        let roots = RootCheck(try reader.rootIdentities)
        try consumer.setNote(Note.running, [1])
        var count = 0
        var batch = BatchReport()
        var split: [[UInt8]] = []
        for (number, rename) in renames.renames.enumerated() {
            guard let from = context.scope.relative(rename.from, isDirectory: true),
                let to = context.scope.relative(rename.to, isDirectory: true),
                link.mayBeArgument(from), link.mayBeArgument(to),
                !roots.isAway(rename.to),
                case .present(let status) = look.state(of: to), status.isDirectory, !entries[number].isEmpty
            else { continue }
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            entries[number].sort(by: BatchPlan.precedes)
            let parents = BatchPlan.parents(of: to) + [to]
            let made = try link.put(parents, isForced: false, mayReplaceDirectories: mayDelete)
            try checkIsOver(made)
            guard made.verdict == .done else { continue }
            var sent = SentFiles(among: Set(entries[number]))
            let outcome = try link.link(entries[number], in: to, from: from, take: { sent.take($0) })
            batch.statistics = batch.statistics + outcome.statistics
            split += sent.paths.map { to + [UInt8(ascii: "/")] + $0 }
            try checkIsOver(outcome)
            if outcome.verdict == .done {
                count += 1
            } else {
                // What it did not do the batches do, by sending.
                context.tell(
                    .notice(
                        "a renamed directory is sent again, because linking it failed (exit status "
                            + "\(outcome.status)): \(DestinationLink.display(outcome.errors))"))
            }
        }
        try relink(split, try survey(), &batch)
        report.statistics = report.statistics + batch.statistics
        if count > 0 { context.tell(.renamed(count, batch.statistics)) }
    }

    /// A receiver that was lost may still be at work: nothing is sent beside it.
    func checkIsOver(_ outcome: DestinationLink.Outcome) throws {
        if [.later, .busy, .full, .misplaced, .interrupted].contains(outcome.verdict) {
            try link.check(outcome, "linking a renamed directory")
        }
    }

    /// For each rename the entries, relative to the directory, that moved along and were not written since the cursor.
    ///
    /// - Returns: nil when it cannot be told which these are.
    private func renamedEntries(after cursor: Int64, through end: Int64) throws -> [[[UInt8]]]? {
        var written: Set<[UInt8]> = []
        // Names of files that were gone for a moment: what comes back under one may be another that looks alike.
        var gone: Set<[UInt8]> = []
        var moved = [[[UInt8]]](repeating: [], count: renames.renames.count)
        var isClear = true
        var path: [UInt8] = []
        try reader.run(HistoryScan(after: cursor, through: end)) { row in
            guard row.kind != .baseline, row.kind != .untracked else { return .next }
            path.removeAll(keepingCapacity: true)
            row.appendPath(to: &path)
            if row.kind == .deleted {
                if row.type != .directory, renames.concerns(path) { gone.insert(path) }
                if gone.count > Self.mostEntries { isClear = false }
                return isClear ? .next : .stop
            }
            if row.kind == .moved, gone.contains(path) || row.isContentUncertain {
                for rename in renames.renames { written.formUnion(rename.newNames(of: path)) }
            } else if row.kind == .moved {
                // What was renamed itself within a renamed directory comes from where it was at the cursor.
                if let (number, rest) = renames.innermost(path), moved[number].count < Self.mostEntries,
                    context.scope.relative(path, isDirectory: row.type == .directory) != nil
                {
                    moved[number].append(Array(rest))
                }
            } else if row.type == .file, row.kind != .metadata || row.isContentUncertain {
                for rename in renames.renames { written.formUnion(rename.newNames(of: path)) }
                // Written under a name in between: which one it has now is not followed.
                let isKnown = renames.renames.contains { RenameMap.rest(of: path, below: $0.from) != nil }
                if renames.isFormer(path), !isKnown { isClear = false }
            }
            if written.count > Self.mostEntries { isClear = false }
            return isClear ? .next : .stop
        }
        guard isClear else { return nil }
        return try zip(renames.renames, moved).map { rename, entries in
            try Set(entries).filter { rest in
                if written.contains(rename.to + [UInt8(ascii: "/")] + rest) { return false }
                // What waits under its old name is not at the destination as it is.
                return try consumer.work(about: rename.from + [UInt8(ascii: "/")] + rest) == nil
            }
        }
    }
}
