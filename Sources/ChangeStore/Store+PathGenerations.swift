/// Which directory paths of the history no row needs any more, without looking at the rows.
///
/// After every quarter of a million rows a generation of paths ends: the caller asks for all its `PathID`s anew, and
/// the rows of later generations use later numbers. So when retention has removed the rows of a generation, its paths
/// can go too. They stay for one generation more: what was under way when theirs ended may still use them.
extension Store {
    /// Rows in a generation. Each begins with the paths of the directories that change, written once more.
    private static let generation: Int64 = 1 << 18
    /// Paths that one step removes.
    private static let pathStep: Int64 = 10_000

    /// Ends the generation of paths when it is long enough.
    ///
    /// - Returns: true when the caller has to ask for its paths anew.
    func closePathGeneration() throws(StoreError) -> Bool {
        let last = sequences.next - 1
        let before = try database.integer("SELECT max(last_sequence) FROM path_generations") ?? 0
        guard last - before >= Self.generation else { return false }
        try database.execute(
            """
            INSERT OR REPLACE INTO path_generations SELECT max(id), \(last) FROM paths HAVING max(id) IS NOT NULL
            """)
        return database.changedRows > 0
    }

    /// Removes paths of generations that ended before one whose rows are all gone.
    ///
    /// - Parameter floor: rows up to this number are removed.
    /// - Returns: true when there are more.
    func removePaths(unusedAfter floor: Int64) throws(StoreError) -> Bool {
        let last = try database.integer(
            """
            SELECT last_path FROM path_generations WHERE last_sequence <= \(floor)
            ORDER BY last_path DESC LIMIT 1 OFFSET 1
            """)
        guard let last else { return false }
        try database.execute(
            "DELETE FROM paths WHERE id IN (SELECT id FROM paths WHERE id <= \(last) ORDER BY id LIMIT \(Self.pathStep))"
        )
        if database.changedRows == Self.pathStep { return true }
        try database.execute("DELETE FROM path_generations WHERE last_path <= \(last)")
        return false
    }
}
