public import ChangeStore
public import LinuxKernel

/// Merges a directory's listing with what the index has of it, both in the order of the names' hashes, and says which
/// names have to be looked into: most differ in nothing and cost one look and one comparison.
public struct ListingComparison {
    private let listing: Listing
    private let reason: LookReason
    /// The listing in the order of the hashes.
    private let order: [Int]
    /// The first place in `order` whose hash has not been passed.
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
        order = listing.hashOrder()
    }

    /// Takes the next entry of the index.
    ///
    /// - Parameters:
    ///   - hash: that of the name, not below that of the entry before.
    ///   - look: the status of a name that both have, given its place in the listing, and its file system's number; nil
    ///     when the look failed.
    public mutating func meet(
        _ name: UnsafeRawBufferPointer, hash: Int64, _ entry: IndexedEntry,
        look: (Int) -> (status: FileStatus, fileSystem: FileSystemID)?
    ) {
        while position < order.count && listing.hash(order[position]) < hash { position += 1 }
        // More than one name where hashes collide.
        var candidate = position
        while candidate < order.count && listing.hash(order[candidate]) == hash {
            let index = order[candidate]
            if listing.withName(index, { $0.elementsEqual(name) }) {
                isMet[index] = true
                if differs(entry, look(index)) { different.append(index) }
                return
            }
            candidate += 1
        }
        missing.append(([UInt8](name), entry))
    }

    /// The index has no more entries: what was not met of the listing is new.
    public mutating func finish() { new = isMet.indices.filter { !isMet[$0] } }

    private func differs(_ entry: IndexedEntry, _ seen: (status: FileStatus, fileSystem: FileSystemID)?) -> Bool {
        guard let seen else { return true }
        let now = IndexedEntry(
            key: InodeKey(fileSystem: seen.fileSystem, inode: seen.status.inode),
            attributes: EntryAttributes(seen.status, lookedAt: nil))
        return Verdict.of(known: entry, seen: now, hints: [], reason: reason) != .unchanged
    }
}
