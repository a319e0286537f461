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
    func bind(_ index: Int32, _ value: Int64) -> Statement { bound(sqlite3_bind_int64(handle, index, value)) }

    /// Binds bytes as a BLOB without copying: they must stay in place until `reset`, `run` or the last `step`.
    @discardableResult
    func bind(_ index: Int32, borrowing bytes: UnsafeRawBufferPointer) -> Statement {
        // A nil pointer would bind NULL; an empty BLOB needs some address.
        guard let base = bytes.baseAddress, bytes.count > 0 else {
            return bound(sqlite3_bind_zeroblob(handle, index, 0))
        }
        return bound(sqlite3_bind_blob(handle, index, base, Int32(bytes.count), nil))
    }

    /// Binds a copy of the bytes as a BLOB.
    @discardableResult
    func bind(_ index: Int32, _ bytes: [UInt8]) -> Statement {
        guard !bytes.isEmpty else { return bound(sqlite3_bind_zeroblob(handle, index, 0)) }
        return bound(sqlite3_bind_blob(handle, index, bytes, Int32(bytes.count), Self.transient))
    }

    @discardableResult
    func bind(_ index: Int32, text: String) -> Statement {
        bound(sqlite3_bind_text(handle, index, text, -1, Self.transient))
    }

    @discardableResult
    func bindNull(_ index: Int32) -> Statement { bound(sqlite3_bind_null(handle, index)) }

    /// A statement that was not reset refuses new values, and would go on with the old ones.
    private func bound(_ code: Int32) -> Statement {
        precondition(code == SQLITE_OK, "binding a value to a statement that is running (SQLite code \(code))")
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
            let error = StoreError(
                of: database.handle, code: code, operation: String(cString: sqlite3_sql(handle)))
            sqlite3_reset(handle)
            throw error
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
