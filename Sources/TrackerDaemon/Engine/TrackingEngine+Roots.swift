import ChangeStore
import LinuxKernel
import Logging
import SystemPackage
import Tracking

/// Roots that come, go, are unmounted or replaced.
extension TrackingEngine {
    /// Fills the tree from the store: what the last run knew, before anything is looked at.
    func loadTree() throws(StoreError) {
        var stored: [StoredDirectory] = []
        try store.forEachDirectory { stored.append($0) }
        // A rename can put an older directory below a newer one, so parents are looked for until all are placed.
        var waiting = stored[...]
        while !waiting.isEmpty {
            var left: [StoredDirectory] = []
            for directory in waiting {
                let node: NodeID
                if directory.parent == .roots {
                    node = tree.addRoot(path: directory.name, identity: directory.identity)
                } else if let parent = tree.node(of: directory.parent) {
                    node = directory.name.withUnsafeBytes { tree.add($0, to: parent, identity: directory.identity) }
                } else {
                    left.append(directory)
                    continue
                }
                tree.setDirectory(directory.id, of: node)
            }
            guard left.count < waiting.count else {
                throw StoreError(
                    reason: .corrupt, operation: "reading the directories",
                    message: "\(left.count) directories have no parent")
            }
            waiting = left[...]
        }
    }

    /// Looks for the roots that the patterns mean, and compares them with those in the tree.
    func evaluateRoots() throws(StoreError) {
        let search = watchPatterns()
        for note in search.notes where notesTold.insert(note).inserted { tell(note) }
        notesTold.formIntersection(search.notes)
        let attributed = interpreter.takeRootsAttributed()
        for (watch, name) in interpreter.takeRemovedBesideRoots() {
            guard let directory = patternPaths[watch] else { continue }
            let path = directory.last == UInt8(ascii: "/") ? directory + name : directory + [UInt8(ascii: "/")] + name
            // What is removed where a root is missing is not that root.
            for root in tree.roots where tree.name(of: root) == path && !tree.state(of: root).contains(.missing) {
                tree.setState(.removalSeen, of: root)
            }
        }
        foreignRoots.formIntersection(search.roots)
        for path in search.roots where !tree.roots.contains(where: { tree.name(of: $0) == path }) {
            try addRoot(path)
        }
        for root in tree.roots {
            let path = tree.name(of: root)
            if settings.roots.contains(where: { $0.matches(path: path) }) {
                try check(root: root, path, attributed.contains(root) ? .metadata : [])
            } else {
                try drop(root: root, path)
            }
        }
    }

    /// Watches where roots may appear: watch, then search again, until the search names nothing unwatched.
    private func watchPatterns() -> RootSearch {
        var watched: Set<[UInt8]> = []
        var watches: [WatchDescriptor: [UInt8]] = [:]
        var unwatched: Set<[UInt8]> = []
        while true {
            var oracle = KernelDirectoryOracle()
            let search = RootSearch(settings.roots, in: &oracle)
            let wanted = Set(search.watched + search.passed).subtracting(watched)
            if wanted.isEmpty {
                for watch in patternPaths.keys where watches[watch] == nil && !tree.hasNode(of: watch) {
                    instance.inotify.remove(watch)
                }
                patternPaths = watches
                unwatchedPatternPaths = unwatched
                interpreter.rootWatches = Set(watches.keys)
                return search
            }
            for path in wanted {
                watched.insert(path)
                guard let directory = try? OwnedDescriptor.openDirectory(path, access: .look) else { continue }
                do throws(Errno) {
                    let watch = try instance.inotify.watch(
                        directory: directory.number, for: EventInterpreter.rootMask)
                    watches[watch] = path
                } catch {
                    unwatched.insert(path)
                }
            }
        }
    }

    private func tell(_ note: RootSearch.Note) {
        log.notice("\(note.sentence)")
    }

    private func addRoot(_ path: [UInt8]) throws(StoreError) {
        guard let opened = try? OpenDirectory(path, access: .look) else { return }
        let identity = try identity(of: opened.status, through: opened.descriptor.number)
        if isForeign(device: opened.status.device) {
            guard foreignRoots.insert(path).inserted else { return }
            log.error(
                "a root is on \(ForeignRoots.description): not tracked",
                metadata: ["root": "\(printable(path))", "remedy": "\(ForeignRoots.remedy)"])
            return
        }
        let root = tree.addRoot(path: path, identity: identity)
        try path.withRawBytes { (name) throws(StoreError) in
            try recordDirectory(root, name, opened.status, isBaseline ? .baseline : .created)
        }
        if isBaseline { tree.setState(.queuedSilent, of: root) }
        queue(root, [.queuedDeep, .queuedGap])
        log.info("tracking a root", metadata: ["root": "\(printable(path))"])
    }

    private func check(root: NodeID, _ path: [UInt8], _ hints: Hints) throws(StoreError) {
        let opened: OpenDirectory
        do throws(Errno) {
            opened = try OpenDirectory(path, access: .look)
        } catch {
            guard error == .noSuchFileOrDirectory || error == .notDirectory || error == .tooManySymbolicLinkLevels
            else { return tell(refused: error, root) }
            return try loseRoot(root, path)
        }
        let actual = try identity(of: opened.status, through: opened.descriptor.number)
        let wasMissing = tree.state(of: root).contains(.missing)
        tree.clearState(.missing, of: root)
        if actual != tree.identity(of: root) {
            if tree.state(of: root).contains(.removalSeen) && expected[root] == nil {
                try removeRoot(root)
                return try addRoot(path)
            }
            hold(root, seen: actual)
        } else if tree.state(of: root).contains(.removalSeen), expected[root] == nil, tree.watch(of: root) == nil {
            // Removed and made again with the same inode number.
            try removeRoot(root)
            return try addRoot(path)
        } else {
            // It is there: another one was removed in its place.
            if expected[root] == nil { tree.clearState(.removalSeen, of: root) }
            if wasMissing || tree.watch(of: root) == nil { queue(root, [.queuedDeep, .queuedGap]) }
        }
        try compareRoot(root, opened.status, hints)
    }

    /// A root's own attributes: it has no directory above it in the tree whose watch would tell.
    private func compareRoot(_ root: NodeID, _ status: FileStatus, _ hints: Hints) throws(StoreError) {
        guard !tree.state(of: root).contains(.held) else { return }
        let key = tree.identity(of: root).key
        guard let known = try store.attributes(of: key) else { return }
        let seen = EntryAttributes(status, lookedAt: .now)
        let entry = IndexedEntry(key: key, attributes: seen)
        let before = IndexedEntry(key: key, attributes: known)
        guard case .changed(let kind) = Verdict.of(known: before, seen: entry, hints: hints, reason: .hinted) else {
            return
        }
        try store.setAttributes(seen, of: key)
        try record(kind, of: root, entry)
    }

    /// A root that is not there. If its removal was seen, all that was in it went before it; otherwise nothing can be
    /// said about what was in it.
    private func loseRoot(_ root: NodeID, _ path: [UInt8]) throws(StoreError) {
        let state = tree.state(of: root)
        if state.contains(.removalSeen) && !state.contains(.held) { return try removeRoot(root) }
        guard !state.contains(.missing) else { return }
        tree.setState(.missing, of: root)
        log.warning(
            "a root is missing: what was in it is not taken for deleted",
            metadata: [
                "root": "\(printable(path))",
                "remedy": "mount or restore it, or run: changes accept \(printable(path))",
            ])
    }

    private func removeRoot(_ root: NodeID) throws(StoreError) {
        log.notice("a root was removed", metadata: ["root": "\(printable(tree.name(of: root)))"])
        try detach(root)
        try forgetDetached(root)
    }

    /// The configuration no longer names a root: nothing in it is said to be deleted.
    private func drop(root: NodeID, _ path: [UInt8]) throws(StoreError) {
        log.notice("no longer tracking a root", metadata: ["root": "\(printable(path))"])
        if let entry = try path.withRawBytes({ (name) throws(StoreError) in try store.entry(in: .roots, named: name) })
        {
            try record(.untracked, of: root, entry)
        }
        try forgetSubtree(root)
    }

    /// Takes a root's present state for right: what is missing in it is recorded as deleted.
    ///
    /// - Returns: what was done or why not, for the one who asked.
    func accept(_ path: [UInt8]) throws(StoreError) -> Result<String, RefusedOrder> {
        guard
            let node = tree.heldNodes.first(where: { tree.path(of: $0) == path })
                ?? unseen.first(where: { tree.isLive($0) && tree.path(of: $0) == path })
                ?? tree.roots.first(where: { tree.name(of: $0) == path })
        else { return .failure(RefusedOrder(reason: "\(printable(path)) is not a root that is tracked")) }
        if unseen.contains(node) {
            try detach(node)
            try forgetDetached(node)
            return .success("recorded the removal of \(printable(path))")
        }
        if tree.state(of: node).contains(.missing) {
            try removeRoot(node)
            return .success("recorded the removal of \(printable(path))")
        }
        guard let before = expected.removeValue(forKey: node) else {
            return .failure(RefusedOrder(reason: "\(printable(path)) is not held"))
        }
        let identity = tree.identity(of: node)
        let name = tree.name(of: node)
        tree.clearState(.held, of: node)
        if let directory = tree.directory(of: node), let parent = parentDirectory(of: node) {
            try name.withRawBytes { (bytes) throws(StoreError) in
                if let entry = try store.entry(in: parent, named: bytes), entry.key != identity.key {
                    try store.remove(bytes, in: parent, key: before.key)
                    _ = try store.add(bytes, in: parent, key: identity.key, attributes: entry.attributes)
                }
                try store.updateDirectory(directory, name: bytes, in: parent, identity: identity)
            }
        }
        accepting.insert(tree.root(of: node))
        queue(node, [.queuedDeep, .queuedGap])
        return .success("accepted \(printable(path)): what is missing there is being recorded as deleted")
    }

    // MARK: Exclusions

    /// Connects the exclude list and the tracker's own paths to the interpreter.
    func installExclusions() {
        // The last component decides nearly every name at once: this is asked for each event and each listed name.
        // They may be given through symlinks, and the tree knows no such paths.
        ownPaths = Set(settings.ownPaths + settings.ownPaths.map(FileSystemLook.withResolvedParent))
        let own = ownPaths.map { (last: lastComponent(of: $0), path: $0) }
        let exclude = settings.exclude
        interpreter.isExcluded = { [tree] name, node, isDirectory in
            if isOwn(name, in: node, tree, own) { return true }
            let bytes = name.assumingMemoryBound(to: UInt8.self)
            return exclude.excludes(name: bytes, isDirectory: isDirectory) { tree.relativePath(of: node) }
        }
    }
}

/// Whether a name is one of the tracker's own files or directories, or a ZFS snapshot directory.
private func isOwn(
    _ name: UnsafeRawBufferPointer, in node: NodeID, _ tree: DirectoryTree, _ own: [(last: [UInt8], path: [UInt8])]
) -> Bool {
    // `.zfs` shows every snapshot of a dataset, each a tree as large as the dataset itself.
    if name.count == 4 && name.elementsEqual([0x2E, 0x7A, 0x66, 0x73]) { return true }
    for candidate in own where candidate.last.count == name.count && candidate.last.elementsEqual(name) {
        if tree.path(of: node) + [UInt8(ascii: "/")] + candidate.last == candidate.path { return true }
    }
    return false
}

extension RootSearch.Note {
    /// What people should know of it, and do.
    var sentence: String {
        func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
        switch self {
        case .symlink(let path):
            return "\(text(path)) is a symlink, which is never followed: name the directory itself in [watch] roots"
        case .notDirectory(let path): return "\(text(path)) is not a directory: it cannot be a root"
        case .unreadable(let path, let code):
            return "\(text(path)) cannot be read (\(Errno(rawValue: code))): roots in it stay unknown"
        case .nested(let path, let outer): return "\(text(path)) is tracked as a part of the root \(text(outer))"
        case .unmatched(let pattern):
            return "no directory matches \(text(pattern.source)) now: it is tracked as soon as one appears"
        }
    }
}
