import ChangeStore
import LinuxKernel
import SystemPackage
import Tracking

/// Listing whole directories: the start, after lost events, new directories, polls.
extension TrackingEngine {
    /// Queues a directory to be listed. `queuedGap` makes it a walk after a gap, `queuedDeep` takes everything below
    /// along; without either it is new, and goes with the next batch.
    func queue(_ node: NodeID, _ wanted: NodeState) {
        let state = tree.state(of: node)
        if state.contains(.notEntered) { return }
        let isInWalk = state.contains(.queuedGap)
        tree.setState(wanted, of: node)
        if wanted.contains(.queuedGap) {
            if !isInWalk { walk.append(node) }
        } else if !isInWalk && !state.contains(.queued) {
            tree.setState(.queued, of: node)
            fresh.append(node)
        }
    }

    /// Queues a directory that was moved: its rows must not wait for a walk that reaches it late.
    func queueSoon(_ node: NodeID) {
        guard tree.state(of: node).isDisjoint(with: [.queued, .notEntered]) else { return }
        tree.setState(.queued, of: node)
        fresh.append(node)
    }

    /// Walks all roots. Nothing of it is silent: with events lost, what is new cannot be told from what was there.
    func walkEverything() {
        tree.clearStateEverywhere(.queuedSilent)
        for root in tree.roots where !tree.state(of: root).contains(.missing) {
            queue(root, [.queuedDeep, .queuedGap])
        }
    }

    /// Goes on with the walk for a while. Between two slices nothing of it is under way.
    func walkSlice(until end: Int64) throws(StoreError) {
        var underWay = 0
        repeat {
            if MonotonicTime.now.nanoseconds < end {
                // A start's first directories, and what a poll walks, are not worth handing over.
                if underWay == 0 && walk.count < DirectoryScout.batchSize {
                    if let node = walk.popFirst(), tree.isLive(node) { try scan(node) }
                    heartbeat.progress()
                } else if try submitNext() {
                    underWay += 1
                    if underWay == 1 { continue }
                }
            }
            if underWay > 0 {
                try takeListed()
                underWay -= 1
            }
        } while underWay > 0 || !walk.isEmpty && MonotonicTime.now.nanoseconds < end
    }

    /// Opens and watches the next directories of the walk and has them listed.
    ///
    /// - Returns: false when there were none.
    private func submitNext() throws(StoreError) -> Bool {
        var directories: [ScoutedDirectory] = []
        var bytes: Int64 = 0
        while directories.count < DirectoryScout.batchSize, bytes < DirectoryScout.batchBytes,
            let node = walk.popFirst()
        {
            guard tree.isLive(node) else { continue }
            if let directory = try enter(node) {
                bytes += directory.opened.status.size
                directories.append(directory)
            }
            heartbeat.progress()
        }
        if directories.isEmpty { return false }
        guard prepareScout(), let scout else {
            for directory in directories {
                directory.list(with: lister, mostStatuses: 0)
                try take(directory)
            }
            return false
        }
        scout.submit(directories)
        return true
    }

    private func prepareScout() -> Bool {
        if scout == nil { scout = try? DirectoryScout() }
        return scout != nil
    }

    /// Compares what was submitted first with the index.
    private func takeListed() throws(StoreError) {
        guard let scout else { return }
        // While this thread waits, the scout's state tells whether the disk is what it waits for.
        heartbeat.adopt(thread: scout.threadIdentifier)
        let directories = scout.collect()
        heartbeat.adoptCurrentThread()
        for directory in directories {
            try take(directory)
            heartbeat.progress()
        }
    }

    private func take(_ directory: ScoutedDirectory) throws(StoreError) {
        if directory.rearrangements == tree.rearrangements { return try compare(directory) }
        // What came before it in the walk has moved something: this may no longer be the directory that is meant.
        guard tree.isLive(directory.node) else { return }
        tree.setState(directory.scope.state, of: directory.node)
        try scan(directory.node)
    }

    /// Lists a directory and compares it with the index: watch, list, look at every name, then at itself.
    func scan(_ node: NodeID) throws(StoreError) {
        guard let directory = try enter(node) else { return }
        directory.list(with: lister, mostStatuses: 0)
        try compare(directory)
    }

    /// Opens a directory that is to be listed, and watches it.
    ///
    /// - Returns: nil when it is not there to be listed now.
    private func enter(_ node: NodeID) throws(StoreError) -> ScoutedDirectory? {
        let scope = ScanScope(tree.state(of: node))
        tree.clearState([.queued, .queuedGap, .queuedDeep, .queuedSilent], of: node)
        guard try ensureRecorded(node) else {
            try scanLater(node, scope)
            return nil
        }
        switch try open(node, for: .list) {
        case .directory(let opened):
            let status = opened.status
            if !mayEnter(node, tree.identity(of: node).key.fileSystem, device: status.device) {
                try recordArrivalUnseen(node)
                try leaveUnentered(node)
                return nil
            }
            if tree.watch(of: node) == nil || scope.reason == .gap { watch(node, opened.descriptor.number) }
            tree.clearState(.missing, of: node)
            unseen.remove(node)
            if unreadable.remove(node) != nil { tree.clearState(.unreadable, of: node) }
            statistics.walked += 1
            return ScoutedDirectory(
                node, opened, scope, rearrangements: tree.rearrangements, listing: Listing(hash: store.entryHash))
        case .notThere:
            try scanLater(node, scope)
            return nil
        case .refused(let error):
            tell(refused: error, node)
            try recordArrivalUnseen(node)
            return nil
        }
    }

    /// A directory that is not at its name just now stays to be listed, for the same reason as before.
    private func scanLater(_ node: NodeID, _ scope: ScanScope) throws(StoreError) {
        try lookInto(node, .now)
        guard tree.isLive(node), isReachable(node) else { return }
        tree.setState(scope.state.union(.queued), of: node)
        fresh.append(node)
    }

    private func compare(_ directory: ScoutedDirectory) throws(StoreError) {
        let node = directory.node
        let descriptor = directory.opened.descriptor.number
        let scope = directory.scope
        // A listing that failed deletes nothing.
        if let failure = directory.failure { return tell(refused: failure, node) }
        directory.listing.remove { interpreter.isExcluded($0, node, $1 ?? false) }
        if let before = arrivals[node] {
            try recordVacated()
            try recordArrival(node, from: before, descriptor)
            // Not earlier: what turns out to be gone from it had its name where the directory was.
            arrivals[node] = nil
        }
        try compare(directory.listing, with: node, descriptor, scope)
        // What a baseline finds was written a moment ago.
        if !scope.isSilent { try compareItself(node, descriptor, reason: scope.reason) }
        guard scope.isDeep else { return }
        var children: [NodeID] = []
        tree.forEachChild(of: node) { children.append($0) }
        // The tree hands them out latest first.
        for child in children.reversed() {
            if scope.isSilent && !tree.state(of: child).contains(.queuedGap) { tree.setState(.queuedSilent, of: child) }
            queue(child, scope.reason == .gap ? [.queuedDeep, .queuedGap] : .queuedDeep)
        }
    }

    private func compare(
        _ listing: Listing, with node: NodeID, _ descriptor: CInt, _ scope: ScanScope
    ) throws(StoreError) {
        guard let directory = tree.directory(of: node) else { return }
        var comparison = ListingComparison(listing: listing, reason: scope.reason)
        try store.forEachHashedEntry(in: directory) { name, hash, entry in
            comparison.meet(name, hash: hash, entry) { index in
                status(index, of: listing, in: descriptor).map { status in
                    // An unknown device is a mount point that has to be looked at on its own.
                    let known = fileSystems[status.device]
                    return (status, known?.id ?? FileSystemID(rawValue: -1))
                }
            }
        }
        comparison.finish()
        if scope.isSilent {
            try addSilently(comparison.new, of: listing, in: node, directory, descriptor, scope)
        } else {
            for index in comparison.new { try lookAtNew(index, of: listing, in: node, descriptor, scope) }
        }
        for index in comparison.different {
            _ = try listing.withName(index) { (name) throws(StoreError) in
                try look(
                    at: name, in: node, descriptor, hints: [], origin: nil, reason: scope.reason,
                    isSilent: scope.isSilent)
            }
        }
        for (name, entry) in comparison.missing { try miss(name, entry, in: node, descriptor, scope) }
    }

    private func lookAtNew(
        _ index: Int, of listing: Listing, in node: NodeID, _ descriptor: CInt, _ scope: ScanScope
    ) throws(StoreError) {
        _ = try listing.withName(index) { (name) throws(StoreError) in
            try look(
                at: name, in: node, descriptor, hints: [], origin: nil, reason: scope.reason, isSilent: scope.isSilent,
                isUnknown: true)
        }
    }

    /// What was seen behind a name of a listing, or is seen now.
    private func status(_ index: Int, of listing: Listing, in descriptor: CInt) -> FileStatus? {
        if let status = listing.status(index) { return status }
        return listing.withName(index) { try? FileStatus.of($0.cString, in: descriptor) }
    }

    /// Puts what a baseline finds into the index: files several at a time, the rest one by one.
    private func addSilently(
        _ new: [Int], of listing: Listing, in node: NodeID, _ directory: DirectoryID, _ descriptor: CInt,
        _ scope: ScanScope
    ) throws(StoreError) {
        var files: [NewFile] = []
        files.reserveCapacity(new.count)
        let lookedAt = listing.lookedAt ?? .now
        for index in new {
            let status = status(index, of: listing, in: descriptor)
            let file = try listing.withName(index) { (name) throws(StoreError) -> NewFile? in
                guard let status, !status.isDirectory else { return nil }
                return NewFile(
                    name: listing.range(index), key: try key(of: status, named: name, in: descriptor),
                    attributes: EntryAttributes(status, lookedAt: lookedAt))
            }
            if let file {
                files.append(file)
            } else {
                try lookAtNew(index, of: listing, in: node, descriptor, scope)
            }
        }
        try listing.withAllNames { (names) throws(StoreError) in
            for position in try store.add(files, names: names, in: directory) {
                let file = files[position]
                try joinOthers(
                    file.key, file.attributes, except: EntryName(directory: directory, name: [UInt8](names[file.name])),
                    [], nil)
            }
        }
    }

    /// A name of the index that a listing did not have: looked at itself first.
    private func miss(
        _ name: [UInt8], _ entry: IndexedEntry, in node: NodeID, _ descriptor: CInt, _ scope: ScanScope
    ) throws(StoreError) {
        try name.withTerminatedName { (name) throws(StoreError) in
            if interpreter.isExcluded(name, node, entry.attributes.type == .directory) {
                return try untrack(entry, name, in: node)
            }
            if scope.reason == .gap && entry.attributes.boundary != .mount && !isAbsenceEvidence(of: entry, in: node) {
                // Of a file system that was mounted over what is tracked here: it is out of sight again.
                if !isHeld(node) { try untrack(entry, name, in: node) }
                return
            }
            let outcome = try look(at: name, in: node, descriptor, hints: [], origin: nil, reason: scope.reason)
            if outcome == .putOff { marks.mark(name, in: node, [.directory, .putOff]) }
        }
    }

    /// A name that is missing was deleted only if the same file system no longer has it: one that was mounted over, or
    /// unmounted, or a root that was swapped, says nothing about the files it hides. A subvolume cannot be unmounted.
    func isAbsenceEvidence(of entry: IndexedEntry, in node: NodeID) -> Bool {
        if accepting.contains(tree.root(of: node)) { return true }
        if isHeld(node) { return false }
        switch entry.attributes.boundary {
        case .none: return entry.key.fileSystem == tree.identity(of: node).key.fileSystem
        case .mount: return false
        case .subvolume: return true
        }
    }

    /// The directory, or one above it, is not the one that is known.
    private func isHeld(_ node: NodeID) -> Bool {
        var current = node
        while current != .none {
            if tree.state(of: current).contains(.held) { return true }
            current = tree.parent(of: current)
        }
        return false
    }

    /// The configuration no longer covers a name: it leaves the index, and nothing says that it was deleted.
    func untrack(
        _ entry: IndexedEntry, _ name: UnsafeRawBufferPointer, in node: NodeID
    ) throws(StoreError) {
        try append(.untracked, name, in: node, entry.attributes)
        if let child = tree.child(of: node, named: name) {
            try forgetSubtree(child)
        } else {
            try forget(entry, name, in: node)
        }
    }

    /// Walks the directories without a watch.
    func poll(_ now: MonotonicTime) throws(StoreError) {
        nextPoll = nil
        if !unwatchedPatternPaths.isEmpty { try evaluateRoots() }
        for node in polled where tree.isLive(node) { queue(node, .queuedGap) }
        // What changed while a directory could not be read raised events that could not be looked into.
        for node in unreadable where tree.isLive(node) { queue(node, [.queuedDeep, .queuedGap]) }
    }

    func schedulePoll(_ now: MonotonicTime) {
        if polled.isEmpty && unreadable.isEmpty && unwatchedPatternPaths.isEmpty {
            nextPoll = nil
        } else if nextPoll == nil {
            nextPoll = MonotonicTime(nanoseconds: now.nanoseconds + settings.pollInterval)
        }
    }
}
