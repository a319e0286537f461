import ChangeStore
import LinuxKernel
import SystemPackage

/// What keeps a run from doing harm.
extension SyncRun {
    /// A local copy inside what is watched would be copied itself, and the other way round.
    func checkTarget() throws {
        guard case .local(let path) = settings.target else { return }
        let target = (try? FileSystemLook.resolved(Array(path.utf8))) ?? Array(path.utf8)
        for place in try reader.roots + [settings.source] {
            let resolved = (try? FileSystemLook.resolved(place)) ?? place
            let isInside = RenameMap.rest(of: target, below: resolved) != nil
            let isAround = RenameMap.rest(of: resolved, below: target) != nil
            if isInside || isAround || target == resolved {
                throw SyncFailure.targetInSource(target: path, root: resolved)
            }
        }
    }

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
        if options.allowDeletes {
            guard !options.dryRun else { return }
            try consumer.setNote(Note.deletionBar, nil)
            // Some may have failed only because nothing was to be deleted.
            try consumer.makeDue([.quarantined])
            return
        }
        if let reason = try bar(marker) {
            deletionBar = reason
            if !options.dryRun { try consumer.setNote(Note.deletionBar, Array(reason.utf8)) }
        } else {
            deletionBar = try consumer.note(Note.deletionBar).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The day on which the copy is needed most: the host was installed anew, or went back to an older state.
    private func bar(_ marker: DestinationMarker) throws -> String? {
        if marker.machine != context.machine { return "another host wrote this copy before" }
        if !marker.store.isEmpty, marker.store != uuid { return "this copy was made from another store" }
        switch try consumer.standing(in: reader) {
        case .needsFullReconcile(.first): return "it is the first run to this destination"
        case .needsFullReconcile(.storeReplaced): return "the store is a new one"
        case .needsFullReconcile: return nil
        case .at(let cursor):
            guard marker.store == uuid, marker.cursor > cursor else { return nil }
            // A batch that was all there, but not committed.
            if let announced = try announced(), marker.cursor <= announced { return nil }
            return "the copy is newer than what this host knows of it"
        }
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

    /// Counts deletions over everything that is pending, before any is carried out.
    func guardDeletions(after cursor: Int64, through end: Int64) throws {
        if options.allowDeletes { return }
        let held = try consumer.workCount(.heldDeletion).count
        guard held > 0 || renames.hasDeletions else { return }
        let census = try DeletionCensus(
            reader, after: cursor, through: end, scope: context.scope, renames: renames)
        let total = census.gone + held
        guard total > 0 else { return }
        let entries = max(total, try reader.entryCount - census.born + census.vanished + held)
        let allowed = settings.maxDelete.amount(of: entries)
        if total > allowed {
            massDeletion = "\(total) of \(entries) paths are gone, more than the \(allowed) of max_delete"
        }
    }
}

extension DestinationSettings {
    /// What, changed, makes everything that was carried questionable.
    var fingerprint: [UInt8] {
        var text = source
        for (mark, patterns) in [("+", include), ("-", exclude)] {
            for pattern in patterns { text += Array("\n\(mark)".utf8) + pattern }
        }
        return text + Array("\n\(ownership.rawValue)\n\(target.text)".utf8)
    }
}
