public import LinuxKernel
import SystemPackage

/// Reads the store while the tracker writes it, or after it has stopped. Takes only shared locks, creates and
/// changes nothing.
public final class StoreReader {
    let database: Database
    private let pathByID: Statement
    private var statements: [String: Statement] = [:]
    /// The paths of the directories met last; a page's rows share a few.
    private var directories: [Int64: HistoryDirectory] = [:]
    private var lastDirectory: (id: Int64, directory: HistoryDirectory)?
    let rootDirectory = HistoryDirectory(path: [UInt8(ascii: "/")])
    private static let directoryLimit = 16_384
    /// The store was opened by a tracker that notes them: none is where an older one still runs.
    private let hasGaps: Bool
    /// Called between the transactions of every scan, besides what the scan itself is given: a long one shows by it that
    /// it moves, and is ended by what it throws.
    public var onPage: () throws -> Void = {}

    /// - Parameter isTracker: whether this is the tracker's own process, which shares the store's memory.
    /// - Throws: `notFound` when the state directory has no store, `newerSchema`, `corrupt`.
    public init(stateDirectory: [UInt8], isTracker: Bool = false) throws(StoreError) {
        database = try Database.reading(
            StoreFiles(directory: stateDirectory), access: isTracker ? .readOnly : .bystander)
        try database.execute("PRAGMA cache_size = -1024")
        pathByID = try database.prepare("SELECT path FROM paths WHERE id = ?1")
        hasGaps = try database.integer("PRAGMA user_version") ?? 0 >= Schema.firstWithGaps
    }

    public var uuid: String {
        get throws(StoreError) { try database.text("SELECT value FROM meta WHERE key = 'uuid'") ?? "" }
    }

    /// The highest sequence number that the history had; 0 while it had no row.
    public var lastSequence: Int64 {
        get throws(StoreError) { try History.end(in: database) }
    }

    /// Rows up to this sequence number were removed by retention: only who has seen them misses nothing. 0 while
    /// nothing was removed.
    public var firstKept: Int64 {
        get throws(StoreError) { try History.floor(in: database) }
    }

    /// Returns the last row before the numbers that an unclean stop left unused, for a number among these.
    ///
    /// Who has seen a row with such a number has seen one that a power loss took back.
    ///
    /// - Returns: nil for every other number, that of a row which is there or was removed by retention.
    public func rowBeforeGap(around sequence: Int64) throws(StoreError) -> Int64? {
        guard hasGaps else { return nil }
        let statement = try database.prepare("SELECT first - 1 FROM gaps WHERE first <= ?1 AND last >= ?1")
        defer { statement.reset() }
        return try statement.bind(1, sequence).step() ? statement.integer(0) : nil
    }

    /// How many rows come after a sequence number, from the commits' own counts.
    public func count(after sequence: Int64) throws(StoreError) -> Int64 {
        let statement = try database.prepare(
            """
            SELECT sum(last - max(first - 1, ?1)) FROM commits
            WHERE first >= ifnull((SELECT max(first) FROM commits WHERE first <= ?1), 0) AND last > ?1
            """)
        defer { statement.reset() }
        return try statement.bind(1, sequence).step() ? statement.integer(0) : 0
    }

    /// How many rows come after a sequence number.
    public func count(after sequence: Int64, atMost limit: Int64) throws(StoreError) -> Int64 {
        let statement = try database.prepare(
            "SELECT COUNT(*) FROM (SELECT 1 FROM history WHERE sequence > ?1 LIMIT ?2)")
        defer { statement.reset() }
        return try statement.bind(1, sequence).bind(2, limit).step() ? statement.integer(0) : 0
    }

    /// A sequence number such that every row at or after `moment` has at least this one. Clocks step: earlier rows
    /// may come after it too.
    public func firstSequence(notBefore moment: Timestamp) throws(StoreError) -> Int64 {
        // The + keeps SQLite from going through all commits from the oldest on, for the first that fits.
        let statement = try database.prepare("SELECT min(+first) FROM commits WHERE latest >= ?1")
        defer { statement.reset() }
        guard try statement.bind(1, moment.nanoseconds).step(), !statement.isNull(0) else {
            return try lastSequence + 1
        }
        return statement.integer(0)
    }

    /// A sequence number such that every row before `moment` has at most this one; later rows may have too.
    public func lastSequence(before moment: Timestamp) throws(StoreError) -> Int64 {
        // Backwards from the newest: only clocks that were set back make it pass over more than what came after.
        let statement = try database.prepare(
            "SELECT last FROM commits WHERE earliest < ?1 ORDER BY first DESC LIMIT 1")
        defer { statement.reset() }
        return try statement.bind(1, moment.nanoseconds).step() ? statement.integer(0) : 0
    }

    /// When the oldest row that is kept was written; nil without rows.
    public var oldest: Timestamp? {
        get throws(StoreError) {
            try database.integer("SELECT at FROM history ORDER BY sequence LIMIT 1").map(Timestamp.init(nanoseconds:))
        }
    }

    /// The first walk of the store is complete: the index has everything.
    public var isBaselineDone: Bool {
        get throws(StoreError) { try database.integer("SELECT value FROM meta WHERE key = 'baseline_done'") != nil }
    }

    /// Directories of the index.
    public var directoryCount: Int {
        get throws(StoreError) { Int(try database.integer("SELECT COUNT(*) FROM directories") ?? 0) }
    }

    /// Bytes of history, as retention counts them.
    public var historyBytes: Int64 {
        get throws(StoreError) { try database.integer("SELECT sum(bytes) FROM commits") ?? 0 }
    }

    /// The absolute paths of the roots in the index, sorted.
    public var roots: [[UInt8]] {
        get throws(StoreError) {
            let statement = try database.prepare("SELECT name FROM directories WHERE parent = 0")
            defer { statement.reset() }
            var roots: [[UInt8]] = []
            while try statement.step() { roots.append(statement.bytes(0)) }
            return roots.sorted { $0.lexicographicallyPrecedes($1) }
        }
    }

    /// What makes each root the directory that the index means, by its absolute path.
    public var rootIdentities: [RootIdentity] {
        get throws(StoreError) {
            let statement = try database.prepare(
                """
                SELECT d.name, f.identity, d.inode, d.born FROM directories d JOIN filesystems f ON f.id = d.fs
                WHERE d.parent = 0
                """)
            defer { statement.reset() }
            var all: [RootIdentity] = []
            while try statement.step() {
                all.append(
                    RootIdentity(
                        path: statement.bytes(0), fileSystem: String(decoding: statement.bytes(1), as: UTF8.self),
                        inode: UInt64(bitPattern: statement.integer(2)),
                        born: Timestamp(nanoseconds: statement.integer(3))))
            }
            return all
        }
    }

    /// How many names the index has, directories included.
    public var entryCount: Int64 {
        get throws(StoreError) { try database.integer("SELECT count(*) FROM entries") ?? 0 }
    }

    /// The statement that reads a scan's rows.
    func statement(for scan: HistoryScan) throws(StoreError) -> Statement {
        let columns = scan.withoutPaths ? "" : ", directory, name, from_directory, from_name"
        let sql = """
            SELECT sequence, at, kind, type, size\(columns) FROM history
            WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence\(scan.isDescending ? " DESC" : "")
            """
        return try statement(sql)
    }

    private func statement(_ sql: String) throws(StoreError) -> Statement {
        if let known = statements[sql] { return known }
        let statement = try database.prepare(sql)
        statements[sql] = statement
        return statement
    }

    /// The directory with an interned path's number.
    func directory(_ id: Int64) throws(StoreError) -> HistoryDirectory {
        if let lastDirectory, lastDirectory.id == id { return lastDirectory.directory }
        let directory = try knownDirectory(id)
        lastDirectory = (id, directory)
        return directory
    }

    private func knownDirectory(_ id: Int64) throws(StoreError) -> HistoryDirectory {
        if let known = directories[id] { return known }
        pathByID.bind(1, id)
        defer { pathByID.reset() }
        let directory = HistoryDirectory(path: try pathByID.step() ? pathByID.bytes(0) : [])
        if directories.count >= Self.directoryLimit { directories.removeAll(keepingCapacity: true) }
        directories[id] = directory
        return directory
    }

    /// The rows after `sequence`, at most `limit`, as absolute paths in one reused buffer: for the changelog, which
    /// reads every row once.
    ///
    /// - Parameter body: sequence number, kind and path; the bytes live only during the call. False stops.
    /// - Returns: the last row read; nil when there is none.
    public func forEachPath(
        after sequence: Int64, limit: Int, _ body: (Int64, ChangeKind, UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) -> Int64? {
        // By itself and not as a scan: four columns of every row that the tracker ever writes.
        let lines = try statement(
            "SELECT sequence, kind, directory, name FROM history WHERE sequence > ?1 ORDER BY sequence LIMIT ?2")
        lines.bind(1, sequence).bind(2, Int64(limit))
        defer { lines.reset() }
        var last: Int64?
        var buffer: [UInt8] = []
        while try lines.step() {
            let number = lines.integer(0)
            last = number
            buffer.removeAll(keepingCapacity: true)
            try directory(lines.integer(2)).append(lines.borrowedBytes(3), to: &buffer)
            let kind = ChangeKind.read(lines.integer(1)).kind
            if !buffer.withRawBytes({ body(number, kind, $0) }) { break }
        }
        return last
    }
}

/// A root as the index knows it.
public struct RootIdentity: Equatable, Sendable {
    /// Absolute.
    public let path: [UInt8]
    /// `FileSystemIdentity.key`.
    public let fileSystem: String
    public let inode: UInt64
    /// 0 where the file system keeps none.
    public let born: Timestamp
}

extension Database {
    /// Makes sure that there is a file that this user may read.
    private static func check(_ files: StoreFiles) throws(StoreError) {
        let directory = OctalEscapes.display(files.directory)
        switch FileSystemLook.refusalToRead(files.database) {
        case nil: return
        case .permissionDenied?:
            throw StoreError(
                reason: .notPermitted, operation: "opening the store",
                message: "permission denied in \(directory): run this as root, as the tracker's user, or as a member "
                    + "of the store's group")
        case .noSuchFileOrDirectory?, .notDirectory?:
            throw StoreError(
                reason: .notFound, operation: "opening the store", message: "there is none in \(directory)")
        case let code?:
            throw StoreError(
                reason: .inputOutput, operation: "opening the store in \(directory)", message: "\(code)")
        }
    }

    /// Opens a store's file for reading.
    ///
    /// - Throws: `notFound` when there is none or it is just being made, `newerSchema`.
    static func reading(_ files: StoreFiles, access: Access = .bystander) throws(StoreError) -> Database {
        try check(files)
        let database = try Database(path: files.database, access: access)
        database.setBusyTimeout(milliseconds: 10_000)
        let schema = try database.integer("PRAGMA user_version") ?? 0
        guard schema <= Schema.current else {
            throw StoreError(
                reason: .newerSchema(found: schema, known: Schema.current), operation: "opening the store", message: "")
        }
        guard schema > 0 else {
            throw StoreError(
                reason: .notFound, operation: "opening the store", message: "it is being made: try again in a moment")
        }
        return database
    }
}
