import ChangeStore
import LinuxKernel
import Tracking

import struct SystemPackage.Errno

/// A directory that has left its place and may turn up at another.
struct DetachedDirectory {
    var since: MonotonicTime
    /// What the index said of its own name; nil when it had not been recorded.
    var entry: IndexedEntry?
    /// The history's number of its old parent, and its old name.
    var origin: (directory: PathID, name: [UInt8])?
    /// The paths under which the history last told of it and of the directories below.
    var places: [NodeID: RecordedPlace] = [:]
}

/// The path under which the history last told of a directory's entries.
struct RecordedPlace {
    let path: [UInt8]
    let id: PathID
}

/// Names that a directory and everything below it had, and that may be nobody's now.
struct VacatedNames {
    let entry: IndexedEntry
    let path: [UInt8]
    /// The history's number of the directory that `path` is in.
    let parent: PathID
    /// The directories that were there, whose entries had names there.
    let members: [(node: NodeID, place: RecordedPlace)]
}

/// A name that something else had when a directory, or what was in it, had left it.
struct ContestedName {
    let type: FileType
    let size: Int64
    let name: [UInt8]
    let directory: RecordedPlace
    let since: MonotonicTime
}

/// Directories that leave their places, and arrive at others.
extension TrackingEngine {
    /// Takes a directory out of its place. What becomes of its names is decided when it is known what stands there now:
    /// see `recordVacated`.
    func detach(_ node: NodeID) throws(StoreError) {
        var record = DetachedDirectory(since: .now)
        let parent = tree.parent(of: node)
        let name = tree.name(of: node)
        if tree.directory(of: node) != nil, let directory = parentDirectory(of: node) {
            try name.withRawBytes { (bytes) throws(StoreError) in
                guard let entry = try store.entry(in: directory, named: bytes) else { return }
                let above =
                    tree.isRoot(node)
                    ? RecordedPlace(path: Self.parentPath(of: name), id: try parentPath(of: node))
                    : try recordedPlace(of: parent)
                record.entry = entry
                record.origin = (above.id, lastComponent(of: name))
                var members: [(node: NodeID, place: RecordedPlace)] = []
                for member in tree.subtree(of: node) where tree.directory(of: member) != nil {
                    let place = try recordedPlace(of: member)
                    record.places[member] = place
                    // The old names of what has not been looked at since it arrived are dealt with already.
                    if arrivals[member] == nil { members.append((member, place)) }
                }
                vacated.append(
                    VacatedNames(
                        entry: entry, path: Self.join(above.path, lastComponent(of: name)), parent: above.id,
                        members: members))
                try store.remove(bytes, in: directory, key: entry.key)
            }
            if parent != .none { entriesRecorded.insert(parent) }
        }
        tree.detach(node)
        misplaced[node] = nil
        detached[node] = record
    }

    /// Where the history last told of a directory's entries: until a directory that was moved has been looked at, that
    /// is where it was before.
    private func recordedPlace(of node: NodeID) throws(StoreError) -> RecordedPlace {
        if let before = arrivals[node] { return before }
        let top = tree.root(of: node)
        if let before = detached[top]?.places[node] { return before }
        return RecordedPlace(path: tree.path(of: node), id: try pathID(of: node))
    }

    private static func join(_ directory: [UInt8], _ name: [UInt8]) -> [UInt8] {
        directory.last == UInt8(ascii: "/") ? directory + name : directory + [UInt8(ascii: "/")] + name
    }

    private static func parentPath(of path: [UInt8]) -> [UInt8] {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash])
    }

    /// Records the names that directories have left as deleted, but for those that something else has by now: an
    /// exchange of two directories deletes nothing that both have.
    func recordVacated() throws(StoreError) {
        guard !vacated.isEmpty else { return }
        let due = vacated
        vacated = []
        let now = MonotonicTime.now
        for names in due {
            let isTaken = isTaken(lastComponent(of: names.path), in: Self.parentPath(of: names.path))
            if isTaken {
                contested.append(
                    ContestedName(
                        type: .directory, size: names.entry.attributes.size, name: lastComponent(of: names.path),
                        directory: RecordedPlace(path: Self.parentPath(of: names.path), id: names.parent), since: now))
            } else {
                try lastComponent(of: names.path).withRawBytes { (name) throws(StoreError) in
                    try appendDeleted(
                        .directory, names.entry.attributes.size, name,
                        RecordedPlace(path: Self.parentPath(of: names.path), id: names.parent))
                }
            }
            for member in names.members {
                heartbeat.progress()
                guard tree.isLive(member.node), let directory = tree.directory(of: member.node) else { continue }
                try recordVacated(entriesOf: directory, at: member.place, mayBeTaken: isTaken)
            }
        }
    }

    private func recordVacated(
        entriesOf directory: DirectoryID, at place: RecordedPlace, mayBeTaken: Bool
    ) throws(StoreError) {
        var failure: StoreError?
        try store.forEachEntry(in: directory) { name, entry in
            guard failure == nil else { return }
            do throws(StoreError) {
                if mayBeTaken, isTaken([UInt8](name), in: place.path) {
                    contested.append(
                        ContestedName(
                            type: entry.attributes.type, size: entry.attributes.size, name: [UInt8](name),
                            directory: place, since: .now))
                    return
                }
                try appendDeleted(entry.attributes.type, entry.attributes.size, name, place)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Looks again at the names that something else had: it may have left them before it was recorded there, and then
    /// nothing but this tells that they are gone.
    func settleContested(_ now: MonotonicTime) throws(StoreError) {
        let isQuiet = marks.isEmpty && fresh.isEmpty && misplaced.isEmpty
        guard !contested.isEmpty, now >= contestCheck || isQuiet || isHurried else { return }
        contestCheck = MonotonicTime(nanoseconds: now.nanoseconds + Self.contestInterval)
        let due = contested
        contested = []
        for name in due {
            heartbeat.progress()
            if !isTaken(name.name, in: name.directory.path) {
                try name.name.withRawBytes { (bytes) throws(StoreError) in
                    try appendDeleted(name.type, name.size, bytes, name.directory)
                }
            } else if !isQuiet && now - name.since < Self.contestTime {
                contested.append(name)
            }
        }
    }

    private func appendDeleted(
        _ type: FileType, _ size: Int64, _ name: UnsafeRawBufferPointer, _ directory: RecordedPlace
    ) throws(StoreError) {
        try store.append(
            ChangeEvent(kind: .deleted, type: type, size: size, directory: directory.id, name: name), at: .now)
        count(.deleted, below: directory.path)
    }

    /// Whether there is something on the disk at a name, or may be: only its absence for certain is a deletion.
    private func isTaken(_ name: [UInt8], in path: [UInt8]) -> Bool {
        do throws(Errno) {
            let directory = try OwnedDescriptor.openDirectory(path, access: .look)
            _ = try name.withTerminatedName { (name) throws(Errno) in
                try FileStatus.of(name.cString, in: directory.number)
            }
            return true
        } catch {
            return ![.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error)
        }
    }

    /// Records what a directory that was moved brought along, as it is found there: with where it was before.
    ///
    /// What the index knew of it and is no longer in it has gone before or after the move, unseen: its old name is
    /// recorded as deleted, and a new one it never had.
    func recordArrival(
        _ node: NodeID, from before: RecordedPlace, _ descriptor: CInt
    ) throws(StoreError) {
        guard let directory = tree.directory(of: node) else { return }
        var entries: [([UInt8], IndexedEntry)] = []
        try store.forEachEntry(in: directory) { entries.append(([UInt8]($0), $1)) }
        for (bytes, entry) in entries {
            try bytes.withTerminatedName { (name) throws(StoreError) in
                let status: FileStatus
                do throws(Errno) {
                    status = try FileStatus.of(name.cString, in: descriptor)
                } catch {
                    // Anything but ENOENT says nothing; the listing that follows tells of it.
                    guard error == .noSuchFileOrDirectory else { return }
                    if let child = tree.child(of: node, named: name) { return try detach(child) }
                    return try forget(entry, name, in: node)
                }
                // What is something else by now is compared like any other name.
                guard try key(of: status, named: name, in: descriptor) == entry.key,
                    status.type == entry.attributes.type
                else { return }
                let attributes = status.isDirectory ? entry.attributes : EntryAttributes(status, lookedAt: .now)
                if attributes != entry.attributes {
                    try store.setAttributes(attributes, of: entry.key)
                    try tellOthers(of: entry, seen: attributes, EntryName(directory: directory, name: bytes))
                }
                // A rename of the directory leaves the times of what is in it alone.
                let isTouched = attributes.type == .file && attributes.changed != entry.attributes.changed
                try append(
                    .moved, isContentUncertain: isTouched, name, in: node, attributes, from: (before.id, bytes))
            }
        }
    }

    /// Records what a moved directory brought along as the index has it: it cannot be looked into.
    func recordArrivalUnseen(_ node: NodeID) throws(StoreError) {
        guard let before = arrivals.removeValue(forKey: node), let directory = tree.directory(of: node) else { return }
        var entries: [([UInt8], IndexedEntry)] = []
        try store.forEachEntry(in: directory) { entries.append(([UInt8]($0), $1)) }
        for (bytes, entry) in entries {
            try bytes.withRawBytes { (name) throws(StoreError) in
                try append(.moved, name, in: node, entry.attributes, from: (before.id, bytes))
            }
        }
    }

    /// Brings index and history together before a commit that cannot wait: after a crash nothing would tell that the rows
    /// of what was moved are missing.
    func settleArrivals() throws(StoreError) {
        try recordVacated()
        // One that is out of its place just now is detached: its next place, or its end, has the rows.
        while let node = arrivals.keys.first(where: { tree.isLive($0) && tree.isRoot(tree.root(of: $0)) }) {
            try scan(node)
            try recordArrivalUnseen(node)
            heartbeat.progress()
        }
        try recordVacated()
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
        guard try ensureRecorded(parent), arrivals[parent] == nil, let directory = tree.directory(of: parent) else {
            return false
        }
        if detached[node] == nil { try detach(node) }
        guard let record = detached.removeValue(forKey: node) else { return false }
        guard let entry = record.entry else {
            // A crash between a removal and the end of its clearing up: the rows are written, the rest goes now.
            try purge(node)
            return false
        }
        tree.clearState(.removalSeen, of: node)

        // What the index still has at the name was overwritten by the rename.
        if let overwritten = try store.entry(in: directory, named: name) {
            try forget(overwritten, name, in: parent)
        }
        tree.move(node, to: name, in: parent)
        // The rename itself moved the directory's time of change.
        let attributes = seen(status, entry.key, in: parent)
        _ = try store.add(name, in: directory, key: entry.key, attributes: attributes)
        try store.updateDirectory(
            tree.directory(of: node)!, name: name, in: directory, identity: expected[node] ?? tree.identity(of: node))
        try append(.moved, name, in: parent, attributes, from: record.origin)
        for member in tree.subtree(of: node) {
            if let place = record.places[member] { arrivals[member] = place }
            if tree.state(of: member).contains(.notEntered) { try recordArrivalUnseen(member) }
            queueSoon(member)
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
            heartbeat.progress()
            if let directory = tree.directory(of: member) {
                try passOnMarks(of: member, directory)
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
            unlisted.remove(member)
            unseen.remove(member)
            expected[member] = nil
            arrivals[member] = nil
            rootParents[member] = nil
            tree.remove(member)
        }
    }
}
