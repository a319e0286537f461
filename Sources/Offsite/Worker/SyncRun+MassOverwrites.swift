import ChangeStore
import LinuxKernel

/// Mass overwrites: existing files are held, and with them all deletions, because malware that renames what it encrypts
/// leaves new names and deletions. New files go.
extension SyncRun {
    /// Files of one run that are remembered by name; of more only their sum is.
    private static let mostRemembered = 10_000
    /// Nanoseconds for which it is remembered that a file was overwritten: monthly ones are usual, too.
    private static let memory: Int64 = 35 * 86_400_000_000_000

    /// Before everything is copied once more, which does not go by the history.
    func guardFullPass() throws {
        guard let cursor = try consumer.cursor(inStore: uuid), try cursor >= reader.firstKept else {
            return try guardOverwrites(nil, at: .now)
        }
        try guardChanges(after: cursor, through: reader.lastSequence)
    }

    /// Decides whether existing files are held. Once they are, all are until that is allowed.
    func guardOverwrites(_ census: ChangeCensus?, at now: Timestamp) throws {
        let rule = OverwriteRule(percent: settings.maxOverwrite, window: deleteWindow)
        overwriteHold = nil
        let held = try consumer.workCount(.heldOverwrite).count
        if options.allowOverwrites || rule.isOff {
            guard !options.dryRun else { return }
            try forgive(held, at: now)
            if let census { try remember(measured(census), areForgiven: true, at: now) }
            return
        }
        if held > 0, try consumer.note(Note.massOverwrite) != nil {
            if !options.dryRun, try isUndone(census) {
                context.tell(.notice("what was overwritten is as it was: nothing is held any more"))
                try consumer.forgiveOverwrites()
                try consumer.setNote(Note.massOverwrite, nil)
                // To put files back is to write them, too.
                if let census { try remember(measured(census), areForgiven: true, at: now) }
                return
            }
            return try hold(held + Int64(census?.overwritten.count ?? 0), census)
        }
        guard let census, !census.overwritten.isEmpty else { return }
        let files = try measured(census)
        let times = try consumer.overwriteTimes(of: files.map(\.path))
        let start = now.advanced(by: -deleteWindow)
        let counted = files.filter { rule.counts(times[$0.path], at: now) }
        let pending = PathAmounts(
            paths: Int64(counted.reduce(0) { $0 + $1.share }.rounded()),
            bytes: counted.reduce(0) { $0 + $1.bytes })
        let earlier = try consumer.overwritten(after: start, unlessAgainAfter: rule.pause)
        let all = pending + earlier + census.furtherOverwritten
        if !pending.isNone, rule.isTooMuch(all, of: 0) {
            let existing = try stock(of: nil) { !rule.isTooMuch(all, of: $0.bytes) }.amounts.bytes
            if rule.isTooMuch(all, of: existing) { return try hold(all.paths, census) }
        }
        if !options.dryRun { try remember(files, areForgiven: false, at: now) }
    }

    /// Whether everything that is held equals the copy again, by content: a time that was put back proves nothing.
    private func isUndone(_ census: ChangeCensus?) throws -> Bool {
        var paths: Set<[UInt8]> = []
        try consumer.forEachPath(in: .heldOverwrite) { paths.insert($0) }
        for file in census?.overwritten.values.map(\.path) ?? [] { paths.insert(file) }
        guard paths.count <= Self.mostRemembered, census?.furtherOverwritten.isNone ?? true else { return false }
        let names = paths.compactMap { context.scope.relative($0, isDirectory: false) }.sorted(by: BatchPlan.precedes)
        guard !names.isEmpty else { return false }
        // Cheaply first: nothing is read for as long as sizes and times tell.
        for withChecksums in [false, true] {
            var differs = false
            let outcome = try link.compare(names, isRecursive: false, withChecksums: withChecksums) { line in
                if [.missing, .content, .link].contains(line.kind) { differs = true }
            }
            guard outcome.verdict == .done, !differs else { return false }
        }
        return true
    }

    private func hold(_ count: Int64, _ census: ChangeCensus?) throws {
        let reason = "\(count) existing files were overwritten, more than max_overwrite allows"
        overwriteHold = reason
        pendingOverwrites = Set(census.map { Array($0.overwritten.keys) } ?? [])
        if !options.dryRun { try consumer.setNote(Note.massOverwrite, Array(reason.utf8)) }
    }

    /// What somebody allowed is usual from now on.
    private func forgive(_ held: Int64, at now: Timestamp) throws {
        guard try consumer.note(Note.massOverwrite) != nil || options.allowOverwrites else { return }
        try consumer.forgiveOverwrites()
        if held > 0 {
            var files: [(path: [UInt8], bytes: Int64)] = []
            try consumer.forEachPath(in: .heldOverwrite) { path in
                if files.count < Self.mostRemembered { files.append((path, 0)) }
            }
            try consumer.noteOverwritten(files, count: 0, at: now, forgetting: now.advanced(by: -Self.memory))
        }
        try consumer.setNote(Note.massOverwrite, nil)
    }

    /// One file and which part of an inode's names it is.
    private struct File {
        let path: [UInt8]
        let bytes: Int64
        let share: Double
    }

    /// A write to a file with several names is one of each of them: together they count once.
    private func measured(_ census: ChangeCensus) throws -> [File] {
        var look = try? SourceLook(source: settings.source)
        let files = census.overwritten.values.sorted { BatchPlan.precedes($0.path, $1.path) }
        return try files.map { file in
            try pulse()
            var names: UInt32 = 1
            if let path = context.scope.relative(file.path, isDirectory: false),
                case .present(let status)? = look?.state(of: path)
            {
                names = max(1, status.linkCount)
            }
            return File(path: file.path, bytes: file.bytes / Int64(names), share: 1 / Double(names))
        }
    }

    private func remember(_ files: [File], areForgiven: Bool, at now: Timestamp) throws {
        guard !files.isEmpty else { return }
        let oldest = now.advanced(by: -max(Self.memory, 2 * deleteWindow))
        guard files.count > Self.mostRemembered else {
            // Names that are links of each other count as one file in all.
            return try consumer.noteOverwritten(
                files.map { ($0.path, areForgiven ? 0 : $0.bytes) }, count: areForgiven ? 0 : 1, at: now,
                forgetting: oldest)
        }
        guard !areForgiven else { return }
        let count = Int64(files.reduce(0) { $0 + $1.share }.rounded())
        try consumer.noteOverwritten(
            [(Array("\(now.nanoseconds)".utf8), files.reduce(0) { $0 + $1.bytes })], count: count, at: now,
            forgetting: oldest)
    }

    // MARK: Holding

    /// Takes what would be overwritten out of a batch, and keeps it.
    func holdOverwrites(
        _ plan: inout BatchPlan, _ facts: [[UInt8]: PathFacts], _ commit: inout ConsumerCommit,
        _ batch: inout BatchReport
    ) throws {
        guard let reason = overwriteHold else { return }
        for unit in try takeOverwrites(from: &plan, facts) {
            for path in unit.paths {
                let absolute = context.scope.absolute(path)
                guard var pending = facts[absolute] else { continue }
                pending.contentChanged = true
                commit.kept.append(ConsumerWork(absolute, pending, .heldOverwrite, due: .now, reason: reason))
                batch.heldOverwrites += 1
            }
        }
    }

    /// - Returns: the units that would overwrite something.
    func takeOverwrites(from plan: inout BatchPlan, _ facts: [[UInt8]: PathFacts]) throws -> [BatchPlan.Unit] {
        guard overwriteHold != nil else { return [] }
        var held: [BatchPlan.Unit] = []
        var rest: [BatchPlan.Unit] = []
        for unit in plan.units {
            if try overwrites(unit, facts) { held.append(unit) } else { rest.append(unit) }
        }
        plan.units = rest
        return held
    }

    private func overwrites(_ unit: BatchPlan.Unit, _ facts: [[UInt8]: PathFacts]) throws -> Bool {
        for path in unit.paths {
            let absolute = context.scope.absolute(path)
            if pendingOverwrites.contains(PathDigest(of: absolute)) { return true }
            if let facts = facts[absolute] {
                if unit.isForced, facts.existedBefore, facts.wasWritten || facts.contentChanged { return true }
            } else if try unit.isForced || consumer.work(about: absolute)?.state == .heldOverwrite {
                // A name that the destination has, of an inode that was written.
                return true
            }
        }
        return false
    }
}
