import ChangeStore
import LinuxKernel
import SystemPackage
import Tracking

/// Working through the names that events marked.
extension TrackingEngine {
    /// Names of a batch past which what it took is given back to the kernel.
    private static let stormSize = 16_384

    /// Looks at everything that was marked, and lists the directories that are new.
    func settleBatch(_ now: MonotonicTime) throws(StoreError) {
        windowOpened = nil
        formerNames.expire(now)
        // Before anything is looked at where it is now: the index still has what had the vacated names.
        try recordVacated()
        try settleContested(now)
        batch.exchange(with: marks)
        interpreter.noteWrittenOpen(in: batch, now: now)
        for node in batch.nodes where tree.isLive(node) {
            try settle(node, now)
            heartbeat.progress()
        }
        let wasStorm = batch.count > Self.stormSize
        batch.removeAll()
        if wasStorm { returnFreedMemory() }
        departed.removeAll(keepingCapacity: departed.count < 1_024)
        let due = fresh
        fresh.removeAll(keepingCapacity: true)
        for node in due where tree.isLive(node) {
            try scan(node)
            heartbeat.progress()
        }
        try recordVacated()
    }

    /// Looks at the marked names of one directory.
    private func settle(_ node: NodeID, _ now: MonotonicTime) throws(StoreError) {
        guard try ensureRecorded(node) else { return try putOff(node, now) }
        switch try open(node, for: .look) {
        case .directory(let opened):
            misplaced[node] = nil
            if arrivals[node] != nil { try scan(node) }
            // It left before it could be listed: what is found in it now would be taken for a part of where it was.
            if arrivals[node] != nil { return try putOff(node, now) }
            try lookAtMarks(of: node, opened.descriptor.number, now)
        case .notThere: try putOff(node, now)
        case .refused(let error): tell(refused: error, node)
        }
    }

    private func lookAtMarks(of node: NodeID, _ descriptor: CInt, _ now: MonotonicTime) throws(StoreError) {
        var someLeftNoTrace = false
        for index in batch.indices(of: node) {
            let mark = batch[index]
            try batch.withName(of: mark) { (name) throws(StoreError) in
                if mark.hints.contains(.excluded) {
                    if !mark.hints.isDisjoint(with: [.appeared, .vanished]) { someLeftNoTrace = true }
                    return try lookAtExcluded(name, in: node, descriptor, mark.hints, batch.origin(of: index))
                }
                if !isHurried, let again = pacing.putOff(name, in: node, hints: mark.hints, now: now) {
                    paced.mark(name, in: node, mark.hints.subtracting(.fresh))
                    pacedCheck = min(pacedCheck ?? again, again)
                    return
                }
                let hints = mark.hints.union(waitingHints(of: name, in: node, besides: mark.hints))
                let origin = batch.origin(of: index)
                let outcome = try look(
                    at: name, in: node, descriptor, hints: hints, origin: origin, reason: .hinted)
                if origin != nil || !formerNames.isEmpty { try passOnFormer(hints, origin, name, in: node) }
                switch outcome {
                case .noTrace:
                    someLeftNoTrace = true
                    try passOnNameless(hints, name, in: node)
                case .putOff: marks.mark(name, in: node, mark.hints.union(.putOff), origin: origin)
                case .unchanged, .recorded: break
                }
            }
        }
        if someLeftNoTrace || entriesRecorded.contains(node) { try compareItself(node, descriptor, reason: .hinted) }
    }

    /// What was told of a name and waits for its next second: the name may be gone by then.
    private func waitingHints(of name: UnsafeRawBufferPointer, in node: NodeID, besides hints: Hints) -> Hints {
        if paced.isEmpty { return [] }
        let waiting = paced.hints(of: name, in: node).intersection(.ofInode)
        return hints.isDisjoint(with: .takesName) ? waiting : waiting.asFormer
    }

    /// Brings the marks that waited for their name's next second back.
    func releasePaced(_ now: MonotonicTime) {
        pacedCheck = nil
        for index in 0..<paced.count where tree.isLive(paced[index].node) {
            paced.withName(of: paced[index]) { name in
                let (node, hints) = (paced[index].node, paced[index].hints)
                // What waited was told of the inode that had the name then.
                let isTaken = !marks.hints(of: name, in: node).isDisjoint(with: .takesName)
                marks.mark(name, in: node, isTaken ? hints.asFormer : hints)
            }
        }
        paced.removeAll()
        // They have waited: no settling time on top.
        windowOpened = MonotonicTime(nanoseconds: 0)
    }

    /// Brings back what was looked at too early, when nothing else is to be done.
    func releaseRacy() {
        racyCheck = nil
        for index in 0..<racy.count where tree.isLive(racy[index].node) {
            racy.withName(of: racy[index]) { marks.mark($0, in: racy[index].node, racy[index].hints) }
        }
        racy.removeAll()
    }

    /// Compares a directory's own times with the index, after its entries.
    func compareItself(_ node: NodeID, _ descriptor: CInt, reason: LookReason) throws(StoreError) {
        let explained = entriesRecorded.remove(node) != nil
        // Seen in this very walk for the first time: what it gained since then is recorded as its entries.
        let reason = unlisted.remove(node) != nil ? .hinted : reason
        guard let status = try? FileStatus.of(descriptor: descriptor) else { return }
        let identity = tree.identity(of: node)
        guard let known = try store.attributes(of: identity.key), known.type == .directory else { return }
        let parent = tree.parent(of: node)
        let seen = seen(status, identity.key, in: parent)
        defer {
            if seen.isRacy && parent != .none { tree.withName(of: node) { noteRacy($0, in: parent, seen) } }
        }
        switch Verdict.ofDirectoryItself(known: known, seen: seen, entriesRecorded: explained, reason: reason) {
        case .unchanged: if known.isRacy && !seen.isRacy { try store.setAttributes(seen, of: identity.key) }
        case .consequence: try store.setAttributes(seen, of: identity.key)
        case .changed(let kind):
            if parent != .none && tree.withName(of: node, { waitsForItsSecond($0, in: parent) }) { return }
            try store.setAttributes(seen, of: identity.key)
            try record(kind, of: node, IndexedEntry(key: identity.key, attributes: seen))
            if parent != .none { tree.withName(of: node) { pacing.recorded($0, in: parent, now: .now) } }
        }
    }

    /// A directory in which names come and go all the time is recorded once a second, like a file that is written.
    private func waitsForItsSecond(_ name: UnsafeRawBufferPointer, in parent: NodeID) -> Bool {
        guard !isHurried, let again = pacing.putOff(name, in: parent, hints: [.metadata, .fresh], now: .now) else {
            return false
        }
        paced.mark(name, in: parent, [.recheck, .directory])
        pacedCheck = min(pacedCheck ?? again, again)
        return true
    }

    // MARK: Directories that are not where they should be

    /// Keeps a directory's marks until the events have explained where it went; after that, whatever is at its name
    /// decides.
    private func putOff(_ node: NodeID, _ now: MonotonicTime) throws(StoreError) {
        try lookInto(node, now)
        guard tree.isLive(node) else { return }
        guard isReachable(node) else {
            if let directory = tree.directory(of: node) { try passOnMarks(of: node, directory) }
            return
        }
        for index in batch.indices(of: node) {
            let mark = batch[index]
            batch.withName(of: mark) { marks.mark($0, in: node, mark.hints, origin: batch.origin(of: index)) }
        }
    }

    /// A directory was not found at its name: has its name looked at, once its absence has lasted.
    func lookInto(_ node: NodeID, _ now: MonotonicTime) throws(StoreError) {
        // Inside a directory that is out of its place: that one's return, or its removal, decides.
        guard tree.isRoot(tree.root(of: node)) else { return }
        if tree.isRoot(node) {
            try evaluateRoots()
            return
        }
        let parent = tree.parent(of: node)
        let since = misplaced[node] ?? now
        misplaced[node] = since
        let isDue = now - since >= Self.explanationTime || tree.state(of: node).contains(.removalSeen) || isHurried
        marks.mark(tree.name(of: node), in: parent, isDue ? [.directory, .putOff] : .directory)
    }

    /// Whether looking again later can find a directory: not below a missing root, nor where reading is refused.
    func isReachable(_ node: NodeID) -> Bool {
        var current = node
        while current != .none {
            if unreadable.contains(current) || tree.state(of: current).contains(.missing) { return false }
            current = tree.parent(of: current)
        }
        return true
    }
}
