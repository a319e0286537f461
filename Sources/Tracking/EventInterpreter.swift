public import ChangeStore
public import LinuxKernel

/// Turns inotify events into marks: which names have to be looked at, and why. It looks at nothing itself.
public final class EventInterpreter {
    private let tree: DirectoryTree
    private let marks: MarkSet
    private var pairing = MovePairing()
    /// Names that were written to in an earlier batch and have not been closed since, by hash, with the time of that
    /// batch. Forgetting one costs a record too many, of its close.
    private var writtenOpen: [UInt64: MonotonicTime] = [:]
    private static let writtenOpenLimit = 65_536
    /// How long a write explains a close, in nanoseconds. truncate(2) raises `IN_MODIFY` with no close to follow, and must
    /// not explain that of a mapping long after; the NFSv3 server closes 4 s after the write (measured).
    private static let closeExplained: Int64 = 10_000_000_000

    /// File systems on which a write through a mapping moves no time (tmpfs, ramfs): only its close tells of it, so there
    /// every close counts.
    public var timelessMappings: Set<FileSystemID> = []
    /// Says whether a name is excluded: name, its directory, whether it is a directory.
    public var isExcluded: (UnsafeRawBufferPointer, NodeID, Bool) -> Bool = { _, _, _ in false }
    /// Watches on directories in which roots may appear.
    public var rootWatches: Set<WatchDescriptor> = []

    /// Directories that may be new at a name, in the order of the events: to be looked at before anything else, so
    /// that their watch comes as soon as it can.
    public private(set) var discoveries: [(node: NodeID, name: [UInt8])] = []
    /// Directories whose watch the kernel ended.
    public private(set) var unwatched: [NodeID] = []
    /// The kernel dropped events: everything has to be walked.
    public private(set) var overflowed = false
    /// A root may have come, gone or changed.
    public private(set) var rootsTouched = false
    /// Roots whose own attributes changed.
    private var rootsAttributed: Set<NodeID> = []
    /// Directories that were removed where roots are: some were roots.
    private var removedBesideRoots: [(watch: WatchDescriptor, name: [UInt8])] = []
    /// Events interpreted since the start.
    public private(set) var eventCount: Int64 = 0

    public init(tree: DirectoryTree, marks: MarkSet) {
        self.tree = tree
        self.marks = marks
    }

    /// The mask of every directory's watch.
    public static let mask: InotifyMask = [
        .create, .delete, .movedFrom, .movedTo, .modify, .attributes, .closeWrite, .deleteSelf, .moveSelf,
        .onlyDirectory,
    ]
    /// The mask of the directories in which roots may appear.
    public static let rootMask: InotifyMask = [
        .create, .delete, .movedFrom, .movedTo, .deleteSelf, .moveSelf, .onlyDirectory, .addToMask,
    ]

    /// Interprets all records of `bytes`, as read from an inotify descriptor.
    public func interpret(_ bytes: UnsafeRawBufferPointer, now: MonotonicTime) {
        var offset = 0
        while let (event, next) = InotifyEvent.read(bytes, at: offset) {
            offset = next
            eventCount += 1
            let name = UnsafeRawBufferPointer(rebasing: bytes[event.name])
            if event.mask.contains(.queueOverflow) {
                overflowed = true
                continue
            }
            if !rootWatches.isEmpty && rootWatches.contains(event.watch) {
                rootsTouched = true
                if event.mask.contains(.delete) && event.mask.contains(.isDirectory) {
                    removedBesideRoots.append((event.watch, [UInt8](name)))
                }
                if event.mask.contains(.ignored) { rootWatches.remove(event.watch) }
            }
            tree.forEachNode(of: event.watch) { node in
                if name.isEmpty {
                    onItself(event, node)
                } else {
                    onEntry(event, name, node, now)
                }
            }
        }
        pairing.forget(before: now.advanced(milliseconds: -1_000))
    }

    /// Events about the watched directory itself.
    private func onItself(_ event: InotifyEvent, _ node: NodeID) {
        if event.mask.contains(.ignored) {
            _ = tree.clearWatch(of: node)
            unwatched.append(node)
        }
        if event.mask.contains(.deleteSelf) { tree.setState(.removalSeen, of: node) }
        if tree.isRoot(node) {
            // A root has no watched parent in the tree that would tell.
            rootsTouched = true
            if !event.mask.isDisjoint(with: [.attributes, .modify]) { rootsAttributed.insert(node) }
        } else if !event.mask.isDisjoint(with: [.attributes, .modify]) {
            let parent = tree.parent(of: node)
            guard parent != .none else { return }
            marks.mark(tree.name(of: node), in: parent, [.metadata, .directory, .fresh])
        }
    }

    private func onEntry(_ event: InotifyEvent, _ name: UnsafeRawBufferPointer, _ node: NodeID, _ now: MonotonicTime) {
        let isDirectory = event.mask.contains(.isDirectory)
        let isExcluded = isExcluded(name, node, isDirectory)
        if isExcluded && isDirectory { return }
        var hints: Hints = isDirectory ? [.directory, .fresh] : isExcluded ? [.excluded, .fresh] : .fresh
        var origin: Origin?
        if event.mask.contains(.modify) { hints.formUnion(isDirectory ? .metadata : [.content, .writtenOpen]) }
        if event.mask.contains(.attributes) { hints.insert(.metadata) }
        if event.mask.contains(.closeWrite) { hints.insert(closeHint(name, node, now)) }
        if event.mask.contains(.create) { hints.insert(.appeared) }
        if event.mask.contains(.delete) { hints.insert(.vanished) }
        if event.mask.contains(.movedFrom) {
            hints.formUnion([.vanished, .renamed])
            let origin = marks.origin(of: name, in: node) ?? Origin(node: node, name: [UInt8](name))
            pairing.from(event.cookie, origin, hints: marks.hints(of: name, in: node), now: now)
        }
        if event.mask.contains(.movedTo) {
            hints.formUnion([.appeared, .renamedTo])
            if let half = pairing.to(event.cookie) {
                origin = half.origin
                // The index may never have heard of the old name: what was written through it goes along.
                if !isDirectory { hints.formUnion(half.hints) }
            }
        }
        marks.mark(name, in: node, hints, origin: origin)
        guard isDirectory else { return }
        if hints.contains(.appeared) { discoveries.append((node, [UInt8](name))) }
        if event.mask.contains(.delete), let child = tree.child(of: node, named: name) {
            tree.setState(.removalSeen, of: child)
        }
    }

    private func closeHint(_ name: UnsafeRawBufferPointer, _ node: NodeID, _ now: MonotonicTime) -> Hints {
        if !timelessMappings.isEmpty, timelessMappings.contains(tree.identity(of: node).key.fileSystem) {
            return .loneClose
        }
        guard !writtenOpen.isEmpty, let since = writtenOpen.removeValue(forKey: NameHash.hash(name, in: node.index)),
            now - since < Self.closeExplained
        else { return .loneClose }
        return .closed
    }

    /// Remembers which names of a batch are still open for writing, before the batch is given up.
    public func noteWrittenOpen(in batch: MarkSet, now: MonotonicTime) {
        for index in 0..<batch.count where batch[index].hints.contains(.writtenOpen) {
            if writtenOpen.count >= Self.writtenOpenLimit { writtenOpen.removeAll(keepingCapacity: true) }
            batch.withName(of: batch[index]) { name in
                writtenOpen[NameHash.hash(name, in: batch[index].node.index)] = now
            }
        }
    }

    // MARK: Taking what was found

    public func takeDiscoveries() -> [(node: NodeID, name: [UInt8])] {
        defer { discoveries.removeAll(keepingCapacity: true) }
        return discoveries
    }

    public func takeUnwatched() -> [NodeID] {
        defer { unwatched.removeAll(keepingCapacity: true) }
        return unwatched
    }

    public func takeOverflow() -> Bool {
        defer { overflowed = false }
        return overflowed
    }

    public func takeRootsAttributed() -> Set<NodeID> {
        defer { rootsAttributed.removeAll() }
        return rootsAttributed
    }

    public func takeRemovedBesideRoots() -> [(watch: WatchDescriptor, name: [UInt8])] {
        defer { removedBesideRoots.removeAll() }
        return removedBesideRoots
    }

    public func takeRootsTouched() -> Bool {
        defer { rootsTouched = false }
        return rootsTouched
    }
}

extension MarkSet {
    /// Marks a name held in an array.
    public func mark(_ name: [UInt8], in node: NodeID, _ hints: Hints) {
        name.withUnsafeBytes { mark($0, in: node, hints) }
    }
}
