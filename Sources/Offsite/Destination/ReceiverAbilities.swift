import ChangeStore
import LinuxKernel

/// What the other side can do, as was tried there. It holds as long as both rsyncs are those that it was tried with.
struct ReceiverAbilities: Equatable {
    /// Both rsyncs: this host's version, and what the receiver says of its own.
    var versions: [UInt8]
    /// It deletes what is listed (`--delete-missing-args`); 3.4.3, and Debian's 3.2.7 of early 2026, refuse to.
    var deletesByList = true
    /// It writes files through to its disk (`--fsync`, since rsync 3.2.4).
    var syncsFiles = false
    var compression = ReceiverCompression.none
    var limits = DestinationLimits()
    /// Nothing that is sent is synced there before the place in the history moves; not kept.
    var isUnsynced = false

    init(versions: [UInt8]) { self.versions = versions }

    // MARK: In the consumer's file

    private static let key = "receiver"
    private static let byList = "deletion-by-list"
    private static let fsync = "fsync"
    /// What is tried is all that is tried now: without it, it is tried again.
    private static let isWhole = "tried=2"

    /// - Returns: nil where nothing was tried, or less than is now.
    static func known(to consumer: Consumer) throws(StoreError) -> ReceiverAbilities? {
        guard let note = try consumer.note(key) else { return nil }
        let lines = note.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var known = ReceiverAbilities(versions: Array(lines[0]))
        let words = lines.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        guard words.contains(isWhole) else { return nil }
        known.deletesByList = words.contains(byList)
        known.syncsFiles = words.contains(fsync)
        known.compression = words.compactMap(ReceiverCompression.init).first ?? .none
        known.limits = DestinationLimits(words: words)
        return known
    }

    func note(in consumer: Consumer) throws(StoreError) {
        let optional = [deletesByList ? Self.byList : nil, syncsFiles ? Self.fsync : nil].compactMap { $0 }
        let words = [Self.isWhole] + optional + [compression.rawValue] + limits.words
        let text = words.map { "\n" + $0 }.joined()
        try consumer.setNote(Self.key, versions.filter { $0 != UInt8(ascii: "\n") } + Array(text.utf8))
    }

    /// What a person may want to know of it before the first copy.
    var facts: [String] {
        let refusal = "its rsync refuses deletion by list: filters are used"
        let loss = "nothing can sync its disk (rsync before 3.2.4): a power failure there may lose what was just sent"
        return [deletesByList ? nil : refusal, isUnsynced ? loss : nil].compactMap { $0 } + limits.facts
    }
}
