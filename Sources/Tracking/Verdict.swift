public import ChangeStore
import LinuxKernel

/// What a look at a name that the index knows means.
public enum Verdict: Equatable, Sendable {
    /// Nothing differs.
    case unchanged
    /// Something differs, but only as the consequence of another name's change: into the index without a record.
    case consequence
    /// A change.
    case changed(ChangeKind)
}

/// How a look came about, which decides what a difference means.
public enum LookReason: Sendable {
    /// Events were read that explain it.
    case hinted
    /// A walk after a gap in the events: nothing is known of what happened in between.
    case gap
}

extension Verdict {
    /// Compares a look with the index. Pure: the rules of "what a change is", and nothing else.
    ///
    /// - Parameters:
    ///   - known: what the index says of the name.
    ///   - seen: what the look says.
    ///   - isIndexCurrent: every event about the name since the index learned of it was read.
    public static func of(
        known: IndexedEntry, seen: IndexedEntry, hints: Hints, reason: LookReason, isIndexCurrent: Bool = false
    ) -> Verdict {
        let before = known.attributes
        let after = seen.attributes
        guard known.key == seen.key, before.type == after.type else { return .changed(.replaced) }
        let isDirectory = after.type == .directory
        if hints.contains(.appeared) {
            // A rename away and back shows as both. A name that only appeared may have been seen before its event was
            // read. That is certain where no event is missing, unless it took the name from another by a rename: no
            // name is made where there is one, and its removal would have shown.
            let isSeenBefore =
                isIndexCurrent && !hints.contains(.renamedTo)
                || (isDirectory
                    ? before.changed == after.changed
                    : isSettled(before, after) || isIndexCurrent && isOnlyName(before, after))
            if hints.contains(.vanished) || !isSeenBefore { return .changed(.replaced) }
        }
        // It is back, and the event of that, when it comes, will find it seen before.
        if hints.contains(.vanished), !isDirectory, before.isRacy || before.changed != after.changed {
            return .changed(.replaced)
        }
        if hints.contains(.content) || hints.contains(.loneClose) { return .changed(.modified) }
        // The write before explains the close, but a store to a mapping in the same second of the file system's clock
        // would show in nothing else.
        if hints.contains(.closed) && before.isRacy && before.isCoarse { return .changed(.modified) }
        if !isDirectory && (before.size != after.size || before.modified != after.modified) {
            return .changed(.modified)
        }
        if hints.contains(.metadata) || before.mode != after.mode || before.owner != after.owner
            || before.group != after.group || before.deviceNumber != after.deviceNumber
        {
            return .changed(.metadata)
        }
        // A directory's times, size and link count follow its entries: `ofDirectoryItself` judges them.
        if isDirectory { return .unchanged }
        switch reason {
        case .hinted:
            return before.changed == after.changed && before.linkCount == after.linkCount ? .unchanged : .consequence
        case .gap:
            if before.changed != after.changed { return .changed(.metadata) }
            // A later change could carry the same timestamp.
            if before.isRacy { return .changed(.modified) }
            return before.linkCount == after.linkCount ? .unchanged : .consequence
        }
    }

    /// The name cannot have been made anew since the index's look: every way to do so moves the time of change, and
    /// that look was later than its granularity. An inode with several names may have been looked at through another.
    private static func isSettled(_ before: EntryAttributes, _ after: EntryAttributes) -> Bool {
        before.changed == after.changed && before.modified == after.modified && before.size == after.size
            && !before.isRacy && after.linkCount == 1
    }

    /// The name that the index has is the inode's only one, so that nothing could be renamed to it that it named
    /// already: the inode would first have had to lose the name, which shows as vanished (`MarkSet` makes a second
    /// rename to a name count as that). The event is of the rename that the index has seen the result of.
    private static func isOnlyName(_ before: EntryAttributes, _ after: EntryAttributes) -> Bool {
        before.changed == after.changed && before.modified == after.modified && before.size == after.size
            && before.linkCount == 1 && after.linkCount == 1
    }

    /// Judges the times, size and link count of a directory after its entries have been looked at.
    ///
    /// - Parameter entriesRecorded: an entry was recorded as appeared or vanished, which explains the difference.
    public static func ofDirectoryItself(
        known before: EntryAttributes, seen after: EntryAttributes, entriesRecorded: Bool, reason: LookReason
    ) -> Verdict {
        if before.mode != after.mode || before.owner != after.owner || before.group != after.group {
            return .changed(.metadata)
        }
        let timesDiffer = before.modified != after.modified || before.changed != after.changed
        switch reason {
        case .hinted:
            if entriesRecorded || !timesDiffer { return before.agrees(with: after) ? .unchanged : .consequence }
        case .gap:
            if !timesDiffer && !before.isRacy { return before.agrees(with: after) ? .unchanged : .consequence }
        }
        return .changed(before.modified != after.modified || before.isRacy ? .modified : .metadata)
    }
}

extension EntryAttributes {
    /// The same but for when it was looked at.
    fileprivate func agrees(with other: EntryAttributes) -> Bool {
        var copy = other
        copy.isRacy = isRacy
        return self == copy
    }
}
