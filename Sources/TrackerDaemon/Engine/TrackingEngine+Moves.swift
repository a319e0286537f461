import ChangeStore
import LinuxKernel
import Tracking

/// A directory that has left its place and may turn up at another.
struct DetachedDirectory {
    var since: MonotonicTime
    /// What the index said of its own name; nil when it had not been recorded.
    var entry: IndexedEntry?
    /// The history's number of its old parent, and its old name.
    var origin: (directory: PathID, name: [UInt8])?
    /// The absolute path it had.
    var path: [UInt8] = []
    /// The history's numbers of the old paths of it and of the directories below.
    var paths: [NodeID: PathID] = [:]
}

/// Names that a directory and everything below it had, and that may be nobody's now.
struct VacatedNames {
    let entry: IndexedEntry
    /// The directory's old path, and the history's number of its parent.
    let path: [UInt8]
    let parent: PathID
    /// The directories that were there, each with its old path.
    let members: [(node: NodeID, path: [UInt8], id: PathID)]
}

extension TrackingEngine {
    /// Takes a directory out of its place. What becomes of its names is decided when it is known what stands there now:
    /// see `recordVacated`.
    func detach(_ node: NodeID) throws(StoreError) {
        var record = DetachedDirectory(since: .now)
        let parent = tree.parent(of: node)
        let name = tree.name(of: node)
        record.path = lastPath(of: node)
        if tree.directory(of: node) != nil, let directory = parentDirectory(of: node) {
            try name.withRawBytes { (bytes) throws(StoreError) in
                guard let entry = try store.entry(in: directory, named: bytes) else { return }
                record.entry = entry
                let above = try parentPath(of: node)
                record.origin = (above, lastComponent(of: name))
                var members: [(node: NodeID, path: [UInt8], id: PathID)] = []
                for member in tree.subtree(of: node) where tree.directory(of: member) != nil {
                    let id = try pathID(of: member)
                    record.paths[member] = id
                    members.append((member, lastPath(of: member), id))
                }
                vacated.append(VacatedNames(entry: entry, path: record.path, parent: above, members: members))
                try store.remove(bytes, in: directory, key: entry.key)
            }
            if parent != .none { entriesRecorded.insert(parent) }
        }
        tree.detach(node)
        misplaced[node] = nil
        detached[node] = record
    }

    /// The path a directory has, or had when it or a directory above it was taken out of its place.
    private func lastPath(of node: NodeID) -> [UInt8] {
        let top = tree.root(of: node)
        guard let record = detached[top] else { return tree.path(of: node) }
        return record.path + tree.path(of: node).dropFirst(tree.name(of: top).count)
    }

    /// Records the names that directories have left as deleted, but for those that something else has by now: of these
    /// there is a record already. An exchange of two directories deletes nothing.
    func recordVacated() throws(StoreError) {
        guard !vacated.isEmpty else { return }
        let due = vacated
        vacated = []
        for names in due {
            let isTaken = try isTaken(names.path)
            if !isTaken {
                try lastComponent(of: names.path).withRawBytes { (name) throws(StoreError) in
                    let attributes = names.entry.attributes
                    _ = try store.append(
                        ChangeEvent(
                            kind: .deleted, type: .directory, size: attributes.size, directory: names.parent, name: name
                        ),
                        at: .now)
                }
                statistics.changes += 1
            }
            for member in names.members {
                guard tree.isLive(member.node), let directory = tree.directory(of: member.node) else { continue }
                let occupant = isTaken ? node(at: member.path).flatMap(tree.directory(of:)) : nil
                try appendAll(of: directory, kind: .deleted, path: member.id, from: nil, unlessIn: occupant)
            }
        }
    }

    /// Whether the index has something at a path.
    private func isTaken(_ path: [UInt8]) throws(StoreError) -> Bool {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return false }
        if tree.roots.contains(where: { tree.name(of: $0) == path }) { return true }
        guard let parent = node(at: Array(path[..<slash])), let directory = tree.directory(of: parent) else {
            return false
        }
        return try Array(path[(slash + 1)...]).withRawBytes { (name) throws(StoreError) in
            try store.entry(in: directory, named: name) != nil
        }
    }

    /// The directory that the tree has at a path now.
    private func node(at path: [UInt8]) -> NodeID? {
        for root in tree.roots {
            let name = tree.name(of: root)
            if path == name { return root }
            guard path.starts(with: name), path[name.count] == UInt8(ascii: "/") else { continue }
            var node = root
            for component in path[(name.count + 1)...].split(separator: UInt8(ascii: "/")) {
                guard let child = Array(component).withRawBytes({ tree.child(of: node, named: $0) }) else { return nil }
                node = child
            }
            return node
        }
        return nil
    }

    /// One history row for each entry of a directory.
    private func appendAll(
        of directory: DirectoryID, kind: ChangeKind, path: PathID, from: PathID?, unlessIn occupant: DirectoryID? = nil
    ) throws(StoreError) {
        var failure: StoreError?
        let now = Timestamp.now
        try store.forEachEntry(in: directory) { name, entry in
            guard failure == nil else { return }
            do throws(StoreError) {
                if let occupant, try store.entry(in: occupant, named: name) != nil { return }
                try store.append(
                    ChangeEvent(
                        kind: kind, type: entry.attributes.type, size: entry.attributes.size, directory: path,
                        name: name,
                        from: from.map { ($0, name) }),
                    at: now)
                statistics.changes += 1
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Moves a known directory to the name where it was found, with everything below.
    ///
    /// - Returns: false when the new parent could not be recorded yet; the directory is then treated as gone from its
    ///   old place and found again later.
    func relocate(
        _ node: NodeID, to name: UnsafeRawBufferPointer, in parent: NodeID, _ status: FileStatus
    ) throws(StoreError) -> Bool {
        guard tree.directory(of: node) != nil else {
            tree.move(node, to: name, in: parent)
            detached[node] = nil
            return true
        }
        guard try ensureRecorded(parent), let directory = tree.directory(of: parent) else { return false }
        if detached[node] == nil { try detach(node) }
        guard let record = detached.removeValue(forKey: node), let entry = record.entry else { return false }

        // What the index still has at the name was overwritten by the rename.
        if let overwritten = try store.entry(in: directory, named: name) {
            try forget(overwritten, name, in: parent)
        }
        tree.move(node, to: name, in: parent)
        // The rename itself moved the directory's time of change.
        let attributes = EntryAttributes(status, lookedAt: .now)
        _ = try store.add(name, in: directory, key: entry.key, attributes: attributes)
        try store.updateDirectory(
            tree.directory(of: node)!, name: name, in: directory, identity: expected[node] ?? tree.identity(of: node))
        try append(.moved, name, in: parent, attributes, from: record.origin)
        for member in tree.subtree(of: node) {
            // The safety net: a move is explained by its events, and listing what came along proves it.
            queue(member, [])
            guard let below = tree.directory(of: member) else { continue }
            try appendAll(of: below, kind: .moved, path: try pathID(of: member), from: record.paths[member])
        }
        entriesRecorded.insert(parent)
        return true
    }

    /// Gives up the directories that have not turned up anywhere.
    func settleDetached(_ now: MonotonicTime) throws(StoreError) {
        let due = detached.filter { isHurried || now - $0.value.since >= 2 * Self.explanationTime }
        guard !due.isEmpty else { return }
        try recordVacated()
        for node in due.keys {
            detached[node] = nil
            try purge(node)
        }
    }

    /// Gives up a directory that was detached just now.
    func forgetDetached(_ node: NodeID) throws(StoreError) {
        try recordVacated()
        detached[node] = nil
        try purge(node)
    }

    /// Removes a directory and everything below without any record.
    func forgetSubtree(_ node: NodeID) throws(StoreError) {
        if let directory = parentDirectory(of: node) {
            try tree.name(of: node).withRawBytes { (name) throws(StoreError) in
                if let entry = try store.entry(in: directory, named: name) {
                    try store.remove(name, in: directory, key: entry.key)
                }
            }
        }
        tree.detach(node)
        try purge(node)
    }

    /// Removes a detached directory and everything below from the index, the tree and the kernel's watches.
    private func purge(_ node: NodeID) throws(StoreError) {
        for member in tree.subtree(of: node).reversed() {
            if let directory = tree.directory(of: member) {
                var entries: [([UInt8], IndexedEntry)] = []
                try store.forEachEntry(in: directory) { entries.append(([UInt8]($0), $1)) }
                for (name, entry) in entries {
                    try name.withRawBytes { (bytes) throws(StoreError) in
                        let heir = try store.remove(bytes, in: directory, key: entry.key)
                        if let heir { markHeir(heir) }
                    }
                }
                try store.removeDirectory(directory)
            }
            if let watch = tree.clearWatch(of: member) { instance.inotify.remove(watch) }
            polled.remove(member)
            unreadable.remove(member)
            misplaced[member] = nil
            entriesRecorded.remove(member)
            expected[member] = nil
            rootParents[member] = nil
            tree.remove(member)
        }
    }

    /// Another name of an inode that lost one: its link count and time of change follow.
    func markHeir(_ heir: EntryName) {
        guard let node = tree.node(of: heir.directory) else { return }
        marks.mark(heir.name, in: node, .linkLost)
    }
}
