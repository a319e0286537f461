import CSQLite

/// Folds the write-ahead log into the store's file, on a thread and a connection of its own: it waits for the disk,
/// and the tracker must not.
public final class Checkpointer {
    private let database: Database

    public init(files: StoreFiles) throws(StoreError) {
        database = try Database(path: files.database, access: .readWrite)
        database.setBusyTimeout(milliseconds: 0)
        database.persistLog()
        try database.execute("PRAGMA journal_size_limit = 16777216")
        try database.execute("PRAGMA wal_autocheckpoint = 0")
        try database.execute("PRAGMA synchronous = NORMAL")
    }

    /// Copies what no reader holds back; the log then starts again from its beginning (a passive checkpoint,
    /// sqlite.org/c3ref/wal_checkpoint_v2.html).
    public func run() throws(StoreError) {
        let code = sqlite3_wal_checkpoint_v2(database.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        if code == SQLITE_BUSY { return }
        try database.check(code, doing: "folding the write-ahead log into the store")
    }
}
