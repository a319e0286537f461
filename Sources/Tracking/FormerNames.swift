public import ChangeStore
public import LinuxKernel

/// Names that the index gave up a short time ago, of inodes that have other names.
///
/// A look can find a name gone, or another inode's, before the events that led there are read. What those tell then
/// concerns the inode that had the name, and so its other names, and the index no longer says which one it was. And
/// whoever has an inode open goes on by its old name: the kernel names it in the events of later writes, though the
/// name was unlinked or is another inode's by now (fs/notify: the dentry keeps it).
public struct FormerNames {
    /// Nanoseconds that a name is remembered at least, for those who have its inode open.
    static let lifetime: Int64 = 60_000_000_000
    /// Nanoseconds after which no event is still to come that was under way when the index gave the name up: a record
    /// can be put off for one second (`RecordPacing`), and what was in the kernel's queue is read with the next batch.
    static let underWay: Int64 = 3_000_000_000
    /// Names in one generation at most; past that the older generation goes early.
    private static let limit = 16_384

    private struct Former {
        let key: InodeKey
        /// The event that took the name from the inode has been read: later ones are about others.
        var isExplained: Bool
        let since: MonotonicTime

        /// What is told of the name is told of this inode for certain.
        func isMeant(at now: MonotonicTime) -> Bool { !isExplained && now - since < FormerNames.underWay }
    }
    private var current: [UInt64: [Former]] = [:]
    private var previous: [UInt64: [Former]] = [:]
    private var began = MonotonicTime(nanoseconds: 0)

    public init() {}

    public var isEmpty: Bool { current.isEmpty && previous.isEmpty }

    /// The index gave a name up.
    ///
    /// - Parameter isExplained: the event that took the name from the inode was read before.
    public mutating func note(
        _ name: UnsafeRawBufferPointer, in node: NodeID, _ key: InodeKey, isExplained: Bool, now: MonotonicTime
    ) {
        if isEmpty { began = now }
        if current.count >= Self.limit { rotate(now) }
        current[NameHash.hash(name, in: node.index), default: []].append(
            Former(key: key, isExplained: isExplained, since: now))
    }

    /// The inodes that what was told of a name concerns.
    public func inodes(
        toldOf name: UnsafeRawBufferPointer, in node: NodeID, _ hints: Hints, now: MonotonicTime
    ) -> [InodeKey] {
        let isOfFormer = !hints.isDisjoint(with: .ofFormerInode)
        guard !isEmpty, isOfFormer || !hints.isDisjoint(with: .ofInode) else { return [] }
        return formers(of: name, in: node).filter { isOfFormer || $0.isMeant(at: now) }.map(\.key)
    }

    /// The inodes that what was told of a name may concern, if somebody has them open: the event tells, or another file
    /// of the name does.
    public func inodes(
        perhapsToldOf name: UnsafeRawBufferPointer, in node: NodeID, _ hints: Hints, now: MonotonicTime
    ) -> [InodeKey] {
        guard !isEmpty, hints.isDisjoint(with: .ofFormerInode), !hints.isDisjoint(with: .ofInode) else { return [] }
        return formers(of: name, in: node).filter { !$0.isMeant(at: now) }.map(\.key)
    }

    /// The inode that had a name last.
    public func lastInode(at name: UnsafeRawBufferPointer, in node: NodeID) -> InodeKey? {
        isEmpty ? nil : formers(of: name, in: node).last?.key
    }

    private func formers(of name: UnsafeRawBufferPointer, in node: NodeID) -> [Former] {
        let hash = NameHash.hash(name, in: node.index)
        return (previous[hash] ?? []) + (current[hash] ?? [])
    }

    /// The event was read that took the name from the inode which had it.
    public mutating func explain(_ name: UnsafeRawBufferPointer, in node: NodeID) {
        guard !isEmpty else { return }
        let hash = NameHash.hash(name, in: node.index)
        for index in (current[hash] ?? []).indices { current[hash]![index].isExplained = true }
        for index in (previous[hash] ?? []).indices { previous[hash]![index].isExplained = true }
    }

    /// Forgets what is older than two lifetimes.
    public mutating func expire(_ now: MonotonicTime) {
        if !isEmpty && now - began >= Self.lifetime { rotate(now) }
    }

    private mutating func rotate(_ now: MonotonicTime) {
        previous = current
        current = [:]
        began = now
    }
}
