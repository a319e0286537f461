import ChangeStore
import LinuxKernel
import Logging
import SystemPackage
import Tracking

/// What a look at one name came to.
enum LookOutcome {
    /// Neither the index nor the file system has it: it came and went.
    case noTrace
    case unchanged
    case recorded
    /// To be looked at again when the events have explained it.
    case putOff
}

/// Looking at single names.
extension TrackingEngine {
    /// Looks at a name in an open, verified directory and records what differs.
    ///
    /// - Parameters:
    ///   - name: followed by a NUL in memory.
    ///   - isSilent: what is new goes into the index without a record.
    ///   - isUnknown: the index is known not to have the name.
    func look(
        at name: UnsafeRawBufferPointer, in node: NodeID, _ descriptor: CInt, hints: Hints, origin: Origin?,
        reason: LookReason, isSilent: Bool = false, isUnknown: Bool = false
    ) throws(StoreError) -> LookOutcome {
        guard let directory = tree.directory(of: node) else { return .putOff }
        let status: FileStatus?
        do throws(Errno) {
            status = try FileStatus.of(name.cString, in: descriptor)
        } catch {
            if error != .noSuchFileOrDirectory {
                tell(refused: error, node)
                return .unchanged
            }
            status = nil
        }
        let known = isUnknown ? nil : try store.entry(in: directory, named: name)
        switch (known, status) {
        case (nil, nil): return try disappearUnrecorded(name, in: node, hints)
        case (let known?, nil): return try vanish(known, name, in: node, hints: hints, reason: reason)
        case (nil, let status?):
            try appear(
                status, name, in: node, descriptor, hints: hints, origin: origin, kind: isSilent ? nil : .created)
            return .recorded
        case (let known?, let status?):
            return try compare(known, status, name, in: node, descriptor, hints: hints, reason: reason)
        }
    }

    /// A name that came and went unseen. A directory that was seen but never recorded goes from the tree.
    private func disappearUnrecorded(
        _ name: UnsafeRawBufferPointer, in node: NodeID, _ hints: Hints
    ) throws(StoreError) -> LookOutcome {
        guard let child = tree.child(of: node, named: name) else { return .noTrace }
        if !isExplained(child, hints) { return .putOff }
        try detach(child)
        return .noTrace
    }

    /// Whether a directory that is not at its name may be taken for gone: its removal was seen, or the other half of a
    /// rename has had the time to show.
    private func isExplained(_ child: NodeID, _ hints: Hints) -> Bool {
        tree.state(of: child).contains(.removalSeen) || hints.contains(.putOff)
    }

    private func vanish(
        _ known: IndexedEntry, _ name: UnsafeRawBufferPointer, in node: NodeID, hints: Hints, reason: LookReason
    ) throws(StoreError) -> LookOutcome {
        guard let directory = tree.directory(of: node) else { return .putOff }
        let child = tree.child(of: node, named: name)
        let isSeenHappening =
            hints.contains(.vanished) || child.map { tree.state(of: $0).contains(.removalSeen) } ?? false
        // What is on another file system does not go with the directory that it was mounted on.
        let isMountPoint = known.attributes.boundary == .mount || child.map { expected[$0] != nil } ?? false
        let isGone =
            isMountPoint
            ? accepting.contains(tree.root(of: node)) : isSeenHappening || isAbsenceEvidence(of: known, in: node)
        if !isGone {
            // Mounted over, unmounted or swapped: it is not there to be looked at, and not known to be gone.
            if let child {
                tree.setState(.missing, of: child)
                if isMountPoint { unseen.insert(child) }
            }
            return .unchanged
        }
        if let child {
            if !isExplained(child, hints) { return .putOff }
            try detach(child)
            // A directory that was seen but never recorded leaves what the index had at its name.
            guard try store.entry(in: directory, named: name) != nil else { return .recorded }
        }
        try append(.deleted, name, in: node, known.attributes)
        if hints.contains(.renamed) {
            departed[Origin(node: node, name: [UInt8](name))] = (known.key, try pathID(of: node))
        }
        if let heir = try store.remove(name, in: directory, key: known.key) {
            try leave(name, in: node, known.key, to: heir, hints)
        }
        entriesRecorded.insert(node)
        return .recorded
    }

    /// A name that the index does not have.
    ///
    /// - Parameter kind: nil for one that goes in without a record.
    func appear(
        _ status: FileStatus, _ name: UnsafeRawBufferPointer, in node: NodeID, _ descriptor: CInt, hints: Hints,
        origin: Origin?, kind: ChangeKind?
    ) throws(StoreError) {
        if status.isDirectory {
            guard
                let child = try place(name, in: node, descriptor, status, isSeenHappening: hints.contains(.appeared)),
                tree.directory(of: child) == nil
            else { return }
            if kind == nil { tree.setState(.queuedSilent, of: child) }
            try recordDirectory(child, name, status, kind)
            return
        }
        guard let directory = tree.directory(of: node) else { return }
        let key = try key(of: status, named: name, in: descriptor)
        let attributes = EntryAttributes(status, lookedAt: .now)
        let from = try origin.flatMap { (origin) throws(StoreError) -> (directory: PathID, name: [UInt8])? in
            guard let source = try source(origin), source.key == key else { return nil }
            return (source.directory, origin.name)
        }
        let before = attributes.type == .file ? try store.attributes(of: key) : nil
        // Written just before its rename, or while no events were read: the row of the new name is the only one that tells,
        // for the name itself explains the time of change.
        let isWritten =
            from != nil && !hints.isDisjoint(with: [.content, .contentBefore])
            || before.map { $0.size != attributes.size || $0.modified != attributes.modified } ?? false
        let isUnseen = mayHaveMissedWrites(in: node) && before.map { $0.changed != attributes.changed } ?? false
        if try !store.add(name, in: directory, key: key, attributes: attributes) {
            try joinOthers(
                key, attributes, except: EntryName(directory: directory, name: [UInt8](name)), hints, origin)
        }
        guard let kind else { return }
        entriesRecorded.insert(node)
        let isMoved = from != nil && kind == .created
        try append(
            isMoved ? .moved : kind, isContentUncertain: isMoved && isWritten || isUnseen, name, in: node, attributes,
            from: from)
    }

    // MARK: Names on both sides

    private func compare(
        _ known: IndexedEntry, _ status: FileStatus, _ name: UnsafeRawBufferPointer, in node: NodeID,
        _ descriptor: CInt, hints: Hints, reason: LookReason
    ) throws(StoreError) -> LookOutcome {
        guard let directory = tree.directory(of: node) else { return .putOff }
        if !status.isDirectory, let child = tree.child(of: node, named: name) {
            // A directory has become something else, or one that was never recorded came and went.
            try detach(child)
            let wasRecorded = try store.entry(in: directory, named: name) == nil
            if wasRecorded {
                try appear(
                    status, name, in: node, descriptor, hints: hints.union(.appeared), origin: nil, kind: .replaced)
                return .recorded
            }
        }
        let key = try key(of: status, named: name, in: descriptor)
        let seen = IndexedEntry(key: key, attributes: seen(status, key, in: node))
        if status.isDirectory || known.attributes.type == .directory {
            return try compareDirectory(known, seen, status, name, in: node, descriptor, hints: hints, reason: reason)
        }
        switch Verdict.of(
            known: known, seen: seen, hints: hints, reason: reason,
            isIndexCurrent: walk.isEmpty)
        {
        case .unchanged:
            try settleRacy(known, seen, name, in: node)
            return .unchanged
        case .consequence:
            try store.setAttributes(seen.attributes, of: key)
            if seen.attributes.isRacy { noteRacy(name, in: node, seen.attributes) }
            return .unchanged
        case .changed(.replaced):
            try forget(known, name, in: node, hints)
            try appear(
                status, name, in: node, descriptor, hints: hints.union(.appeared), origin: nil, kind: .replaced)
            return .recorded
        case .changed(let kind):
            try store.setAttributes(seen.attributes, of: key)
            try append(
                kind, isContentUncertain: kind == .metadata && (reason == .gap || mayHaveMissedWrites(in: node)), name,
                in: node, seen.attributes)
            // One that is looked at for another name's sake goes no further, unless it had an event of its own.
            if (!hints.contains(.viaLink) || hints.contains(.fresh))
                && max(known.attributes.linkCount, status.linkCount) > 1
            {
                markOthers(
                    try store.names(of: key), except: EntryName(directory: directory, name: [UInt8](name)), kind)
            }
            return .recorded
        }
    }

    /// Nothing has changed since the last look: a later change would show.
    func settleRacy(
        _ known: IndexedEntry, _ seen: IndexedEntry, _ name: UnsafeRawBufferPointer, in node: NodeID
    ) throws(StoreError) {
        guard known.attributes.isRacy else { return }
        if seen.attributes.isRacy { return noteRacy(name, in: node, seen.attributes) }
        try store.setAttributes(seen.attributes, of: seen.key)
    }

    private func compareDirectory(
        _ known: IndexedEntry, _ seen: IndexedEntry, _ status: FileStatus, _ name: UnsafeRawBufferPointer,
        in node: NodeID, _ descriptor: CInt, hints: Hints, reason: LookReason
    ) throws(StoreError) -> LookOutcome {
        let child = tree.child(of: node, named: name)
        guard status.isDirectory && known.attributes.type == .directory else {
            try forget(known, name, in: node, hints)
            try appear(status, name, in: node, descriptor, hints: hints.union(.appeared), origin: nil, kind: .replaced)
            return .recorded
        }
        let identity = DirectoryIdentity(key: seen.key, born: status.born.nanoseconds)
        guard let child, tree.identity(of: child) == identity, known.key == seen.key else {
            return try exchange(known, seen, status, name, in: node, descriptor, hints: hints)
        }
        if tree.watch(of: child) == nil && !polled.contains(child) && reason == .hinted {
            queue(child, [.queuedDeep, .queuedGap])
        }
        switch Verdict.of(
            known: known, seen: seen, hints: hints, reason: reason,
            isIndexCurrent: walk.isEmpty && identity.born != 0)
        {
        case .unchanged, .consequence:
            if hints.contains(.recheck), case .directory(let opened) = try open(child, for: .look) {
                try compareItself(child, opened.descriptor.number, reason: .hinted)
            }
            return .unchanged
        case .changed(.replaced) where arrivals[child] != nil:
            // It was moved here a moment ago, which has its row; what left the name before was something else.
            return .unchanged
        case .changed(.replaced):
            // It was renamed away and back: everything below it was elsewhere for a moment.
            try store.setAttributes(seen.attributes, of: seen.key)
            try append(.moved, name, in: node, seen.attributes, from: (try pathID(of: node), [UInt8](name)))
            for member in tree.subtree(of: child) where tree.directory(of: member) != nil && arrivals[member] == nil {
                arrivals[member] = RecordedPlace(path: tree.path(of: member), id: try pathID(of: member))
                queueSoon(member)
            }
            return .recorded
        case .changed(let kind):
            try store.setAttributes(seen.attributes, of: seen.key)
            try append(kind, name, in: node, seen.attributes)
            // It may be readable now: what happened in it meanwhile could not be looked into.
            if unreadable.contains(child) { queue(child, [.queuedDeep, .queuedGap]) }
            return .recorded
        }
    }

    /// Another directory stands at the name of one that the index has: a mount, or a new one in its place.
    private func exchange(
        _ known: IndexedEntry, _ seen: IndexedEntry, _ status: FileStatus, _ name: UnsafeRawBufferPointer,
        in node: NodeID, _ descriptor: CInt, hints: Hints
    ) throws(StoreError) -> LookOutcome {
        guard let directory = tree.directory(of: node) else { return .putOff }
        let placed = try place(
            name, in: node, descriptor, status, isSeenHappening: hints.contains(.appeared))
        guard let placed else { return .putOff }
        if tree.directory(of: placed) == nil {
            if try store.entry(in: directory, named: name) != nil { try forget(known, name, in: node) }
            try recordDirectory(placed, name, status, .created)
        } else if try store.entry(in: directory, named: name)?.key != seen.key {
            // A mount came or went: the name is another inode's, the directory keeps its number and what was in it.
            try forget(known, name, in: node)
            _ = try store.add(name, in: directory, key: seen.key, attributes: seen.attributes)
            try append(.replaced, name, in: node, seen.attributes)
        }
        return .recorded
    }
}
