public import LinuxKernel

/// Paths and bytes.
public struct PathAmounts: Equatable, Sendable {
    public var paths: Int64
    public var bytes: Int64

    public static let none = PathAmounts()
    public var isNone: Bool { paths == 0 && bytes == 0 }

    public init(paths: Int64 = 0, bytes: Int64 = 0) {
        self.paths = paths
        self.bytes = bytes
    }

    public static func + (left: PathAmounts, right: PathAmounts) -> PathAmounts {
        PathAmounts(paths: left.paths + right.paths, bytes: left.bytes + right.bytes)
    }

    public static func += (left: inout PathAmounts, right: PathAmounts) { left = left + right }
}

/// What one run created and deleted in one root.
public struct LedgerEntry: Equatable, Sendable {
    public var at: Timestamp
    /// The row of the history up to which it was counted.
    public var through: Int64
    /// Absolute; empty: below no root.
    public var root: [UInt8]
    /// What the generations of one thing have in common; empty: of none.
    public var series: [UInt8]
    /// New generations are those of this series, renamed; empty: they are new.
    public var origin: [UInt8]
    /// New generations.
    public var born = PathAmounts.none
    /// What is nowhere any more.
    public var gone = PathAmounts.none
    /// Paths that went to another root.
    public var moved: Int64 = 0

    public init(
        at: Timestamp, through: Int64, root: [UInt8], series: [UInt8] = [], origin: [UInt8] = [],
        born: PathAmounts = .none, gone: PathAmounts = .none, moved: Int64 = 0
    ) {
        self.at = at
        self.through = through
        self.root = root
        self.series = series
        self.origin = origin
        self.born = born
        self.gone = gone
        self.moved = moved
    }
}

/// The ledger of a consumer's guards: limits over a sliding window need to know what earlier runs did.
extension Consumer {
    // MARK: Deletions

    /// The entries after a moment, oldest first.
    public func ledger(after moment: Timestamp) throws(StoreError) -> [LedgerEntry] {
        let statement = try prepared("SELECT * FROM ledger WHERE at > ?1 ORDER BY at, through")
        defer { statement.reset() }
        statement.bind(1, moment.nanoseconds)
        var all: [LedgerEntry] = []
        while try statement.step() {
            all.append(
                LedgerEntry(
                    at: Timestamp(nanoseconds: statement.integer(0)), through: statement.integer(1),
                    root: statement.bytes(2), series: statement.bytes(3), origin: statement.bytes(4),
                    born: PathAmounts(paths: statement.integer(5), bytes: statement.integer(6)),
                    gone: PathAmounts(paths: statement.integer(7), bytes: statement.integer(8)),
                    moved: statement.integer(9)))
        }
        return all
    }

    /// Adds what a run is about to do.
    ///
    /// - Parameters:
    ///   - through: entries that were counted up to this row are replaced.
    ///   - oldest: entries before this moment are forgotten.
    ///   - notes: noted in the same transaction.
    public func record(
        _ entries: [LedgerEntry], replacing through: Int64?, forgetting oldest: Timestamp,
        notes: [String: [UInt8]] = [:]
    ) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("DELETE FROM ledger WHERE at <= \(oldest.nanoseconds)")
            if let through { try database.execute("DELETE FROM ledger WHERE through = \(through)") }
            let insert = try database.prepare("INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
            for entry in entries {
                try insert.bind(1, entry.at.nanoseconds).bind(2, entry.through).bind(3, entry.root)
                    .bind(4, entry.series).bind(5, entry.origin).bind(6, entry.born.paths)
                    .bind(7, entry.born.bytes).bind(8, entry.gone.paths).bind(9, entry.gone.bytes)
                    .bind(10, entry.moved).run()
            }
            let note = try database.prepare("INSERT OR REPLACE INTO notes VALUES (?1, ?2)")
            for (key, value) in notes { try note.bind(1, text: key).bind(2, value).run() }
        }
    }

    /// Forgets all deletions: somebody allowed them.
    public func forgiveDeletions() throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("UPDATE ledger SET gone_paths = 0, gone_bytes = 0, moved = 0")
            try database.execute("DELETE FROM stock")
        }
    }

    /// Forgets new generations: some were only put back.
    public func forgetGenerations() throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("UPDATE ledger SET born_paths = 0, born_bytes = 0")
        }
    }

    // MARK: What there is

    /// Notes how much there is in each root.
    ///
    /// - Parameter oldest: what was noted before this moment is forgotten.
    public func noteStock(
        _ stock: [[UInt8]: PathAmounts], at moment: Timestamp, forgetting oldest: Timestamp
    ) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("DELETE FROM stock WHERE at <= \(oldest.nanoseconds)")
            let insert = try database.prepare("INSERT OR REPLACE INTO stock VALUES (?1, ?2, ?3, ?4)")
            for (root, amounts) in stock {
                try insert.bind(1, root).bind(2, moment.nanoseconds).bind(3, amounts.paths)
                    .bind(4, amounts.bytes).run()
            }
        }
    }

    /// The most paths and the most bytes that a root was noted to have; nil: nothing was noted.
    public func mostStock(of root: [UInt8]) throws(StoreError) -> PathAmounts? {
        let statement = try prepared("SELECT max(paths), max(bytes) FROM stock WHERE root = ?1")
        defer { statement.reset() }
        guard try statement.bind(1, root).step(), !statement.isNull(0) else { return nil }
        return PathAmounts(paths: statement.integer(0), bytes: statement.integer(1))
    }

    /// When stock was last taken.
    public var lastStock: Timestamp? {
        get throws(StoreError) {
            let statement = try prepared("SELECT max(at) FROM stock")
            defer { statement.reset() }
            guard try statement.step(), !statement.isNull(0) else { return nil }
            return Timestamp(nanoseconds: statement.integer(0))
        }
    }

    // MARK: Overwrites

    /// When these files were overwritten, the first time and the last; those that were not are left out.
    public func overwriteTimes(
        of paths: some Sequence<[UInt8]>
    ) throws(StoreError) -> [[UInt8]: (first: Timestamp, last: Timestamp)] {
        try reading { (database) throws(StoreError) in
            let statement = try database.prepare("SELECT first, last FROM overwritten WHERE path = ?1")
            var times: [[UInt8]: (first: Timestamp, last: Timestamp)] = [:]
            for path in paths {
                defer { statement.reset() }
                guard try statement.bind(1, path).step() else { continue }
                times[path] = (
                    Timestamp(nanoseconds: statement.integer(0)), Timestamp(nanoseconds: statement.integer(1))
                )
            }
            return times
        }
    }

    /// What was overwritten after a moment, without what was overwritten for a second time so many nanoseconds or more
    /// after the first.
    public func overwritten(after moment: Timestamp, unlessAgainAfter pause: Int64) throws(StoreError) -> PathAmounts {
        let statement = try prepared(
            "SELECT sum(files), sum(bytes) FROM overwritten WHERE last > ?1 AND last - first < ?2")
        defer { statement.reset() }
        guard try statement.bind(1, moment.nanoseconds).bind(2, pause).step() else { return .none }
        return PathAmounts(paths: statement.integer(0), bytes: statement.integer(1))
    }

    /// Adds files that a run is about to overwrite.
    ///
    /// - Parameters:
    ///   - files: with their bytes. A key that is no absolute path stands for several files.
    ///   - count: how many files each of them is.
    ///   - oldest: what was last overwritten before this moment is forgotten.
    public func noteOverwritten(
        _ files: [(path: [UInt8], bytes: Int64)], count: Int64 = 1, at moment: Timestamp, forgetting oldest: Timestamp
    ) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("DELETE FROM overwritten WHERE last <= \(oldest.nanoseconds)")
            let insert = try database.prepare(
                """
                INSERT INTO overwritten VALUES (?1, ?2, ?2, ?3, ?4)
                ON CONFLICT (path) DO UPDATE SET last = ?2, files = ?3, bytes = ?4
                """)
            for file in files {
                try insert.bind(1, file.path).bind(2, moment.nanoseconds).bind(3, count).bind(4, file.bytes).run()
            }
        }
    }

    /// What was overwritten counts no more, but is still known: somebody allowed it.
    public func forgiveOverwrites() throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("UPDATE overwritten SET files = 0, bytes = 0")
        }
    }
}

extension Consumer {
    /// Hands out the paths of all work in a state.
    public func forEachPath(in state: ConsumerWork.State, _ visit: ([UInt8]) -> Void) throws(StoreError) {
        let statement = try prepared("SELECT path FROM work WHERE state = ?1")
        defer { statement.reset() }
        statement.bind(1, state.rawValue)
        while try statement.step() { visit(statement.bytes(0)) }
    }
}
