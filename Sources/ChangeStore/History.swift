/// What the writer and the readers of the history ask alike.
enum History {
    /// Rows up to this number were removed by retention; 0 while none was.
    static func floor(in database: Database) throws(StoreError) -> Int64 {
        try database.integer("SELECT value FROM meta WHERE key = 'history_floor'") ?? 0
    }

    /// The highest number of a committed row, also of one that retention has removed.
    static func end(in database: Database) throws(StoreError) -> Int64 {
        try max(database.integer("SELECT max(sequence) FROM history") ?? 0, floor(in: database))
    }
}
