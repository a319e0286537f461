public import ChangeStore
public import LinuxKernel

/// The names of a directory as it was listed, each with a NUL after it, and what was seen behind them.
public final class Listing {
    private struct Name {
        let offset: UInt32
        let length: UInt8
        let isDirectory: Bool?
        let hash: Int64
        let inode: UInt64
    }
    private var arena = NameArena()
    private var names: [Name] = []
    /// One for each name, or none at all.
    private var statuses: [FileStatus?] = []
    /// When the statuses were taken; a moment before the first of them.
    public private(set) var lookedAt: Timestamp?
    private let entryHash: EntryHash

    /// - Parameter hash: that of the index which the listing is compared with.
    public init(hash: EntryHash) { entryHash = hash }

    public var count: Int { names.count }

    /// - Parameter isDirectory: what the listing said of it; nil for nothing.
    public func append(_ name: UnsafeRawBufferPointer, inode: UInt64, isDirectory: Bool? = nil) {
        names.append(
            Name(
                offset: arena.append(name), length: UInt8(truncatingIfNeeded: name.count), isDirectory: isDirectory,
                hash: entryHash(name), inode: inode))
    }

    /// Puts the names into the order of their inodes, in which a disk and the index's tree of inodes are gone through
    /// from one end to the other. To be done before anything else is asked of the listing.
    public func sortByInode() { names.sort { $0.inode < $1.inode } }

    /// Takes the status of every name, nil where it could not be taken.
    public func takeStatuses(at now: Timestamp, _ look: (UnsafeRawBufferPointer) -> FileStatus?) {
        lookedAt = now
        statuses = names.indices.map { withName($0, look) }
    }

    /// Drops the names that `isUnwanted`, which also gets what the listing said of each.
    public func remove(where isUnwanted: (UnsafeRawBufferPointer, _ isDirectory: Bool?) -> Bool) {
        let kept = names.indices.filter { index in !withName(index) { isUnwanted($0, names[index].isDirectory) } }
        if kept.count == names.count { return }
        if !statuses.isEmpty { statuses = kept.map { statuses[$0] } }
        names = kept.map { names[$0] }
    }

    /// What was seen behind a name when the statuses were taken.
    public func status(_ index: Int) -> FileStatus? { statuses.isEmpty ? nil : statuses[index] }

    func hash(_ index: Int) -> Int64 { names[index].hash }

    /// The name's bytes; a NUL follows them in memory.
    public func withName<Result, Failure: Error>(
        _ index: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try arena.withName(names[index].offset, Int(names[index].length), body)
    }

    /// Where a name stands in what `withAllNames` gives.
    public func range(_ index: Int) -> Range<Int> {
        Int(names[index].offset)..<Int(names[index].offset) + Int(names[index].length)
    }

    public func withAllNames<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try arena.withName(0, arena.count, body)
    }

    /// The names in the order of their hashes, as the index has them.
    func hashOrder() -> [Int] { names.indices.sorted { names[$0].hash < names[$1].hash } }
}
