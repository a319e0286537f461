public import LinuxKernel

/// A directory as the store remembers it.
public struct StoredDirectory: Sendable {
    public let id: DirectoryID
    public let parent: DirectoryID
    /// Of a root, its absolute path.
    public let name: [UInt8]
    public let identity: DirectoryIdentity
}

extension StoredDirectory {
    /// Reads a row of id, parent, name, fs, inode, born.
    init(row: Statement) {
        id = DirectoryID(rawValue: row.integer(0))
        parent = DirectoryID(rawValue: row.integer(1))
        name = row.bytes(2)
        let fileSystem = FileSystemID(rawValue: Int32(truncatingIfNeeded: row.integer(3)))
        identity = DirectoryIdentity(
            key: InodeKey(fileSystem: fileSystem, inode: UInt64(bitPattern: row.integer(4))), born: row.integer(5))
    }
}

extension Store {
    /// Every directory, parents before children where ids allow: ids grow, but a rename can put an older directory
    /// below a newer one.
    public func forEachDirectory(_ body: (StoredDirectory) -> Void) throws(StoreError) {
        let statement = try database.prepare("SELECT id, parent, name, fs, inode, born FROM directories ORDER BY id")
        defer { statement.reset() }
        while try statement.step() {
            body(StoredDirectory(row: statement))
        }
    }

    public func addDirectory(
        _ name: UnsafeRawBufferPointer, in parent: DirectoryID, identity: DirectoryIdentity
    ) throws(StoreError) -> DirectoryID {
        try statements.insertDirectory.bind(1, parent.rawValue).bind(2, borrowing: name)
            .bind(3, Int64(identity.key.fileSystem.rawValue)).bind(4, Int64(bitPattern: identity.key.inode))
            .bind(5, identity.born).run()
        return DirectoryID(rawValue: database.lastInsertedRow)
    }

    /// Writes where a directory is now, or which inode it is now.
    public func updateDirectory(
        _ id: DirectoryID, name: UnsafeRawBufferPointer, in parent: DirectoryID, identity: DirectoryIdentity
    ) throws(StoreError) {
        try statements.updateDirectory.bind(1, id.rawValue).bind(2, parent.rawValue).bind(3, borrowing: name)
            .bind(4, Int64(identity.key.fileSystem.rawValue)).bind(5, Int64(bitPattern: identity.key.inode))
            .bind(6, identity.born).run()
    }

    public func removeDirectory(_ id: DirectoryID) throws(StoreError) {
        try statements.deleteDirectory.bind(1, id.rawValue).run()
    }

    /// The store's number of a file system; a new one is written at once.
    public func fileSystem(_ identity: FileSystemIdentity) throws(StoreError) -> FileSystemID {
        let select = try database.prepare("SELECT id FROM filesystems WHERE identity = ?1")
        defer { select.reset() }
        if try select.bind(1, text: identity.key).step() {
            return FileSystemID(rawValue: Int32(truncatingIfNeeded: select.integer(0)))
        }
        let insert = try database.prepare("INSERT INTO filesystems(identity) VALUES (?1)")
        try insert.bind(1, text: identity.key).run()
        return FileSystemID(rawValue: Int32(truncatingIfNeeded: database.lastInsertedRow))
    }
}
