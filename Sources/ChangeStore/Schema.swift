/// The tables, and how a store of an older version becomes one of this version.
///
/// `PRAGMA user_version` holds the schema's number. Each migration takes a store from one number to the next in one
/// transaction; they only ever get added at the end.
enum Schema {
    static let migrations: [String] = [version1, version2, version3, version4]
    static var current: Int64 { Int64(migrations.count) }
    /// The first version with the table `gaps`.
    static let firstWithGaps: Int64 = 4

    private static let version1 = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;

        -- File systems by an identity that survives reboots (FileSystemIdentity.key).
        CREATE TABLE filesystems(id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE);

        -- The index: every live name below the roots, and every inode they name once.
        -- A directory keeps its id when it is renamed, so a rename touches one row whatever is below.
        -- A root has parent 0 and its absolute path as its name.
        CREATE TABLE directories(
            id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name BLOB NOT NULL,
            fs INTEGER NOT NULL, inode INTEGER NOT NULL, born INTEGER NOT NULL);
        CREATE TABLE entries(
            directory INTEGER NOT NULL, name BLOB NOT NULL, fs INTEGER NOT NULL, inode INTEGER NOT NULL,
            PRIMARY KEY (directory, name)) WITHOUT ROWID;
        -- One of an inode's names stands in its own row; the others, of the few that have more, in links.
        CREATE TABLE inodes(
            fs INTEGER NOT NULL, inode INTEGER NOT NULL, directory INTEGER NOT NULL, name BLOB NOT NULL,
            attributes BLOB NOT NULL, PRIMARY KEY (fs, inode)) WITHOUT ROWID;
        CREATE TABLE links(
            fs INTEGER NOT NULL, inode INTEGER NOT NULL, directory INTEGER NOT NULL, name BLOB NOT NULL,
            PRIMARY KEY (fs, inode, directory, name)) WITHOUT ROWID;

        -- The history: what happened to which path. Directory paths are interned and never changed: a later rename
        -- leaves what an older row says as it was.
        CREATE TABLE paths(id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL);
        CREATE TABLE history(
            sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, type INTEGER NOT NULL,
            directory INTEGER NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL,
            from_directory INTEGER, from_name BLOB);
        -- One row a transaction: the sparse index by time, and what retention counts.
        CREATE TABLE commits(
            first INTEGER PRIMARY KEY, last INTEGER NOT NULL, earliest INTEGER NOT NULL, latest INTEGER NOT NULL,
            bytes INTEGER NOT NULL);
        CREATE INDEX commits_by_time ON commits(latest);
        """

    private static let version2 = """
        -- After the row last_sequence no path up to last_path is used any more, but by the generation that follows.
        CREATE TABLE path_generations(last_path INTEGER PRIMARY KEY, last_sequence INTEGER NOT NULL);
        """

    private static let version3 = """
        -- Names are found by EntryHash and stand in inodes and links only.
        CREATE TABLE entries_by_hash(
            directory INTEGER NOT NULL, hash INTEGER NOT NULL, fs INTEGER NOT NULL, inode INTEGER NOT NULL,
            PRIMARY KEY (directory, hash, fs, inode)) WITHOUT ROWID;
        INSERT INTO entries_by_hash
            SELECT directory, entry_hash((SELECT value FROM meta WHERE key = 'uuid'), name), fs, inode FROM entries;
        DROP TABLE entries;
        ALTER TABLE entries_by_hash RENAME TO entries;
        """

    private static let version4 = """
        -- Sequence numbers that no committed row has, though some may have been committed once: an unclean stop left them.
        CREATE TABLE gaps(first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
        """

    /// Brings an open store up to this version.
    ///
    /// - Throws: `newerSchema` for a store that a newer version wrote.
    static func migrate(_ database: Database) throws(StoreError) {
        let found = try database.integer("PRAGMA user_version") ?? 0
        guard found <= current else {
            throw StoreError(
                reason: .newerSchema(found: found, known: current), operation: "opening the store", message: "")
        }
        if found < current { database.defineEntryHash() }
        for number in found..<current {
            try database.execute("BEGIN IMMEDIATE")
            do throws(StoreError) {
                try database.execute(migrations[Int(number)])
                try database.execute("PRAGMA user_version = \(number + 1)")
                try database.execute("COMMIT")
            } catch {
                try? database.execute("ROLLBACK")
                throw error
            }
        }
    }
}
