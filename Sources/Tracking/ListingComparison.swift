public import ChangeStore
public import LinuxKernel

/// The names of a directory as it was listed, each with a NUL after it.
public final class Listing {
    private var arena = NameArena()
    private var offsets: [(offset: UInt32, length: UInt8, inode: UInt64)] = []

    public init() {}

    public var count: Int { offsets.count }

    public func append(_ name: UnsafeRawBufferPointer, inode: UInt64) {
        offsets.append((arena.append(name), UInt8(truncatingIfNeeded: name.count), inode))
    }

    fileprivate func inode(_ index: Int) -> UInt64 { offsets[index].inode }

    /// The name's bytes; a NUL follows them in memory.
    public func withName<Result, Failure: Error>(
        _ index: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try arena.withName(offsets[index].offset, Int(offsets[index].length), body)
    }

    /// Sorts by bytes, as the index does.
    fileprivate func sort() {
        arena.withName(0, arena.count) { bytes in
            offsets.sort { left, right in
                let order = Self.compare(
                    UnsafeRawBufferPointer(rebasing: bytes[Int(left.offset)..<Int(left.offset) + Int(left.length)]),
                    UnsafeRawBufferPointer(rebasing: bytes[Int(right.offset)..<Int(right.offset) + Int(right.length)]))
                return order < 0
            }
        }
    }

    fileprivate static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let common = min(left.count, right.count)
        for index in 0..<common where left[index] != right[index] {
            return Int(left[index]) - Int(right[index])
        }
        return left.count - right.count
    }
}

/// Merges a directory's listing with what the index has of it, both in byte order, and says which names have to be
/// looked into: most differ in nothing and cost one look and one comparison.
public struct ListingComparison {
    private let listing: Listing
    private let reason: LookReason
    private var position = 0
    /// Names that both have and that differ.
    public private(set) var different: [Int] = []
    /// Names that the index does not have.
    public private(set) var new: [Int] = []
    /// Names of the index that the listing does not have.
    public private(set) var missing: [(name: [UInt8], entry: IndexedEntry)] = []

    public init(listing: Listing, reason: LookReason) {
        self.listing = listing
        self.reason = reason
        listing.sort()
    }

    /// Takes the next entry of the index.
    ///
    /// - Parameter look: the status of a name that both have, and its file system's number; nil when the look failed.
    public mutating func meet(
        _ name: UnsafeRawBufferPointer, _ entry: IndexedEntry,
        look: (UnsafeRawBufferPointer) -> (status: FileStatus, fileSystem: FileSystemID)?
    ) {
        while position < listing.count {
            let order = listing.withName(position) { Listing.compare($0, name) }
            if order > 0 { break }
            if order == 0 {
                if differs(entry, listing.withName(position, look)) { different.append(position) }
                position += 1
                return
            }
            new.append(position)
            position += 1
        }
        missing.append(([UInt8](name), entry))
    }

    /// The index has no more entries: what is left of the listing is new.
    public mutating func finish() {
        new.append(contentsOf: position..<listing.count)
        position = listing.count
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
