import CSQLite

/// The tracker's store: index and history in one SQLite file, written by one thread of one process.
///
/// All changes happen in transactions: `begin`, any number of index and history operations, `commit`. A crash leaves
/// the last commit; a power loss may take the last commits (`synchronous=NORMAL`), but index and history together,
/// and never gives a sequence number twice.
public final class Store {
    let database: Database
    let statements: Statements
    let lister: EntryLister
    let bulk: [(rows: Int, statements: BulkStatements)]
    var sequences: SequenceRange
    var commit = CommitSummary()
    private let logPages = LogPages()
    /// Of inodes with many names.
    var nameCounts = NameCounts()
    /// Bytes of history, as far as they are counted; nil until retention asks.
    var historyBytes: Int64?
    /// Identifies this store: a consumer that remembers another one needs a full reconcile.
    public let uuid: String
    /// How the index finds names.
    public let entryHash: EntryHash
    /// No walk has ever been completed on this store: the first one is a baseline.
    public private(set) var isNew: Bool
    /// Sequence numbers go up to here in committed rows.
    public private(set) var lastCommitted: Int64

    /// Opens or creates the store in `files.directory`, which must exist and be locked by the caller.
    ///
    /// - Throws: `corrupt` when SQLite finds the file damaged, `newerSchema` when a newer version wrote it.
    public convenience init(files: StoreFiles) throws(StoreError) { try self.init(files: files, hashBits: 48) }

    init(files: StoreFiles, hashBits: Int64) throws(StoreError) {
        database = try Database(path: files.database, access: .readWrite)
        database.setBusyTimeout(milliseconds: 10_000)
        try database.execute("PRAGMA page_size = 4096")
        guard try database.text("PRAGMA journal_mode = WAL") == "wal" else {
            throw StoreError(
                reason: .inputOutput, operation: "opening the store",
                message: "the file system cannot hold SQLite's write-ahead log")
        }
        database.persistLog()
        try database.execute("PRAGMA synchronous = NORMAL")
        try database.setCache(kibibytes: Self.cache)
        try database.execute("PRAGMA journal_size_limit = 16777216")
        // Checkpoints are another thread's work.
        try database.execute("PRAGMA wal_autocheckpoint = 0")
        try database.execute("PRAGMA temp_store = MEMORY")
        try Schema.migrate(database)
        uuid = try Self.identify(database)
        isNew = try database.integer("SELECT value FROM meta WHERE key = 'baseline_done'") == nil
        entryHash = EntryHash(uuid: uuid, bits: hashBits)
        statements = try Statements(database)
        lister = try EntryLister(database, entryHash)
        var bulk: [(rows: Int, statements: BulkStatements)] = []
        for rows in BulkStatements.sizes { bulk.append((rows, try BulkStatements(rows: rows, database))) }
        self.bulk = bulk
        sequences = try SequenceRange.afterRestart(database)
        lastCommitted = try History.end(in: database)
        logPages.attach(to: database)
    }

    /// The version of the tables, which `changes --version` says. A store of a newer one is refused.
    public static var schemaVersion: Int64 { Schema.current }

    private static func identify(_ database: Database) throws(StoreError) -> String {
        if let known = try database.text("SELECT value FROM meta WHERE key = 'uuid'") { return known }
        let fresh = RandomIdentifier.make()
        try database.execute("INSERT INTO meta VALUES ('uuid', '\(fresh)')")
        return fresh
    }

    public func begin() throws(StoreError) {
        guard database.isAutocommit else { return }
        // Once rows are written a reservation would have to commit them, perhaps without what belongs to them.
        if sequences.isRunningLow { try sequences.reserve(database) }
        try database.execute("BEGIN IMMEDIATE")
    }

    /// Ends the transaction: everything since `begin` becomes visible to readers at once.
    ///
    /// - Returns: the highest sequence number that is now committed.
    @discardableResult
    public func commitTransaction() throws(StoreError) -> Int64 {
        guard !database.isAutocommit else { return lastCommitted }
        if let first = commit.first {
            try statements.insertCommit.bind(1, first).bind(2, commit.last).bind(3, commit.earliest)
                .bind(4, commit.latest).bind(5, commit.bytes).run()
        }
        try database.execute("COMMIT")
        if commit.first != nil {
            lastCommitted = commit.last
            historyBytes? += commit.bytes
        }
        commit = CommitSummary()
        return lastCommitted
    }

    /// Makes sure that the store's file is still where it was opened.
    ///
    /// - Throws: `inputOutput` when it was moved away or removed: what is written now would be lost.
    public func checkPlace() throws(StoreError) {
        guard database.hasMoved else { return }
        throw StoreError(
            reason: .inputOutput, operation: "writing the store",
            message: "its file was removed or moved away while the tracker ran")
    }

    /// Gives up what was done since `begin`. The sequence numbers it used stay unused.
    public func rollback() {
        if !database.isAutocommit { try? database.execute("ROLLBACK") }
        commit = CommitSummary()
        nameCounts = NameCounts()
    }

    /// 4 MiB of pages: the hot part of the index's trees; the rest is in the kernel's page cache.
    private static let cache = 4_096
    /// While everything is gone through, 32 MiB: in the order of directories the tree of inodes is read and written here
    /// and there. Over 1,000,000 files 4 MiB made SQLite write each page some twenty times.
    private static let walkCache = 32_768

    /// A walk over everything begins: takes more memory for it, until `endWalk`.
    public func beginWalk() throws(StoreError) { try database.setCache(kibibytes: Self.walkCache) }

    /// The walk is over: the memory it took is free.
    public func endWalk() throws(StoreError) {
        try database.setCache(kibibytes: Self.cache)
        try database.execute("PRAGMA shrink_memory")
    }

    /// Remembers that the baseline walk is complete.
    public func markBaselineDone() throws(StoreError) {
        try database.execute("INSERT OR REPLACE INTO meta VALUES ('baseline_done', 1)")
        isNew = false
    }

    /// A clean stop: the sequence numbers go on without a gap next time, and the log is folded into the file unless
    /// a reader keeps it for longer than a moment.
    public func close() throws(StoreError) {
        try commitTransaction()
        try sequences.release(database)
        database.setBusyTimeout(milliseconds: 300)
        // It says "busy" in its result, and the log is folded in another time.
        try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// The write-ahead log has grown so far that it should be folded in: 4 MiB, a thousand pages.
    public var isCheckpointDue: Bool { logPages.value >= 1_000 }

    /// Notes what the tracker covers, for `verify index`.
    public func note(_ key: String, _ value: [UInt8]) throws(StoreError) {
        let statement = try database.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")
        try statement.bind(1, text: "note_" + key).bind(2, value).run()
    }
}

/// The length of the write-ahead log in pages, as SQLite tells after each commit.
private final class LogPages {
    private(set) var value: Int32 = 0

    func attach(to database: Database) {
        // The store owns both: the hook cannot outlive this object.
        sqlite3_wal_hook(
            database.handle,
            { context, _, _, pages in
                Unmanaged<LogPages>.fromOpaque(context!).takeUnretainedValue().value = pages
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

/// What one transaction added to the history: a row of the sparse index by time.
struct CommitSummary {
    var first: Int64?
    var last: Int64 = 0
    var earliest: Int64 = 0
    var latest: Int64 = 0
    /// 52: its own row, and the row's entry in the index.
    var bytes: Int64 = 52

    mutating func add(sequence: Int64, at: Int64, bytes added: Int) {
        if first == nil {
            first = sequence
            earliest = at
            latest = at
        }
        last = sequence
        earliest = min(earliest, at)
        latest = max(latest, at)
        bytes += Int64(added)
    }
}

/// A random UUID, version 4 (RFC 9562).
enum RandomIdentifier {
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }
}
