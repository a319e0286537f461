import LinuxKernel

/// Lists the names that the index has in a directory: an entry leads to its inode, and the name stands there, or among
/// the inode's other names.
final class EntryLister {
    private let list: Statement
    private let links: Statement
    private let hash: EntryHash
    /// By hash, the names in one directory of inodes that have several there.
    private var several: [InodeKey: [Int64: [UInt8]]] = [:]

    init(_ database: Database, _ hash: EntryHash) throws(StoreError) {
        self.hash = hash
        list = try database.prepare(
            """
            SELECT e.fs, e.inode, i.attributes, i.directory, i.name, e.hash FROM entries e
            JOIN inodes i ON i.fs = e.fs AND i.inode = e.inode WHERE e.directory = ?1 ORDER BY e.hash
            """)
        links = try database.prepare("SELECT name FROM links WHERE fs = ?1 AND inode = ?2 AND directory = ?3")
    }

    /// Calls `body` with each name, its hash and its entry, in the order of the hashes. The name lives only during
    /// the call, in which the index must not be changed.
    ///
    /// - Throws: `corrupt` when an entry has no name.
    func forEachEntry(
        in directory: DirectoryID, _ body: (UnsafeRawBufferPointer, Int64, IndexedEntry) -> Void
    ) throws(StoreError) {
        list.bind(1, directory.rawValue)
        defer {
            list.reset()
            several.removeAll()
        }
        while try list.step() {
            let entry = IndexedEntry(
                key: InodeKey(row: list, 0), attributes: try EntryAttributes(decoding: list.borrowedBytes(2)))
            let wanted = list.integer(5)
            let first = list.borrowedBytes(4)
            if list.integer(3) == directory.rawValue && hash(first) == wanted {
                body(first, wanted, entry)
            } else {
                try withLink(to: entry.key, in: directory, hash: wanted) { body($0, wanted, entry) }
            }
        }
    }

    private func withLink(
        to key: InodeKey, in directory: DirectoryID, hash wanted: Int64, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        if several[key] == nil {
            links.bind(1, Int64(key.fileSystem.rawValue)).bind(2, Int64(bitPattern: key.inode))
                .bind(3, directory.rawValue)
            defer { links.reset() }
            var names: [Int64: [UInt8]] = [:]
            while try links.step() {
                let name = links.borrowedBytes(0)
                // Mostly the only one.
                if names.isEmpty, hash(name) == wanted { return body(name) }
                names[hash(name)] = [UInt8](name)
            }
            several[key] = names
        }
        guard let name = several[key]?[wanted] else {
            throw StoreError(reason: .corrupt, operation: "reading the index", message: "an entry without a name")
        }
        name.withUnsafeBytes(body)
    }
}

extension InodeKey {
    /// Reads two columns, fs and inode.
    init(row: Statement, _ column: Int32) {
        self.init(
            fileSystem: FileSystemID(rawValue: Int32(truncatingIfNeeded: row.integer(column))),
            inode: UInt64(bitPattern: row.integer(column + 1)))
    }
}
