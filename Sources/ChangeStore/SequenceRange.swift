/// Sequence numbers from ranges that were reserved by a commit that is on the disk.
///
/// With `synchronous=NORMAL` a power loss may take the last commits, and a consumer's cursor may then be ahead of
/// the history. Numbers above the last reservation are the only ones that certainly were never given.
struct SequenceRange {
    /// The next number to give.
    private(set) var next: Int64
    /// The last number that may be given.
    private(set) var end: Int64

    /// A reservation costs one fsync: a million rows apart that is nothing.
    static let size: Int64 = 1 << 20

    /// After a clean stop the reservation was given back, so numbers go on from the last; otherwise above it.
    static func afterRestart(_ database: Database) throws(StoreError) -> SequenceRange {
        let reserved = try database.integer("SELECT value FROM meta WHERE key = 'sequence_reserved'") ?? 0
        let last = try History.end(in: database)
        // On the disk with the reservation that follows, whose commit waits for the disk.
        if reserved > last {
            try database.execute("INSERT OR REPLACE INTO gaps VALUES (\(last + 1), \(reserved))")
            try database.execute("DELETE FROM gaps WHERE last <= \(History.floor(in: database))")
        }
        var range = SequenceRange(next: reserved + 1, end: reserved)
        try range.reserve(database)
        return range
    }

    var isExhausted: Bool { next > end }
    /// So few are left that a transaction might need more.
    var isRunningLow: Bool { end - next < Self.size / 2 }

    mutating func take() -> Int64 {
        precondition(next <= end, "a sequence number outside the reserved range")
        defer { next += 1 }
        return next
    }

    /// Reserves the next range, durably. Outside of a transaction only.
    mutating func reserve(_ database: Database) throws(StoreError) {
        try Self.write(next + Self.size - 1, to: database)
        end = next + Self.size - 1
    }

    /// Gives back what was not used.
    func release(_ database: Database) throws(StoreError) { try Self.write(next - 1, to: database) }

    private static func write(_ reserved: Int64, to database: Database) throws(StoreError) {
        try database.execute("PRAGMA synchronous = FULL")
        defer { try? database.execute("PRAGMA synchronous = NORMAL") }
        try database.execute("INSERT OR REPLACE INTO meta VALUES ('sequence_reserved', \(reserved))")
    }
}
