/// What the index says of one name.
public struct IndexedEntry: Equatable, Sendable {
    public var key: InodeKey
    public var attributes: EntryAttributes

    public init(key: InodeKey, attributes: EntryAttributes) {
        self.key = key
        self.attributes = attributes
    }
}

/// A name in a directory.
public struct EntryName: Hashable, Sendable {
    public var directory: DirectoryID
    public var name: [UInt8]

    public init(directory: DirectoryID, name: [UInt8]) {
        self.directory = directory
        self.name = name
    }
}

/// The index: names, and the inodes they name.
extension Store {
    public func entry(in directory: DirectoryID, named name: UnsafeRawBufferPointer) throws(StoreError) -> IndexedEntry?
    {
        let statement = statements.selectEntry
        statement.bind(1, directory.rawValue).bind(2, entryHash(name))
        defer { statement.reset() }
        // Another inode's name may have the same hash.
        while try statement.step() {
            let key = InodeKey(row: statement, 0)
            let isFirstName =
                statement.integer(3) == directory.rawValue && statement.borrowedBytes(4).elementsEqual(name)
            if !isFirstName, try !isLink(name, in: directory, to: key) { continue }
            return IndexedEntry(key: key, attributes: try EntryAttributes(decoding: statement.borrowedBytes(2)))
        }
        return nil
    }

    private func isLink(
        _ name: UnsafeRawBufferPointer, in directory: DirectoryID, to key: InodeKey
    ) throws(StoreError) -> Bool {
        let statement = statements.selectLink
        statement.bind(1, Int64(key.fileSystem.rawValue)).bind(2, Int64(bitPattern: key.inode))
            .bind(3, directory.rawValue).bind(4, borrowing: name)
        defer { statement.reset() }
        return try statement.step()
    }

    /// Every name the index has in a directory, in the order of their hashes. The name lives only during the call, in
    /// which the index must not be changed.
    public func forEachEntry(
        in directory: DirectoryID, _ body: (UnsafeRawBufferPointer, IndexedEntry) -> Void
    ) throws(StoreError) {
        try lister.forEachEntry(in: directory) { name, _, entry in body(name, entry) }
    }

    /// The same, with each name's hash.
    public func forEachHashedEntry(
        in directory: DirectoryID, _ body: (UnsafeRawBufferPointer, Int64, IndexedEntry) -> Void
    ) throws(StoreError) {
        try lister.forEachEntry(in: directory, body)
    }

    /// The index has no name in a directory.
    public func isEmpty(_ directory: DirectoryID) throws(StoreError) -> Bool {
        let statement = statements.selectAnyEntry
        statement.bind(1, directory.rawValue)
        defer { statement.reset() }
        return try !statement.step()
    }

    /// What the index says of an inode, whatever it is called.
    public func attributes(of key: InodeKey) throws(StoreError) -> EntryAttributes? {
        let statement = statements.selectInode
        statement.bind(1, Int64(key.fileSystem.rawValue)).bind(2, Int64(bitPattern: key.inode))
        defer { statement.reset() }
        return try statement.step() ? try EntryAttributes(decoding: statement.borrowedBytes(2)) : nil
    }

    /// Every name of an inode, the first one first.
    public func names(of key: InodeKey) throws(StoreError) -> [EntryName] {
        guard let first = try firstName(of: key) else { return [] }
        var names = [first]
        let links = linksStatement(of: key)
        defer { links.reset() }
        while try links.step() { names.append(EntryName(row: links)) }
        return names
    }

    /// One of an inode's names; nil when the index has none.
    public func firstName(of key: InodeKey) throws(StoreError) -> EntryName? {
        let first = statements.selectInode
        first.bind(1, Int64(key.fileSystem.rawValue)).bind(2, Int64(bitPattern: key.inode))
        defer { first.reset() }
        return try first.step() ? EntryName(row: first) : nil
    }

    /// How many names an inode has in the index.
    public func nameCount(of key: InodeKey) throws(StoreError) -> Int {
        if let known = nameCounts[key] { return known }
        guard try firstName(of: key) != nil else { return 0 }
        let links = linksStatement(of: key)
        defer { links.reset() }
        var count = 1
        while try links.step() { count += 1 }
        nameCounts.note(count, of: key)
        return count
    }

    private func linksStatement(of key: InodeKey) -> Statement {
        statements.listLinks.bind(1, Int64(key.fileSystem.rawValue)).bind(2, Int64(bitPattern: key.inode))
    }

    private func firstLink(of key: InodeKey) throws(StoreError) -> EntryName? {
        let links = linksStatement(of: key)
        defer { links.reset() }
        return try links.step() ? EntryName(row: links) : nil
    }

    /// Adds a name that the index does not have, and its inode's attributes.
    ///
    /// - Returns: false when the inode had a name before: it has one more now, and its attributes stay as they were.
    public func add(
        _ name: UnsafeRawBufferPointer, in directory: DirectoryID, key: InodeKey, attributes: EntryAttributes
    ) throws(StoreError) -> Bool {
        let fileSystem = Int64(key.fileSystem.rawValue)
        let inode = Int64(bitPattern: key.inode)
        try statements.insertEntry.bind(1, directory.rawValue).bind(2, entryHash(name)).bind(3, fileSystem)
            .bind(4, inode).run()
        let statement = statements.insertInode
        statement.bind(1, fileSystem).bind(2, inode).bind(3, directory.rawValue).bind(4, borrowing: name)
        try withEncoding(of: attributes) { (encoded) throws(StoreError) in
            try statement.bind(5, borrowing: encoded).run()
        }
        if database.changedRows > 0 { return true }
        try statements.insertLink.bind(1, fileSystem).bind(2, inode).bind(3, directory.rawValue)
            .bind(4, borrowing: name).run()
        if database.changedRows > 0 { nameCounts.add(1, to: key) }
        return false
    }

    /// Takes a name out of the index; the inode's row goes with its last name.
    ///
    /// - Returns: one of the names that the inode still has, or nil.
    @discardableResult
    public func remove(
        _ name: UnsafeRawBufferPointer, in directory: DirectoryID, key: InodeKey
    ) throws(StoreError) -> EntryName? {
        let fileSystem = Int64(key.fileSystem.rawValue)
        let inode = Int64(bitPattern: key.inode)
        try statements.deleteEntry.bind(1, directory.rawValue).bind(2, entryHash(name)).bind(3, fileSystem)
            .bind(4, inode).run()
        try statements.deleteLink.bind(1, fileSystem).bind(2, inode).bind(3, directory.rawValue)
            .bind(4, borrowing: name).run()
        if database.changedRows > 0 {
            nameCounts.add(-1, to: key)
            return try firstName(of: key)
        }

        nameCounts.add(-1, to: key)
        guard let heir = try firstLink(of: key) else {
            try statements.deleteInode.bind(1, fileSystem).bind(2, inode).run()
            return nil
        }
        try statements.deleteLink.bind(1, fileSystem).bind(2, inode).bind(3, heir.directory.rawValue)
            .bind(4, heir.name).run()
        try statements.updateFirstName.bind(1, fileSystem).bind(2, inode).bind(3, heir.directory.rawValue)
            .bind(4, heir.name).run()
        return heir
    }

    public func setAttributes(_ attributes: EntryAttributes, of key: InodeKey) throws(StoreError) {
        let statement = statements.updateAttributes
        statement.bind(1, Int64(key.fileSystem.rawValue)).bind(2, Int64(bitPattern: key.inode))
        try withEncoding(of: attributes) { (encoded) throws(StoreError) in
            try statement.bind(3, borrowing: encoded).run()
        }
    }

    private func withEncoding(
        of attributes: EntryAttributes, _ body: (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        try withUnsafeTemporaryAllocation(byteCount: EntryAttributes.longestEncoding, alignment: 1) {
            (buffer) throws(StoreError) in
            let count = attributes.encode(into: buffer)
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

extension EntryName {
    /// Reads two columns, directory and name.
    init(row: Statement) { self.init(directory: DirectoryID(rawValue: row.integer(0)), name: row.bytes(1)) }
}
