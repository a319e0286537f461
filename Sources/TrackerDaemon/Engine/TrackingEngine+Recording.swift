import ChangeStore
import LinuxKernel
import SystemPackage
import Tracking

/// Writing to the history and to the index.
extension TrackingEngine {
    /// One history row for a name in a directory of the tree.
    ///
    /// - Parameter isContentUncertain: events that would tell of a write may be missing, so that one which put size and
    ///   time back would look like this.
    func append(
        _ kind: ChangeKind, isContentUncertain: Bool = false, _ name: UnsafeRawBufferPointer, in node: NodeID,
        _ attributes: EntryAttributes, from origin: (directory: PathID, name: [UInt8])? = nil
    ) throws(StoreError) {
        let path = try pathID(of: node)
        let now = Timestamp.now
        if let origin {
            try origin.name.withRawBytes { (from) throws(StoreError) in
                _ = try store.append(
                    ChangeEvent(
                        kind: kind, isContentUncertain: isContentUncertain, type: attributes.type,
                        size: attributes.size, directory: path, name: name, from: (origin.directory, from)),
                    at: now)
            }
        } else {
            try store.append(
                ChangeEvent(
                    kind: kind, isContentUncertain: isContentUncertain, type: attributes.type, size: attributes.size,
                    directory: path, name: name),
                at: now)
        }
        count(kind, in: node)
        pacing.recorded(name, in: node, now: .now)
        if attributes.isRacy && kind != .deleted && kind != .untracked { noteRacy(name, in: node, attributes) }
    }

    /// A walk would take what was looked at so shortly after its change for changed again: it is looked at once more
    /// when things are quiet and its times can be trusted.
    func noteRacy(_ name: UnsafeRawBufferPointer, in node: NodeID, _ attributes: EntryAttributes) {
        // One whose time is ahead of the clock stays racy until the clock has caught up.
        guard racy.count < Self.mostRacy, attributes.changed <= .now else { return }
        racy.mark(name, in: node, .recheck)
        let due = MonotonicTime.now.advanced(milliseconds: attributes.isCoarse ? 1_100 : 100)
        racyCheck = max(racyCheck ?? due, due)
    }

    /// One history row for a directory of the tree itself.
    func record(_ kind: ChangeKind, of node: NodeID, _ entry: IndexedEntry) throws(StoreError) {
        let path = try parentPath(of: node)
        try lastComponent(of: tree.name(of: node)).withRawBytes { (name) throws(StoreError) in
            _ = try store.append(
                ChangeEvent(
                    kind: kind, type: entry.attributes.type, size: entry.attributes.size, directory: path, name: name),
                at: .now)
        }
        count(kind, in: node)
    }

    /// The history's number of a directory's path as it is now.
    func pathID(of node: NodeID) throws(StoreError) -> PathID {
        if let known = tree.pathID(of: node) { return known }
        let path = try store.intern(path: tree.path(of: node))
        tree.setPathID(path, of: node)
        return path
    }

    /// The history's number of the path that a directory's own name stands in.
    func parentPath(of node: NodeID) throws(StoreError) -> PathID {
        guard tree.isRoot(node) else { return try pathID(of: tree.parent(of: node)) }
        if let known = rootParents[node] { return known }
        let path = tree.name(of: node)
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        let parent = try store.intern(path: slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash]))
        rootParents[node] = parent
        return parent
    }

    /// The name of a directory; of a root, whose name is its path, the last component.
    func lastComponent(of name: [UInt8]) -> [UInt8] {
        name.lastIndex(of: UInt8(ascii: "/")).map { Array(name[($0 + 1)...]) } ?? name
    }

    /// Where the index has a directory's own entry.
    func parentDirectory(of node: NodeID) -> DirectoryID? {
        tree.isRoot(node) ? .roots : tree.directory(of: tree.parent(of: node))
    }

    /// What was seen just now behind a name of a directory.
    func seen(_ status: FileStatus, _ key: InodeKey, in parent: NodeID) -> EntryAttributes {
        var attributes = EntryAttributes(status, lookedAt: .now)
        if status.isDirectory, !status.isMountRoot, parent != .none,
            key.fileSystem != tree.identity(of: parent).key.fileSystem
        {
            attributes.boundary = .subvolume
        }
        return attributes
    }

    // MARK: Directories

    /// Makes sure that a directory is in the index before anything in it is: parents come before children.
    ///
    /// - Returns: false when it, or one above it, is not where it was seen.
    func ensureRecorded(_ node: NodeID) throws(StoreError) -> Bool {
        if tree.directory(of: node) != nil { return true }
        let parent = tree.parent(of: node)
        guard parent != .none, try ensureRecorded(parent) else {
            if unreadable.contains(parent) { unreadable.insert(node) }
            return false
        }
        // What a moved directory brought along is told first: a name that is new in it was never where it was before.
        if arrivals[parent] != nil { return false }
        switch try open(parent, for: .look) {
        case .directory(let opened): return try recordWhereSeen(node, in: parent, opened.descriptor.number)
        case .notThere: return false
        case .refused(let error):
            tell(refused: error, parent)
            unreadable.insert(node)
            return false
        }
    }

    private func recordWhereSeen(
        _ node: NodeID, in parent: NodeID, _ descriptor: CInt
    ) throws(StoreError) -> Bool {
        try tree.name(of: node).withTerminatedName { (name) throws(StoreError) in
            guard let status = try? FileStatus.of(name.cString, in: descriptor), status.isDirectory,
                try self.key(of: status, named: name, in: descriptor) == tree.identity(of: node).key,
                let directory = tree.directory(of: parent)
            else { return false }
            let known = try store.entry(in: directory, named: name)
            if let known { try forget(known, name, in: parent) }
            try recordDirectory(node, name, status, known == nil ? .created : .replaced)
            return true
        }
    }

    /// Writes a directory that the index does not have.
    ///
    /// - Parameter kind: nil for one that goes in without a record.
    func recordDirectory(
        _ node: NodeID, _ name: UnsafeRawBufferPointer, _ status: FileStatus, _ kind: ChangeKind?
    ) throws(StoreError) {
        guard let parent = parentDirectory(of: node) else { return }
        let identity = tree.identity(of: node)
        let attributes = seen(status, identity.key, in: tree.parent(of: node))
        let id = try store.addDirectory(name, in: parent, identity: identity)
        tree.setDirectory(id, of: node)
        if try !store.add(name, in: parent, key: identity.key, attributes: attributes) {
            // A directory has one name: whatever the index has under this inode is out of date, or a bind mount.
            try store.setAttributes(attributes, of: identity.key)
        }
        guard let kind else { return }
        unlisted.insert(node)
        if kind == .created { hasNewDirectories = true }
        if tree.isRoot(node) {
            try record(kind, of: node, IndexedEntry(key: identity.key, attributes: attributes))
        } else {
            entriesRecorded.insert(tree.parent(of: node))
            try append(kind, name, in: tree.parent(of: node), attributes)
        }
    }

    /// Whether a directory was recorded as created since the last call: it is being filled now.
    func takeNewDirectories() -> Bool {
        defer { hasNewDirectories = false }
        return hasNewDirectories
    }

    /// Takes a name out of the index without a record of its own: something else has taken its place.
    ///
    /// - Parameter hints: what the name was marked with, when that is known.
    func forget(
        _ entry: IndexedEntry, _ name: UnsafeRawBufferPointer, in node: NodeID, _ hints: Hints = []
    ) throws(StoreError) {
        guard let directory = tree.directory(of: node) else { return }
        if let heir = try store.remove(name, in: directory, key: entry.key) {
            try leave(name, in: node, entry.key, to: heir, hints)
        }
    }
}
