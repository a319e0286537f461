/// Reads the index while the tracker writes it: for comparing it with the disk.
public final class IndexReader {
    private let database: Database
    private let lister: EntryLister
    private let byID: Statement

    public init(stateDirectory: [UInt8]) throws(StoreError) {
        database = try Database.reading(StoreFiles(directory: stateDirectory))
        lister = try EntryLister(
            database, EntryHash(uuid: try database.text("SELECT value FROM meta WHERE key = 'uuid'") ?? ""))
        byID = try database.prepare("SELECT id, parent, name, fs, inode, born FROM directories WHERE id = ?1")
    }

    /// Every directory of the index.
    public func directories() throws(StoreError) -> [StoredDirectory] {
        let statement = try database.prepare("SELECT id, parent, name, fs, inode, born FROM directories ORDER BY id")
        defer { statement.reset() }
        var all: [StoredDirectory] = []
        while try statement.step() { all.append(StoredDirectory(row: statement)) }
        return all
    }

    /// The number of every directory with that of its parent.
    func parents() throws(StoreError) -> [(parent: Int64, id: Int64)] {
        let statement = try database.prepare("SELECT parent, id FROM directories")
        defer { statement.reset() }
        var all: [(parent: Int64, id: Int64)] = []
        while try statement.step() { all.append((statement.integer(0), statement.integer(1))) }
        return all
    }

    /// One directory; nil when the index has it no more.
    func directory(_ id: DirectoryID) throws(StoreError) -> StoredDirectory? {
        byID.bind(1, id.rawValue)
        defer { byID.reset() }
        return try byID.step() ? StoredDirectory(row: byID) : nil
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
