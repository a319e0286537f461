/// Reads the index while the tracker writes it: for comparing it with the disk.
public final class IndexReader {
    private let database: Database
    private let lister: EntryLister

    public init(stateDirectory: [UInt8]) throws(StoreError) {
        database = try Database.reading(StoreFiles(directory: stateDirectory))
        lister = try EntryLister(
            database, EntryHash(uuid: try database.text("SELECT value FROM meta WHERE key = 'uuid'") ?? ""))
    }

    /// Every directory of the index.
    public func directories() throws(StoreError) -> [StoredDirectory] {
        let statement = try database.prepare("SELECT id, parent, name, fs, inode, born FROM directories ORDER BY id")
        defer { statement.reset() }
        var all: [StoredDirectory] = []
        while try statement.step() { all.append(StoredDirectory(row: statement)) }
        return all
    }

    /// What the index has in a directory, sorted by the names' bytes.
    public func entries(of directory: DirectoryID) throws(StoreError) -> [(name: [UInt8], entry: IndexedEntry)] {
        var all: [(name: [UInt8], entry: IndexedEntry)] = []
        try lister.forEachEntry(in: directory) { name, _, entry in all.append(([UInt8](name), entry)) }
        return all.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// What the tracker noted of its settings.
    public func note(_ key: String) throws(StoreError) -> [UInt8]? {
        let statement = try database.prepare("SELECT value FROM meta WHERE key = ?1")
        defer { statement.reset() }
        return try statement.bind(1, text: "note_" + key).step() ? statement.bytes(0) : nil
    }
}
