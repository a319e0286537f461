import CSQLite

/// Folds the write-ahead log into the store's file, on a thread and a connection of its own: it waits for the disk,
/// and the tracker must not.
public final class Checkpointer {
    private let files: StoreFiles
    private var database: Database

    /// - Throws: `inputOutput` also when there is no store: this one makes none.
    public init(files: StoreFiles) throws(StoreError) {
        self.files = files
        database = try Self.open(files)
    }

    private static func open(_ files: StoreFiles) throws(StoreError) -> Database {
        let database = try Database(path: files.database, access: .existing)
        database.setBusyTimeout(milliseconds: 0)
        database.persistLog()
        try database.execute("PRAGMA journal_size_limit = 16777216")
        try database.execute("PRAGMA wal_autocheckpoint = 0")
        try database.execute("PRAGMA synchronous = NORMAL")
        return database
    }

    /// Copies what no reader holds back; the log then starts again from its beginning (a passive checkpoint,
    /// sqlite.org/c3ref/wal_checkpoint_v2.html).
    public func run() throws(StoreError) {
        // A damaged store is set aside and a new one takes its place: that one's log must not grow unseen.
        if database.hasMoved { database = try Self.open(files) }
        let code = sqlite3_wal_checkpoint_v2(database.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        if code == SQLITE_BUSY { return }
        try database.check(code, doing: "folding the write-ahead log into the store")
    }
}
