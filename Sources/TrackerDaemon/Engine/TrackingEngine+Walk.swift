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

    /// Walks all roots. Nothing of it is silent: with events lost, what is new cannot be told from what was there.
    func walkEverything() {
        tree.clearStateEverywhere(.queuedSilent)
        for root in tree.roots where !tree.state(of: root).contains(.missing) {
            queue(root, [.queuedDeep, .queuedGap])
        }
    }

    /// Goes on with the walk for a while.
    func walkSlice(until end: Int64) throws(StoreError) {
        while let node = walk.popFirst() {
            guard tree.isLive(node) else { continue }
            try scan(node)
            heartbeat.progress()
            if MonotonicTime.now.nanoseconds >= end { break }
        }
    }

    /// Lists a directory and compares it with the index: watch, list, look at every name, then at itself.
    func scan(_ node: NodeID) throws(StoreError) {
        let state = tree.state(of: node)
        tree.clearState([.queued, .queuedGap, .queuedDeep, .queuedSilent], of: node)
        let scope = ScanScope(state)
        guard try ensureRecorded(node) else { return try scanLater(node, state) }
        switch try open(node, for: .list) {
        case .directory(let opened): try scan(node, opened.descriptor.number, scope)
        case .notThere: try scanLater(node, state)
        case .refused(let error): tell(refused: error, node)
        }
    }

    /// A directory that is not at its name just now stays to be listed, for the same reason as before.
    private func scanLater(_ node: NodeID, _ state: NodeState) throws(StoreError) {
        try lookInto(node, .now)
        guard tree.isLive(node), isReachable(node) else { return }
        tree.setState(state.intersection([.queuedGap, .queuedDeep, .queuedSilent]).union(.queued), of: node)
        fresh.append(node)
    }

    private func scan(_ node: NodeID, _ descriptor: CInt, _ scope: ScanScope) throws(StoreError) {
        if tree.watch(of: node) == nil || scope.reason == .gap { watch(node, descriptor) }
        tree.clearState(.missing, of: node)
        if unreadable.remove(node) != nil { tree.clearState(.unreadable, of: node) }
        statistics.walked += 1
        let listing = Listing(hash: store.entryHash)
        do throws(Errno) {
            try lister.list(descriptor) { name, length, inode, isDirectory in
                let bytes = UnsafeRawBufferPointer(start: name, count: length)
                if !interpreter.isExcluded(bytes, node, isDirectory ?? false) {
                    listing.append(bytes, inode: inode)
                }
            }
        } catch {
            // A listing that failed deletes nothing.
            return tell(refused: error, node)
        }
        if arrivals[node] != nil { try recordVacated() }
        if let before = arrivals.removeValue(forKey: node) { try recordArrival(node, from: before, descriptor) }
        try compare(listing, with: node, descriptor, scope)
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
            comparison.meet(name, hash: hash, entry) { name in
                (try? FileStatus.of(name.cString, in: descriptor)).map { status in
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

    /// Puts what a baseline finds into the index: files several at a time, the rest one by one.
    private func addSilently(
        _ new: [Int], of listing: Listing, in node: NodeID, _ directory: DirectoryID, _ descriptor: CInt,
        _ scope: ScanScope
    ) throws(StoreError) {
        var files: [NewFile] = []
        files.reserveCapacity(new.count)
        for index in new {
            let file = try listing.withName(index) { (name) throws(StoreError) -> NewFile? in
                guard let status = try? FileStatus.of(name.cString, in: descriptor), !status.isDirectory else {
                    return nil
                }
                return NewFile(
                    name: listing.range(index), key: try key(of: status, named: name, in: descriptor),
                    attributes: EntryAttributes(status, lookedAt: .now))
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
            if scope.reason == .gap && !isAbsenceEvidence(of: entry, in: node) { return }
            let outcome = try look(at: name, in: node, descriptor, hints: [], origin: nil, reason: scope.reason)
            if outcome == .putOff { marks.mark(name, in: node, [.directory, .putOff]) }
        }
    }

    /// A name that is missing was deleted only if the same file system no longer has it: one that was mounted over, or
    /// unmounted, or a root that was swapped, says nothing about the files it hides.
    func isAbsenceEvidence(of entry: IndexedEntry, in node: NodeID) -> Bool {
        if accepting.contains(tree.root(of: node)) { return true }
        return entry.key.fileSystem == tree.identity(of: node).key.fileSystem
            && !tree.state(of: tree.root(of: node)).contains(.held)
    }

    /// The configuration no longer covers a name: it leaves the index, and nothing says that it was deleted.
    private func untrack(
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
    func poll(_ now: MonotonicTime) {
        nextPoll = nil
        for node in polled where tree.isLive(node) { queue(node, .queuedGap) }
        // What changed while a directory could not be read raised events that could not be looked into.
        for node in unreadable where tree.isLive(node) { queue(node, [.queuedDeep, .queuedGap]) }
    }

    func schedulePoll(_ now: MonotonicTime) {
        if polled.isEmpty && unreadable.isEmpty {
            nextPoll = nil
        } else if nextPoll == nil {
            nextPoll = MonotonicTime(nanoseconds: now.nanoseconds + settings.pollInterval)
        }
    }
}

/// What a scan is for.
struct ScanScope {
    let reason: LookReason
    let isDeep: Bool
    /// What it finds goes into the index without a record: the baseline of a new store.
    let isSilent: Bool

    init(_ state: NodeState) {
        reason = state.contains(.queuedGap) ? .gap : .hinted
        isDeep = state.contains(.queuedDeep)
        isSilent = state.contains(.queuedSilent)
    }
}

/// The directories that wait to be walked: a queue whose memory is given back as it empties.
struct WalkQueue {
    private var nodes: [NodeID] = []
    private var head = 0

    var isEmpty: Bool { head == nodes.count }

    mutating func append(_ node: NodeID) { nodes.append(node) }

    mutating func popFirst() -> NodeID? {
        guard head < nodes.count else { return nil }
        defer {
            head += 1
            if head == nodes.count {
                nodes = []
                head = 0
            } else if head > 4_096 && head * 2 > nodes.count {
                nodes.removeFirst(head)
                head = 0
            }
        }
        return nodes[head]
    }
}
