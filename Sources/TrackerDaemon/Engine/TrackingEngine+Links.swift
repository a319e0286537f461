import ChangeStore
import LinuxKernel
import Tracking

/// Inodes with several names: a change through one of them is a change of each.
extension TrackingEngine {
    /// Marks the other names of an inode that changed: each gets its own record, in the same transaction as the one by
    /// which the index learned of it. After a crash in between nothing would tell of them.
    func markOthers(_ names: [EntryName], except this: EntryName?, _ kind: ChangeKind) {
        let hints: Hints = kind == .metadata ? [.metadata, .viaLink] : [.content, .viaLink]
        for other in names where other != this {
            guard let node = tree.node(of: other.directory) else { continue }
            echoes.mark(other.name, in: node, hints)
        }
    }

    /// Looks at the names that were marked for another name's sake. What cannot be looked at now is left to the next
    /// batch.
    func settleEchoes() throws(StoreError) {
        // A name that turns out to be another inode's has echoes of its own.
        while !echoes.isEmpty { try settleOnce() }
    }

    private func settleOnce() throws(StoreError) {
        echoing.exchange(with: echoes)
        defer { echoing.removeAll() }
        for node in echoing.nodes where tree.isLive(node) {
            guard try ensureRecorded(node), arrivals[node] == nil,
                case .directory(let opened) = try open(node, for: .look)
            else {
                for index in echoing.indices(of: node) {
                    echoing.withName(of: echoing[index]) { marks.mark($0, in: node, echoing[index].hints) }
                }
                continue
            }
            heartbeat.progress()
            for index in echoing.indices(of: node) {
                let hints = echoing[index].hints
                try echoing.withName(of: echoing[index]) { (name) throws(StoreError) in
                    let outcome = try look(
                        at: name, in: node, opened.descriptor.number, hints: hints, origin: nil, reason: .hinted)
                    if outcome == .putOff { marks.mark(name, in: node, hints.union(.putOff)) }
                }
            }
        }
    }

    /// The index gave up a name of an inode that has others, one of which is `heir`: its link count and time of change
    /// follow, and what events told of the inode by that name concerns all of them.
    ///
    /// - Parameter hints: what the name was marked with.
    func leave(
        _ name: UnsafeRawBufferPointer, in node: NodeID, _ key: InodeKey, to heir: EntryName, _ hints: Hints
    ) throws(StoreError) {
        markHeir(heir)
        let isExplained = !hints.isDisjoint(with: .takesName)
        try passOn(isExplained ? hints.intersection(.ofFormerInode) : hints, namesOf: key)
        formerNames.note(name, in: node, key, isExplained: isExplained, now: .now)
    }

    /// Another name of an inode that lost one: its link count and time of change follow.
    func markHeir(_ heir: EntryName) {
        guard let node = tree.node(of: heir.directory) else { return }
        marks.mark(heir.name, in: node, .linkLost)
    }

    /// What events told of an inode through a name that it no longer has concerns the names that it has.
    private func passOn(_ hints: Hints, namesOf key: InodeKey) throws(StoreError) {
        let told = hints.asFormer
        guard !told.isEmpty, !hints.contains(.viaLink) || hints.contains(.fresh) else { return }
        markOthers(try store.names(of: key), except: nil, told.contains(.formerContent) ? .modified : .metadata)
    }

    /// A name was looked at: what events told of the inodes that had it before goes to their other names.
    func passOnFormer(
        _ hints: Hints, _ origin: Origin?, _ name: UnsafeRawBufferPointer, in node: NodeID
    ) throws(StoreError) {
        for key in formerNames.inodes(toldOf: name, in: node, hints, now: .now) { try passOn(hints, namesOf: key) }
        for key in formerNames.inodes(perhapsToldOf: name, in: node, hints, now: .now) {
            // One name's look tells whether it is this inode that changed, and so reaches the others.
            if let heir = try store.firstName(of: key) { markHeir(heir) }
        }
        if !hints.isDisjoint(with: .takesName) { formerNames.explain(name, in: node) }
        guard let origin, let directory = tree.directory(of: node), let (key, _) = try source(origin) else { return }
        if try store.entry(in: directory, named: name)?.key == key { return }
        // What was renamed to the name has left it again: events that have not been read yet may tell of it.
        formerNames.note(name, in: node, key, isExplained: false, now: .now)
    }

    /// An excluded name had events: they count for the names of its inode that are not excluded. (An NFS client that
    /// removes an open file goes on writing to it by a name of this kind.)
    func lookAtExcluded(
        _ name: UnsafeRawBufferPointer, in node: NodeID, _ descriptor: CInt, _ hints: Hints, _ origin: Origin?
    ) throws(StoreError) {
        let told = hints.ofInodeThere
        if !told.isDisjoint(with: .ofInode), let status = try? FileStatus.of(name.cString, in: descriptor),
            !status.isDirectory, status.linkCount > 1
        {
            try passOn(told, namesOf: try key(of: status, named: name, in: descriptor))
        }
        if origin != nil || !formerNames.isEmpty { try passOnFormer(hints, origin, name, in: node) }
    }

    /// A name of a file without one: `#` and its inode's number (fs/dcache.c: d_mark_tmpfile). Events of a file that was
    /// opened with `O_TMPFILE` and got its names later tell of it by that.
    func passOnNameless(_ hints: Hints, _ name: UnsafeRawBufferPointer, in node: NodeID) throws(StoreError) {
        guard name.first == UInt8(ascii: "#"), !hints.isDisjoint(with: .ofInode) else { return }
        var inode: UInt64 = 0
        for digit in name.dropFirst() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return }
            let (tens, overflow) = inode.multipliedReportingOverflow(by: 10)
            if overflow { return }
            inode = tens &+ UInt64(digit - UInt8(ascii: "0"))
        }
        try passOn(hints, namesOf: InodeKey(fileSystem: tree.identity(of: node).key.fileSystem, inode: inode))
    }

    /// Names of a directory that goes from the tree, with events that were not looked into: what they tell of an inode
    /// concerns the names that it has elsewhere.
    func passOnMarks(of node: NodeID, _ directory: DirectoryID) throws(StoreError) {
        for set in [batch, marks, paced, echoes] {
            for index in set.indices(of: node) where !set[index].hints.asFormer.isEmpty {
                let hints = set[index].hints
                try set.withName(of: set[index]) { (name) throws(StoreError) in
                    if let known = try store.entry(in: directory, named: name), known.attributes.type != .directory {
                        try passOn(hints, namesOf: known.key)
                    }
                    for key in formerNames.inodes(toldOf: name, in: node, hints, now: .now) {
                        try passOn(hints, namesOf: key)
                    }
                }
                if let origin = set.origin(of: index), let (key, _) = try source(origin) {
                    try passOn(hints, namesOf: key)
                }
            }
        }
    }

    /// The inode that was renamed from a place, and the history's number of that directory.
    func source(_ origin: Origin) throws(StoreError) -> (key: InodeKey, directory: PathID)? {
        if let (key, path) = departed[origin] { return (key, path) }
        guard tree.isLive(origin.node), let directory = tree.directory(of: origin.node) else { return nil }
        return try origin.name.withRawBytes { (name) throws(StoreError) in
            let key =
                try store.entry(in: directory, named: name)?.key ?? formerNames.lastInode(at: name, in: origin.node)
            return try key.map { (key) throws(StoreError) in (key, try pathID(of: origin.node)) }
        }
    }

    // MARK: One more name

    /// An inode that the index knows got one more name. What else differs concerns all its names.
    func joinOthers(
        _ key: InodeKey, _ attributes: EntryAttributes, except new: EntryName, _ hints: Hints,
        _ origin: Origin?
    ) throws(StoreError) {
        guard let before = try store.attributes(of: key) else { return }
        if before.type != attributes.type {
            // A name that is looked at for this has the new inode too, and comes here again.
            if givenUp.insert(key).inserted {
                try giveUp(namesOf: key, except: new)
                givenUp.remove(key)
            }
            return try store.setAttributes(attributes, of: key)
        }
        let verdict = Verdict.of(
            known: IndexedEntry(key: key, attributes: before), seen: IndexedEntry(key: key, attributes: attributes),
            hints: hints.ofInodeThere, reason: .hinted)
        try store.setAttributes(attributes, of: key)
        if case .changed(let kind) = verdict {
            markOthers(try store.names(of: key), except: new, kind)
        } else if try Int(attributes.linkCount) < store.nameCount(of: key) {
            // Some of them are gone; the one it was renamed from has its own mark.
            for other in try store.names(of: key) where other != new {
                guard let node = tree.node(of: other.directory), origin != Origin(node: node, name: other.name) else {
                    continue
                }
                marks.mark(other.name, in: node, .viaLink)
            }
        }
    }

    /// An inode number was given again to something of another type: what had it before is no longer what its names
    /// name, and they are looked at while the index still says what that was.
    private func giveUp(namesOf key: InodeKey, except new: EntryName) throws(StoreError) {
        for other in try store.names(of: key) where other != new {
            guard let node = tree.node(of: other.directory) else { continue }
            if arrivals[node] == nil, case .directory(let opened) = try open(node, for: .look) {
                _ = try other.name.withTerminatedName { (name) throws(StoreError) in
                    try look(
                        at: name, in: node, opened.descriptor.number, hints: .putOff, origin: nil, reason: .hinted)
                }
            } else {
                marks.mark(other.name, in: node, .viaLink)
            }
        }
    }

    /// The index had not heard of a change of an inode when one of its names was found in a moved directory: the event
    /// was about the name where the directory was before. The other names get their records too.
    func tellOthers(
        of known: IndexedEntry, seen attributes: EntryAttributes, _ this: EntryName
    ) throws(StoreError) {
        guard max(known.attributes.linkCount, attributes.linkCount) > 1, known.attributes.changed != attributes.changed
        else { return }
        let seen = IndexedEntry(key: known.key, attributes: attributes)
        let verdict = Verdict.of(known: known, seen: seen, hints: [], reason: .gap)
        guard case .changed(let kind) = verdict else { return }
        markOthers(try store.names(of: known.key), except: this, kind)
    }
}
