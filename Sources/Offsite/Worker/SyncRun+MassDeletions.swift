import ChangeStore
import LinuxKernel

/// Mass deletions and mass overwrites, counted over everything that is pending and what earlier runs did within
/// `delete_window`, before any of it is copied.
extension SyncRun {
    /// - Parameters:
    ///   - cursor: what the history tells of after this row is pending.
    ///   - end: up to this row.
    func guardChanges(after cursor: Int64, through end: Int64) throws {
        let now = Timestamp.now
        let oldest = now.advanced(by: -LossAccount.windows * deleteWindow)
        try correctLedger(upTo: cursor, forgetting: oldest)
        let ledger = try consumer.ledger(after: oldest)
        let census = try census(after: cursor, through: end, ledger)
        try guardOverwrites(census, at: now)
        var entries = census?.entries(at: now, through: end) ?? []
        try guardDeletions(ledger, &entries, at: now)
        guard !options.dryRun, !entries.isEmpty else { return }
        try consumer.record(
            entries, replacing: nil, forgetting: oldest,
            notes: [Note.counted: Array("\(uuid) \(cursor) \(end) \(now.nanoseconds)".utf8)])
    }

    var deleteWindow: Int64 { settings.deleteWindow.inNanoseconds }

    /// - Returns: nil where nothing is pending.
    func census(after cursor: Int64, through end: Int64, _ ledger: [LedgerEntry]) throws -> ChangeCensus? {
        guard cursor < end else { return nil }
        let young = ledger.map(\.series).filter { !$0.isEmpty && !$0.contains(UInt8(ascii: "#")) }
        return try ChangeCensus(
            reader, after: cursor, through: end, scope: context.scope, roots: guardedRoots, young: Set(young))
    }

    /// What a run that did not end was about to do is counted as far as it came.
    private func correctLedger(upTo cursor: Int64, forgetting oldest: Timestamp) throws {
        let words = String(decoding: try consumer.note(Note.counted) ?? [], as: UTF8.self).split(separator: " ")
        guard !options.dryRun, words.count == 4, words[0] == uuid, let first = Int64(words[1]),
            let last = Int64(words[2]), let at = Int64(words[3]), cursor < last
        else { return }
        var entries: [LedgerEntry] = []
        if cursor > first, try first >= reader.firstKept {
            let census = try census(after: first, through: cursor, consumer.ledger(after: oldest))
            entries = census?.entries(at: Timestamp(nanoseconds: at), through: cursor) ?? []
            drop(&entries, where: try latchedHold())
        }
        try consumer.record(
            entries, replacing: last, forgetting: oldest,
            notes: [Note.counted: Array("\(uuid) \(first) \(min(cursor, last)) \(at)".utf8)])
    }

    /// What is held is not deleted.
    private func drop(_ entries: inout [LedgerEntry], where hold: (LedgerEntry) -> Bool) {
        for index in entries.indices where hold(entries[index]) {
            (entries[index].gone, entries[index].moved) = (.none, 0)
        }
    }

    private func latchedHold() throws -> (LedgerEntry) -> Bool {
        guard let note = try consumer.note(Note.heldRoots) else { return { _ in false } }
        guard let roots = DeletionHold.roots(inNote: note) else { return { _ in true } }
        return { roots.contains($0.root) }
    }

    // MARK: Deletions

    /// Decides which deletions are held. Those that are go on being held until they are allowed or undone, however much is
    /// added meanwhile.
    private func guardDeletions(_ ledger: [LedgerEntry], _ entries: inout [LedgerEntry], at now: Timestamp) throws {
        // It was decided before everything was compared.
        guard deletionHold.isEmpty else {
            return drop(&entries) { [deletionHold] in deletionHold.reason(for: $0.root) != nil }
        }
        if options.allowDeletes {
            drop(&entries) { _ in true }
            guard !options.dryRun else { return }
            try consumer.forgiveDeletions()
            return try noteHold()
        }
        // Everything is held anyway.
        if deletionBar != nil || overwriteHold != nil { return drop(&entries) { _ in true } }
        var held = try heldPaths()
        var ledger = ledger
        try release(&held, ledger, &entries, at: now)
        if try latch(held, entries), !hasReleased {
            // What was held was undone: what was put back is no new generation.
            if !options.dryRun { try consumer.forgetGenerations() }
            for index in ledger.indices { ledger[index].born = .none }
        }
        if deletionHold.everything == nil { try judge(ledger, entries, held, at: now) }
        drop(&entries) { [deletionHold] in deletionHold.reason(for: $0.root) != nil }
        if !options.dryRun { try noteHold() }
    }

    private func noteHold() throws {
        try consumer.setNote(Note.heldRoots, deletionHold.isEmpty ? nil : deletionHold.note)
        try consumer.setNote(Note.massDeletion, deletionHold.text.map { Array($0.utf8) })
    }

    /// Held deletions by root; those below none under the empty one.
    private func heldPaths() throws -> [[UInt8]: Int64] {
        var held: [[UInt8]: Int64] = [:]
        guard try consumer.workCount(.heldDeletion).count > 0 else { return held }
        try consumer.forEachPath(in: .heldDeletion) { held[guardedRoots.root(of: $0) ?? [], default: 0] += 1 }
        return held
    }

    /// Takes the roots that are whole again out of what is held. What goes then counts like what goes in this run.
    private func release(
        _ held: inout [[UInt8]: Int64], _ ledger: [LedgerEntry], _ entries: inout [LedgerEntry], at now: Timestamp
    ) throws {
        guard let roots = try consumer.note(Note.heldRoots).flatMap(DeletionHold.roots(inNote:)) else { return }
        let rule = HoldRelease(limit: settings.maxDelete, window: deleteWindow)
        let through = try reader.lastSequence
        for root in roots where held[root] != nil {
            guard let most = try consumer.mostStock(of: root) else { continue }
            var series: [[UInt8]: Int64] = [:]
            try consumer.forEachPath(in: .heldDeletion) { path in
                guard guardedRoots.root(of: path) == root else { return }
                series[GuardedRoots.generation(of: path, in: root)?.series ?? [], default: 0] += 1
            }
            let left = try stock(of: root) { _ in false }.amounts
            guard
                rule.isWhole(
                    held: series, after: (ledger + entries).filter { $0.root == root }, left: left, most: most, at: now)
            else { continue }
            entries += HoldRelease.entries(series, in: root, at: now, through: through)
            held[root] = nil
            hasReleased = true
            context.tell(.notice("\(name(root)) is whole again: its deletions are no longer held"))
        }
    }

    /// What was held by earlier runs is held again.
    ///
    /// - Returns: whether something was, and was undone.
    private func latch(_ held: [[UInt8]: Int64], _ entries: [LedgerEntry]) throws -> Bool {
        let note = try consumer.note(Note.heldRoots)
        // That of an older version says nothing of roots.
        guard let note = try note ?? consumer.note(Note.massDeletion).map({ _ in Array("*".utf8) }) else {
            return false
        }
        func gone(_ isMeant: (LedgerEntry) -> Bool) -> Int64 {
            entries.filter(isMeant).reduce(0) { $0 + $1.gone.paths + $1.moved }
        }
        guard let roots = DeletionHold.roots(inNote: note) else {
            let count = held.values.reduce(0, +)
            if count == 0 { return true }
            deletionHold.holdEverything(
                because: "\(counted(count + gone { _ in true }, "path is", plural: "paths are")) gone\(Self.tooMany)")
            return false
        }
        for root in roots {
            guard let count = held[root] else { continue }
            let paths = count + gone { $0.root == root }
            deletionHold.hold(
                root,
                because: "\(counted(paths, "path")) of \(name(root)) \(paths == 1 ? "is" : "are") gone\(Self.tooMany)")
        }
        return deletionHold.isEmpty
    }

    private func judge(
        _ ledger: [LedgerEntry], _ entries: [LedgerEntry], _ held: [[UInt8]: Int64], at now: Timestamp
    ) throws {
        let rule = DeletionRule(limit: settings.maxDelete)
        var accounts: [[UInt8]: LossAccount] = [:]
        for entry in ledger + entries {
            accounts[entry.root, default: LossAccount(window: deleteWindow, at: now)].add(entry)
        }
        var losses = accounts.mapValues(\.loss)
        for (root, count) in held {
            let waiting = RootLoss(lost: PathAmounts(paths: count), deleted: count, isUnmeasured: true)
            losses[root] = losses[root].map { $0 + waiting } ?? waiting
        }
        var pending = Set(entries.filter { !$0.gone.isNone || $0.moved > 0 }.map(\.root)).union(held.keys)
        for root in pending where !root.isEmpty && deletionHold.reason(for: root) == nil {
            guard let loss = losses[root], let excess = try excess(rule, of: loss, in: root) else { continue }
            let now = held[root, default: 0] + Self.gone(entries.filter { $0.root == root })
            deletionHold.hold(root, because: Self.reason(excess, " of \(name(root))", now))
        }
        for root in deletionHold.roots.keys {
            pending.remove(root)
            losses[root] = nil
        }
        guard !pending.isEmpty else { return }
        var all = losses.values.reduce(RootLoss()) { $0 + $1 }
        // What is held is still there, though the index does not have it: of that nobody knows the bytes.
        if !deletionHold.isEmpty { all.lost.bytes = 0 }
        let kept = deletionHold.roots.keys.reduce(0) { sum, root in
            sum + held[root, default: 0]
                + entries.reduce(0) { $1.root == root ? $0 + $1.gone.paths + $1.moved : $0 }
        }
        guard let excess = try excess(rule, of: all, in: nil, besides: kept) else { return }
        let now = held.values.reduce(0, +) + Self.gone(entries)
        deletionHold.holdEverything(because: Self.reason(excess, "", now))
    }

    private static let tooMany = ", more than max_delete allows"

    private static func gone(_ entries: [LedgerEntry]) -> Int64 { entries.reduce(0) { $0 + $1.gone.paths + $1.moved } }

    /// - Parameter now: paths that are pending: the others went before.
    private static func reason(_ excess: DeletionRule.Excess, _ place: String, _ now: Int64) -> String {
        var earlier = ""
        if case .paths(let lost, _) = excess, lost > now {
            earlier = " (\(lost - now) of them earlier, within delete_window)"
        }
        return "\(excess.text)\(place) are gone\(earlier)\(tooMany)"
    }

    private func name(_ root: [UInt8]) -> String {
        OctalEscapes.display(RenameMap.rest(of: root, below: settings.source).map { Array($0) } ?? root)
    }

    /// - Parameters:
    ///   - root: nil: of everything.
    ///   - kept: paths that are there though the index does not have them.
    private func excess(
        _ rule: DeletionRule, of loss: RootLoss, in root: [UInt8]?, besides kept: Int64 = 0
    ) throws -> DeletionRule.Excess? {
        var loss = loss
        let isRoot = root != nil
        let more = PathAmounts(paths: kept)
        var stock = try stock(of: root) { rule.excess(of: loss, left: $0 + more, isRoot: isRoot) == nil }
        stock.amounts += more
        guard let excess = rule.excess(of: loss, left: stock.amounts, isRoot: isRoot) else { return nil }
        guard case .bytes = excess else { return excess }
        // Each name of a file counted, but its bytes are lost only with the last of them.
        if let most = try consumer.mostStock(of: root ?? []) {
            loss.lost.bytes = min(loss.lost.bytes, max(0, most.bytes - stock.amounts.bytes))
        } else if stock.hasLinks {
            loss.lost.bytes = 0
        }
        return rule.excess(of: loss, left: stock.amounts, isRoot: isRoot)
    }
}
