/// Reads the index while the tracker writes it: for comparing it with the disk.
public final class IndexReader {
    private let database: Database
    private let list: Statement

    public init(stateDirectory: [UInt8]) throws(StoreError) {
        database = try Database(path: StoreFiles(directory: stateDirectory).database, access: .readOnly)
        database.setBusyTimeout(milliseconds: 10_000)
        list = try database.prepare(
            """
            SELECT e.name, e.fs, e.inode, i.attributes FROM entries e
            JOIN inodes i ON i.fs = e.fs AND i.inode = e.inode WHERE e.directory = ?1 ORDER BY e.name
            """)
    }

    /// Every directory of the index.
    public func directories() throws(StoreError) -> [StoredDirectory] {
        let statement = try database.prepare("SELECT id, parent, name, fs, inode, born FROM directories ORDER BY id")
        defer { statement.reset() }
        var all: [StoredDirectory] = []
        while try statement.step() { all.append(StoredDirectory(row: statement)) }
        return all
    }

    /// What the index has in a directory.
    public func entries(of directory: DirectoryID) throws(StoreError) -> [(name: [UInt8], entry: IndexedEntry)] {
        list.bind(1, directory.rawValue)
        defer { list.reset() }
        var all: [(name: [UInt8], entry: IndexedEntry)] = []
        while try list.step() {
            let key = InodeKey(
                fileSystem: FileSystemID(rawValue: Int32(truncatingIfNeeded: list.integer(1))),
                inode: UInt64(bitPattern: list.integer(2)))
            let attributes = try EntryAttributes(decoding: list.borrowedBytes(3))
            all.append((list.bytes(0), IndexedEntry(key: key, attributes: attributes)))
        }
        return all
    }

    /// What the tracker noted of its settings.
    public func note(_ key: String) throws(StoreError) -> [UInt8]? {
        let statement = try database.prepare("SELECT value FROM meta WHERE key = ?1")
        defer { statement.reset() }
        return try statement.bind(1, text: "note_" + key).step() ? statement.bytes(0) : nil
    }
}
