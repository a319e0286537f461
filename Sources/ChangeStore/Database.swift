import CSQLite

/// One SQLite connection, used by one thread at a time.
final class Database {
    let handle: OpaquePointer

    /// Settings of the library, once, before its first use. One that was used before keeps its own.
    private static let configure: Void = { _ = csqlite_disable_memory_statistics() }()

    enum Access {
        /// Creates the file where there is none.
        case readWrite
        /// Reads and writes a file that is there.
        case existing
        /// Changes nothing, but marks in the shared memory of the write-ahead log what it reads: for the tracker's own
        /// process.
        case readOnly
        /// Takes shared locks only and never creates or changes anything, whoever runs it.
        case bystander
    }

    /// - Parameter path: the file, as bytes; SQLite takes the bytes as they are.
    init(path: [UInt8], access: Access) throws(StoreError) {
        Self.configure
        var opened: OpaquePointer?
        let flags =
            switch access {
            case .readWrite: SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .existing: SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE
            case .readOnly: SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY
            case .bystander: SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            }
        // Without the parameter SQLite opens the shared memory for writing where it may (os_unix.c,
        // unixOpenSharedMemory), makes it where there is none, and marks there what it reads.
        let name = access == .bystander ? Self.uri(path) + Array("?readonly_shm=1".utf8) : path
        let code = (name.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer {
            sqlite3_open_v2($0.baseAddress, &opened, flags, access == .bystander ? BystanderFiles.vfsName : nil)
        }
        guard code == SQLITE_OK, let opened else {
            let operation = "opening \(String(decoding: path, as: UTF8.self))"
            let error =
                opened.map { StoreError(of: $0, code: sqlite3_extended_errcode($0), operation: operation) }
                ?? StoreError(code: code, operation: operation, message: "out of memory")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        // The last connection of all folds the log in as it closes, and asks for an exclusive lock to do so.
        if access == .bystander { _ = csqlite_disable_checkpoint_on_close(handle) }
    }

    deinit { sqlite3_close_v2(handle) }

    /// The path as a URI, in which SQLite gives `?`, `#` and `%` a meaning (sqlite.org/uri.html).
    private static func uri(_ path: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("file:".utf8)
            + path.flatMap { byte in
                "?#%".utf8.contains(byte)
                    ? [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]] : [byte]
            }
    }

    /// How long a lock of another process is waited for before `busy` is thrown, in milliseconds.
    func setBusyTimeout(milliseconds: Int32) { sqlite3_busy_timeout(handle, milliseconds) }

    /// How much memory cached pages may take.
    func setCache(kibibytes: Int) throws(StoreError) { try execute("PRAGMA cache_size = -\(kibibytes)") }

    /// Keeps the `-wal` file when the last connection closes: a reader without write permission on the directory
    /// could not open the store otherwise (sqlite.org/walformat.html, "read-only WAL-mode databases").
    func persistLog() {
        var on: Int32 = 1
        sqlite3_file_control(handle, nil, SQLITE_FCNTL_PERSIST_WAL, &on)
    }

    /// Runs SQL without parameters or results.
    func execute(_ sql: String) throws(StoreError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil), doing: sql)
    }

    /// The first column of the first row, or nil.
    func integer(_ sql: String) throws(StoreError) -> Int64? {
        let statement = try prepare(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    /// The first column of the first row as text, or nil.
    func text(_ sql: String) throws(StoreError) -> String? {
        let statement = try prepare(sql)
        defer { statement.reset() }
        return try statement.step() ? String(decoding: statement.bytes(0), as: UTF8.self) : nil
    }

    func prepare(_ sql: String) throws(StoreError) -> Statement {
        var prepared: OpaquePointer?
        try check(
            sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil), doing: sql)
        guard let prepared else {
            throw StoreError(reason: .other, operation: sql, message: "an empty statement")
        }
        return Statement(prepared, of: self)
    }

    /// Rows that the last INSERT, UPDATE or DELETE touched.
    var changedRows: Int64 { sqlite3_changes64(handle) }
    var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }
    /// No transaction is open.
    var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    func check(_ code: Int32, doing operation: @autoclosure () -> String) throws(StoreError) {
        guard code != SQLITE_OK else { return }
        throw StoreError(of: handle, code: code, operation: Self.phrase(operation()))
    }

    /// What a statement does, for people: SQL says nothing to them.
    private static func phrase(_ operation: String) -> String {
        switch operation.prefix(while: { $0.isUppercase }) {
        case "SELECT", "PRAGMA": "reading the store"
        case "INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "ROLLBACK", "CREATE": "writing the store"
        default: operation
        }
    }

    /// The path names another file than the one that is open, or none.
    var hasMoved: Bool {
        var moved: Int32 = 0
        return sqlite3_file_control(handle, nil, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0
    }
}
