import ChangeStore
import LinuxKernel
import SystemPackage

/// What keeps a run from doing harm.
extension SyncRun {
    /// With other settings of what is carried, everything has to be looked at.
    func requestFullIfAsked() throws {
        let wanted = settings.fingerprint
        let known = try consumer.note(Note.settings)
        if options.full || known != nil && known != wanted {
            if !options.full {
                context.tell(.notice("what is carried is configured otherwise: everything is looked at"))
            }
            if !options.dryRun { try consumer.requestFull() }
        }
        if known != wanted, !options.dryRun { try consumer.setNote(Note.settings, wanted) }
    }

    /// Whether the destination is the one that this history belongs to.
    ///
    /// - Throws: when it is none of ours.
    func examine(_ marker: DestinationMarker?) throws {
        guard let marker else { throw SyncFailure.noMarker(target: link.targetText) }
        guard marker.destination == settings.name else {
            throw SyncFailure.foreignMarker(
                target: link.targetText, "is that of the destination \"\(marker.destination.prefix(100))\"")
        }
        let stranger = try strangeness(of: marker)
        isMarkerStale = stranger != nil
        // What the history since the cursor tells of is not all that this copy lacks.
        if case .at(let cursor) = try consumer.standing(in: reader) {
            let isOld = try stranger == nil && marker.cursor < min(cursor, writtenCursor())
            if let reason = stranger ?? (isOld ? "the copy is older than what was carried to it" : nil) {
                context.tell(.notice("\(reason): everything is looked at"))
                isMarkerStale = true
                if !options.dryRun { try consumer.requestFull() }
            }
        }
        if options.allowDeletes {
            guard !options.dryRun else { return }
            try consumer.setNote(Note.deletionBar, nil)
            // Some may have failed only because nothing was to be deleted.
            try consumer.makeDue([.quarantined])
            return
        }
        if let reason = try stranger ?? firstRun() {
            deletionBar = reason
            if !options.dryRun { try consumer.setNote(Note.deletionBar, Array(reason.utf8)) }
        } else {
            deletionBar = try consumer.note(Note.deletionBar).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The day on which the copy is needed most: the host was installed anew, or went back to an older state.
    private func strangeness(of marker: DestinationMarker) throws -> String? {
        if marker.machine != context.machine { return "another host wrote this copy before" }
        if !marker.store.isEmpty, marker.store != uuid { return "this copy was made from another store" }
        guard let cursor = try consumer.cursor(inStore: uuid) else { return nil }
        // Made ready anew, after something was carried: it may be another volume.
        if marker.store.isEmpty { return "this copy was made ready anew" }
        // A batch may be all there, and not committed.
        let known = max(cursor, try announced() ?? 0)
        return marker.cursor > known ? "the copy is newer than what this host knows of it" : nil
    }

    private func firstRun() throws -> String? {
        switch try consumer.standing(in: reader) {
        case .needsFullReconcile(.first): "it is the first run to this destination"
        case .needsFullReconcile(.storeReplaced): "the store is a new one"
        case .needsFullReconcile, .at: nil
        }
    }

    /// The cursor of the marker that was written last; 0 for none.
    private func writtenCursor() throws -> Int64 {
        try consumer.note(Note.marker).flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
    }

    /// The last row of this store that a marker may name, by what was noted before each batch.
    private func announced() throws -> Int64? {
        let words = String(decoding: try consumer.note(Note.announced) ?? [], as: UTF8.self).split(separator: " ")
        return words.count == 2 && words[0] == uuid ? Int64(words[1]) : nil
    }

    /// What is noted before a batch whose marker names a row. That of an earlier batch may be there still.
    func announcement(_ sequence: Int64) throws -> [UInt8] {
        Array("\(uuid) \(max(sequence, try announced() ?? 0))".utf8)
    }

    /// Counts deletions over everything that is pending, before any is carried out. Those that wait go on waiting until
    /// they are allowed or undone, however much is added meanwhile.
    func guardDeletions(after cursor: Int64, through end: Int64) throws {
        if options.allowDeletes {
            if !options.dryRun { try consumer.setNote(Note.massDeletion, nil) }
            return
        }
        let held = try consumer.workCount(.heldDeletion).count
        if held > 0, let reason = try consumer.note(Note.massDeletion) {
            massDeletion = String(decoding: reason, as: UTF8.self)
            return
        }
        guard held > 0 || renames.hasDeletions else { return }
        let census = try DeletionCensus(reader, after: cursor, through: end, scope: context.scope)
        let total = census.gone + held
        if total > 0 {
            let before = census.vanished + held - census.born
            let entries = try max(total, before + entryCount(enoughFor: total, before))
            let allowed = settings.maxDelete.amount(of: entries)
            if total > allowed {
                massDeletion = "\(total) of \(entries) paths are gone, more than the \(allowed) of max_delete"
            }
        }
        if !options.dryRun { try consumer.setNote(Note.massDeletion, massDeletion.map { Array($0.utf8) }) }
    }

    /// Counts the paths of the index that are carried, or as many as show that so many deletions are allowed.
    ///
    /// - Parameter before: what is added to the count.
    private func entryCount(enoughFor deletions: Int64, _ before: Int64) throws -> Int64 {
        // An absolute number needs no count.
        if case .count = settings.maxDelete { return deletions }
        var count: Int64 = 0
        try IndexWalk(stateDirectory: context.stateDirectory).run { [context, settings, pulse] path, attributes in
            try pulse()
            let isDirectory = attributes.type == .directory
            guard context.scope.relative(path, isDirectory: isDirectory) != nil else {
                return !isDirectory || context.scope.isAbove(path) ? .next : .skipContents
            }
            count += 1
            return count % 256 == 0 && settings.maxDelete.amount(of: before + count) >= deletions ? .stop : .next
        }
        return count
    }
}

extension DestinationSettings {
    /// A local copy inside what is watched would be copied itself, and the other way round.
    func checkTarget(against roots: [[UInt8]]) throws(SyncFailure) {
        guard case .local(let path) = target else { return }
        let target = (try? FileSystemLook.resolved(Array(path.utf8))) ?? Array(path.utf8)
        for place in roots + [source] {
            let resolved = (try? FileSystemLook.resolved(place)) ?? place
            let isInside = RenameMap.rest(of: target, below: resolved) != nil
            let isAround = RenameMap.rest(of: resolved, below: target) != nil
            if isInside || isAround || target == resolved { throw .targetInSource(target: path, root: resolved) }
        }
    }

    /// What, changed, makes everything that was carried questionable.
    var fingerprint: [UInt8] {
        var text = source
        for (mark, patterns) in [("+", include), ("-", exclude)] {
            for pattern in patterns { text += Array("\n\(mark)".utf8) + pattern }
        }
        return text + Array("\n\(ownership.rawValue)\n\(target.text)".utf8)
    }
}
