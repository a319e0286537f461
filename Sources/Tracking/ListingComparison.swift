public import ChangeStore
public import LinuxKernel

/// The names of a directory as it was listed, each with a NUL after it.
public final class Listing {
    private struct Name {
        let offset: UInt32
        let length: UInt8
        let hash: Int64
        let inode: UInt64
    }
    private var arena = NameArena()
    private var names: [Name] = []
    private let entryHash: EntryHash

    /// - Parameter hash: that of the index which the listing is compared with.
    public init(hash: EntryHash) { entryHash = hash }

    public var count: Int { names.count }

    public func append(_ name: UnsafeRawBufferPointer, inode: UInt64) {
        names.append(
            Name(
                offset: arena.append(name), length: UInt8(truncatingIfNeeded: name.count), hash: entryHash(name),
                inode: inode))
    }

    fileprivate func inode(_ index: Int) -> UInt64 { names[index].inode }
    fileprivate func hash(_ index: Int) -> Int64 { names[index].hash }

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

    /// Sorts by hash, as the index does.
    fileprivate func sort() { names.sort { $0.hash < $1.hash } }
}

/// Merges a directory's listing with what the index has of it, both in the order of the names' hashes, and says which
/// names have to be looked into: most differ in nothing and cost one look and one comparison.
public struct ListingComparison {
    private let listing: Listing
    private let reason: LookReason
    /// The first name of the listing whose hash has not been passed.
    private var position = 0
    private var isMet: [Bool]
    /// Names that both have and that differ.
    public private(set) var different: [Int] = []
    /// Names that the index does not have.
    public private(set) var new: [Int] = []
    /// Names of the index that the listing does not have.
    public private(set) var missing: [(name: [UInt8], entry: IndexedEntry)] = []

    public init(listing: Listing, reason: LookReason) {
        self.listing = listing
        self.reason = reason
        isMet = Array(repeating: false, count: listing.count)
        listing.sort()
    }

    /// Takes the next entry of the index.
    ///
    /// - Parameters:
    ///   - hash: that of the name, not below that of the entry before.
    ///   - look: the status of a name that both have, and its file system's number; nil when the look failed.
    public mutating func meet(
        _ name: UnsafeRawBufferPointer, hash: Int64, _ entry: IndexedEntry,
        look: (UnsafeRawBufferPointer) -> (status: FileStatus, fileSystem: FileSystemID)?
    ) {
        while position < listing.count && listing.hash(position) < hash { position += 1 }
        // More than one name where hashes collide.
        var candidate = position
        while candidate < listing.count && listing.hash(candidate) == hash {
            if listing.withName(candidate, { $0.elementsEqual(name) }) {
                isMet[candidate] = true
                if differs(entry, listing.withName(candidate, look)) { different.append(candidate) }
                return
            }
            candidate += 1
        }
        missing.append(([UInt8](name), entry))
    }

    /// The index has no more entries: what was not met of the listing is new.
    public mutating func finish() {
        new = isMet.indices.filter { !isMet[$0] }
        // In the order of the inodes a disk and the index's tree of inodes are gone through from one end to the other.
        new.sort { listing.inode($0) < listing.inode($1) }
    }

    private func differs(_ entry: IndexedEntry, _ seen: (status: FileStatus, fileSystem: FileSystemID)?) -> Bool {
        guard let seen else { return true }
        let now = IndexedEntry(
            key: InodeKey(fileSystem: seen.fileSystem, inode: seen.status.inode),
            attributes: EntryAttributes(seen.status, lookedAt: nil))
        return Verdict.of(known: entry, seen: now, hints: [], reason: reason) != .unchanged
    }
}
