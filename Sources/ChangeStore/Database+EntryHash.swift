import CSQLite

extension Database {
    /// Defines the SQL function `entry_hash(uuid, name)`, for migrations.
    func defineEntryHash() {
        sqlite3_create_function_v2(
            handle, "entry_hash", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nil,
            { context, _, values in
                guard let uuid = sqlite3_value_text(values?[0]) else {
                    return sqlite3_result_error(context, "entry_hash: no UUID", -1)
                }
                let name = UnsafeRawBufferPointer(
                    start: sqlite3_value_blob(values?[1]), count: Int(sqlite3_value_bytes(values?[1])))
                sqlite3_result_int64(context, EntryHash(uuid: String(cString: uuid))(name))
            }, nil, nil, nil)
    }
}
