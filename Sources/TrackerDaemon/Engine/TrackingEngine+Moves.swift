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
    /// The history's numbers of the old paths of it and of the directories below.
    var paths: [NodeID: PathID] = [:]
}

extension TrackingEngine {
    /// Takes a directory out of its place: its name and every name below are recorded as deleted, once.
    func detach(_ node: NodeID) throws(StoreError) {
        var record = DetachedDirectory(since: .now)
        let parent = tree.parent(of: node)
        let name = tree.name(of: node)
        if tree.directory(of: node) != nil, let directory = parentDirectory(of: node) {
            try name.withRawBytes { (bytes) throws(StoreError) in
                guard let entry = try store.entry(in: directory, named: bytes) else { return }
                record.entry = entry
                record.origin = try (parentPath(of: node), lastComponent(of: name))
                try self.record(.deleted, of: node, entry)
                for member in tree.subtree(of: node) {
                    guard let directory = tree.directory(of: member) else { continue }
                    let path = try pathID(of: member)
                    record.paths[member] = path
                    try appendAll(of: directory, kind: .deleted, path: path, from: nil)
                }
                try store.remove(bytes, in: directory, key: entry.key)
            }
            if parent != .none { entriesRecorded.insert(parent) }
        }
        tree.detach(node)
        misplaced[node] = nil
        detached[node] = record
    }

    /// One history row for each entry of a directory.
    private func appendAll(of directory: DirectoryID, kind: ChangeKind, path: PathID, from: PathID?) throws(StoreError)
    {
        var failure: StoreError?
        let now = Timestamp.now
        try store.forEachEntry(in: directory) { name, entry in
            guard failure == nil else { return }
            do throws(StoreError) {
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
        guard !detached.isEmpty else { return }
        for (node, record) in detached where isHurried || now - record.since >= 2 * Self.explanationTime {
            detached[node] = nil
            try purge(node)
        }
    }

    /// Gives up a directory that was detached just now.
    func forgetDetached(_ node: NodeID) throws(StoreError) {
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
