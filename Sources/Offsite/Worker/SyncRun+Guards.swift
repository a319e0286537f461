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
                context.tell(.notice("the configuration of what is copied changed: a full scan follows"))
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
        try refuseOthers(marker)
        let stranger = try strangeness(of: marker)
        isMarkerStale = stranger != nil
        // What the history since the cursor tells of is not all that this copy lacks.
        if case .at(let cursor) = try consumer.standing(in: reader) {
            let isOld = try stranger == nil && marker.cursor < min(cursor, writtenCursor())
            if let reason = stranger ?? (isOld ? "the copy is older than what was copied to it" : nil) {
                context.tell(.notice("\(reason): a full scan follows"))
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

    /// The day on which the copy is needed most: the host was installed anew, went back to an older state, or is not the
    /// only one that writes there. What is there may be the last that is good.
    ///
    /// - Throws: `.foreignMarker`, but in a dry run, which shows what would become of it.
    private func refuseOthers(_ marker: DestinationMarker) throws {
        guard !options.dryRun, let reason = try ownership(of: marker) else { return }
        throw SyncFailure.foreignMarker(target: link.targetText, "says that \(reason)")
    }

    /// Has an unused marker name this store before anything is sent: whoever else was going to write there sees it.
    func claim(_ marker: DestinationMarker?) throws {
        guard !options.dryRun, let marker, marker.store.isEmpty else { return }
        let own = self.marker(0)
        if link.hasShell { try link.seal(own) } else { try link.write(own) }
    }

    /// Why this copy is not the one that belongs to this history; nil: it is, or nobody's.
    private func ownership(of marker: DestinationMarker) throws -> String? {
        if marker.machine != context.machine { return "another host wrote this copy before" }
        if marker.store.isEmpty { return nil }
        if marker.store != uuid { return "this copy was made from another store" }
        // A batch may be all there, and not committed.
        let known = try max(
            consumer.cursor(inStore: uuid) ?? 0, announced() ?? 0, consumer.fullPass(in: reader)?.through ?? 0)
        return marker.cursor > known ? "the copy is newer than what this host knows of it" : nil
    }

    private func strangeness(of marker: DestinationMarker) throws -> String? {
        if let reason = try ownership(of: marker) { return reason }
        // Made ready anew, after something was carried: it may be another volume.
        let isNew = try marker.store.isEmpty && consumer.cursor(inStore: uuid) != nil
        return isNew ? "the copy has just been taken over" : nil
    }

    private func firstRun() throws -> String? {
        // Also where a full scan was asked for.
        guard try consumer.cursor(inStore: uuid) == nil else { return nil }
        if case .needsFullReconcile(.storeReplaced) = try consumer.standing(in: reader) {
            return "the store is a new one"
        }
        return "it is the first run to this destination"
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
        text += Array("\n\(ownership.rawValue)\n\(target.text)".utf8)
        // Only what is set: what was noted before there were these keys stays true.
        if permissions != .keep { text += Array("\npermissions=\(permissions.rawValue)".utf8) }
        if acls { text += Array("\nacls".utf8) }
        if xattrs { text += Array("\nxattrs".utf8) }
        return text
    }
}
