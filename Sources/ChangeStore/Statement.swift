import CSQLite

/// A prepared statement. Parameters count from 1, columns from 0, as in SQLite.
final class Statement {
    private let handle: OpaquePointer
    private unowned let database: Database

    init(_ handle: OpaquePointer, of database: Database) {
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    @discardableResult
    func bind(_ index: Int32, _ value: Int64) -> Statement {
        sqlite3_bind_int64(handle, index, value)
        return self
    }

    /// Binds bytes as a BLOB without copying: they must stay in place until `reset`, `run` or the last `step`.
    @discardableResult
    func bind(_ index: Int32, borrowing bytes: UnsafeRawBufferPointer) -> Statement {
        // A nil pointer would bind NULL; an empty BLOB needs some address.
        if let base = bytes.baseAddress, bytes.count > 0 {
            sqlite3_bind_blob(handle, index, base, Int32(bytes.count), nil)
        } else {
            sqlite3_bind_zeroblob(handle, index, 0)
        }
        return self
    }

    /// Binds a copy of the bytes as a BLOB.
    @discardableResult
    func bind(_ index: Int32, _ bytes: [UInt8]) -> Statement {
        if bytes.isEmpty {
            sqlite3_bind_zeroblob(handle, index, 0)
        } else {
            sqlite3_bind_blob(handle, index, bytes, Int32(bytes.count), Self.transient)
        }
        return self
    }

    @discardableResult
    func bind(_ index: Int32, text: String) -> Statement {
        sqlite3_bind_text(handle, index, text, -1, Self.transient)
        return self
    }

    @discardableResult
    func bindNull(_ index: Int32) -> Statement {
        sqlite3_bind_null(handle, index)
        return self
    }

    /// SQLITE_TRANSIENT, a cast that Swift does not import: SQLite makes its own copy.
    private static var transient: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    /// Goes to the next row; false when there is none.
    func step() throws(StoreError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let message = String(cString: sqlite3_errmsg(database.handle))
            let operation = String(cString: sqlite3_sql(handle))
            sqlite3_reset(handle)
            throw StoreError(code: code, operation: operation, message: message)
        }
    }

    /// Runs to the end and makes the statement ready for the next time.
    func run() throws(StoreError) {
        while try step() {}
        sqlite3_reset(handle)
    }

    func reset() { sqlite3_reset(handle) }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The column's bytes in place: valid until the next step or reset.
    func borrowedBytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let base = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column)))
    }

    func bytes(_ column: Int32) -> [UInt8] { [UInt8](borrowedBytes(column)) }
}
