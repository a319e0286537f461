/// Finds all names of an inode in the index, while the tracker writes it.
public final class InodeNames {
    private let database: Database
    private let fileSystems: [Int64]
    private let first: Statement
    private let others: Statement
    private let directory: Statement
    /// The paths of the directories met last.
    private var paths: [Int64: [UInt8]] = [:]
    private static let pathLimit = 65_536

    public init(stateDirectory: [UInt8]) throws(StoreError) {
        database = try Database.reading(StoreFiles(directory: stateDirectory))
        let list = try database.prepare("SELECT id FROM filesystems ORDER BY id")
        var fileSystems: [Int64] = []
        while try list.step() { fileSystems.append(list.integer(0)) }
        list.reset()
        self.fileSystems = fileSystems
        first = try database.prepare("SELECT directory, name FROM inodes WHERE fs = ?1 AND inode = ?2")
        others = try database.prepare("SELECT directory, name FROM links WHERE fs = ?1 AND inode = ?2")
        directory = try database.prepare("SELECT parent, name FROM directories WHERE id = ?1")
    }

    /// Inode numbers mean one inode each.
    public var hasOneFileSystem: Bool { fileSystems.count == 1 }

    /// The absolute paths that the index has for inodes of this number, on whatever file system: a look tells which
    /// of them are the one meant.
    public func paths(inode: UInt64) throws(StoreError) -> [[UInt8]] {
        var found: [[UInt8]] = []
        for fileSystem in fileSystems {
            for statement in [first, others] {
                statement.bind(1, fileSystem).bind(2, Int64(bitPattern: inode))
                defer { statement.reset() }
                while try statement.step() {
                    guard let parent = try path(of: statement.integer(0)) else { continue }
                    found.append(parent + statement.bytes(1))
                }
            }
        }
        return found
    }

    /// The same for several inodes in one transaction: few enough for it to be short.
    public func paths(inodes: some Sequence<UInt64>) throws(StoreError) -> [[[UInt8]]] {
        try database.execute("BEGIN")
        defer { try? database.execute("COMMIT") }
        var all: [[[UInt8]]] = []
        for inode in inodes { all.append(try paths(inode: inode)) }
        return all
    }

    /// From now on renamed directories have their new paths.
    public func forgetPaths() { paths.removeAll(keepingCapacity: true) }

    /// The path of a directory with a slash at its end, empty for the place of the roots; nil when the index has no such
    /// directory any more.
    private func path(of id: Int64) throws(StoreError) -> [UInt8]? {
        if id == DirectoryID.roots.rawValue { return [] }
        if let known = paths[id] { return known }
        directory.bind(1, id)
        let isThere = try directory.step()
        let (parent, name) = isThere ? (directory.integer(0), directory.bytes(1)) : (0, [])
        directory.reset()
        guard isThere, let above = try path(of: parent) else { return nil }
        let path = above + name + [UInt8(ascii: "/")]
        if paths.count >= Self.pathLimit { paths.removeAll(keepingCapacity: true) }
        paths[id] = path
        return path
    }
}
