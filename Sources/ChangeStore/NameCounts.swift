/// How many names the index has of inodes that have many: counted once, and kept with each name that comes or goes.
/// Without it each name of one inode that is found would read all the others.
struct NameCounts {
    private var counts: [InodeKey: Int] = [:]

    /// Fewer are counted anew.
    private static let fewest = 64
    /// Inodes that are remembered at a time.
    private static let most = 1_024

    subscript(key: InodeKey) -> Int? { counts[key] }

    mutating func note(_ count: Int, of key: InodeKey) {
        guard count >= Self.fewest else { return }
        if counts.count >= Self.most { counts.removeAll(keepingCapacity: true) }
        counts[key] = count
    }

    /// Adds to what is known of an inode; what is not known stays so.
    mutating func add(_ difference: Int, to key: InodeKey) {
        guard !counts.isEmpty, let count = counts[key] else { return }
        counts[key] = count + difference >= Self.fewest ? count + difference : nil
    }
}
