public import LinuxKernel

/// Reads the store while the tracker writes it, or after it has stopped. Takes only shared locks, creates and
/// changes nothing.
///
/// Rows are read in pages, so that no read transaction stays open while the caller does something slow: an open one
/// keeps the tracker's write-ahead log from being folded into the file, and that log then grows.
public final class StoreReader {
    private let database: Database
    private let page: Statement
    private let pathByID: Statement
    /// The paths of the directories met last; a page's rows share a few.
    private var paths: [Int64: [UInt8]] = [:]
    private static let pageSize = 4_096
    private static let pathLimit = 4_096

    /// - Throws: `notFound` when the state directory has no store, `newerSchema`, `corrupt`.
    public init(stateDirectory: [UInt8]) throws(StoreError) {
        let files = StoreFiles(directory: stateDirectory)
        guard FileSystemLook.exists(files.database) else {
            throw StoreError(
                reason: .notFound, operation: "opening the store",
                message: "there is none in \(String(decoding: stateDirectory, as: UTF8.self))")
        }
        database = try Database(path: files.database, access: .readOnly)
        database.setBusyTimeout(milliseconds: 10_000)
        try database.execute("PRAGMA cache_size = -1024")
        let schema = try database.integer("PRAGMA user_version") ?? 0
        guard schema <= Schema.current else {
            throw StoreError(
                reason: .newerSchema(found: schema, known: Schema.current), operation: "opening the store", message: "")
        }
        guard schema > 0 else {
            throw StoreError(
                reason: .notFound, operation: "opening the store", message: "it is being made: try again in a moment")
        }
        page = try database.prepare(
            """
            SELECT sequence, at, kind, type, directory, name, size, from_directory, from_name FROM history
            WHERE sequence > ?1 ORDER BY sequence LIMIT ?2
            """)
        pathByID = try database.prepare("SELECT path FROM paths WHERE id = ?1")
    }

    public var uuid: String {
        get throws(StoreError) { try database.text("SELECT value FROM meta WHERE key = 'uuid'") ?? "" }
    }

    /// How many rows come after a sequence number.
    public func count(after sequence: Int64, atMost limit: Int64) throws(StoreError) -> Int64 {
        let statement = try database.prepare(
            "SELECT COUNT(*) FROM (SELECT 1 FROM history WHERE sequence > ?1 LIMIT ?2)")
        defer { statement.reset() }
        return try statement.bind(1, sequence).bind(2, limit).step() ? statement.integer(0) : 0
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

    /// A sequence number such that every row at or after `moment` has at least this one. Clocks step: earlier rows
    /// may come after it too.
    public func firstSequence(notBefore moment: Timestamp) throws(StoreError) -> Int64 {
        let statement = try database.prepare("SELECT min(first) FROM commits WHERE latest >= ?1")
        defer { statement.reset() }
        guard try statement.bind(1, moment.nanoseconds).step(), !statement.isNull(0) else {
            return try lastSequence + 1
        }
        return statement.integer(0)
    }

    /// Hands out the rows after `sequence`, ascending, until there are no more or `body` returns false.
    public func forEachChange(after sequence: Int64, _ body: (ChangeRecord) throws -> Bool) throws {
        var cursor = sequence
        while true {
            var rows: [ChangeRecord] = []
            page.bind(1, cursor).bind(2, Int64(Self.pageSize))
            do throws(StoreError) {
                while try page.step() { rows.append(try record()) }
                page.reset()
            } catch {
                page.reset()
                throw error
            }
            guard let last = rows.last else { return }
            for row in rows where try !body(row) { return }
            cursor = last.sequence
        }
    }

    private func record() throws(StoreError) -> ChangeRecord {
        ChangeRecord(
            sequence: page.integer(0), at: Timestamp(nanoseconds: page.integer(1)),
            kind: ChangeKind(rawValue: UInt8(truncatingIfNeeded: page.integer(2))) ?? .modified,
            path: try path(page.integer(4), page.borrowedBytes(5)),
            type: FileType(rawValue: UInt8(truncatingIfNeeded: page.integer(3))) ?? .file, size: page.integer(6),
            from: page.isNull(7) ? nil : try path(page.integer(7), page.borrowedBytes(8)))
    }

    private func path(_ directory: Int64, _ name: UnsafeRawBufferPointer) throws(StoreError) -> [UInt8] {
        var path = try directoryPath(directory)
        if path.last != UInt8(ascii: "/") { path.append(UInt8(ascii: "/")) }
        path.append(contentsOf: name)
        return path
    }

    private func directoryPath(_ id: Int64) throws(StoreError) -> [UInt8] {
        if let known = paths[id] { return known }
        pathByID.bind(1, id)
        defer { pathByID.reset() }
        let path = try pathByID.step() ? pathByID.bytes(0) : []
        if paths.count >= Self.pathLimit { paths.removeAll(keepingCapacity: true) }
        paths[id] = path
        return path
    }

    /// The rows after `sequence`, at most `limit`, as absolute paths in one reused buffer: for the changelog, which
    /// reads every row once.
    ///
    /// - Parameter body: sequence number, kind and path; the bytes live only during the call. False stops.
    /// - Returns: the last row read; nil when there is none.
    public func forEachPath(
        after sequence: Int64, limit: Int, _ body: (Int64, ChangeKind, UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) -> Int64? {
        page.bind(1, sequence).bind(2, Int64(limit))
        defer { page.reset() }
        var last: Int64?
        var buffer: [UInt8] = []
        while try page.step() {
            let number = page.integer(0)
            last = number
            buffer.removeAll(keepingCapacity: true)
            buffer.append(contentsOf: try directoryPath(page.integer(4)))
            if buffer.last != UInt8(ascii: "/") { buffer.append(UInt8(ascii: "/")) }
            buffer.append(contentsOf: page.borrowedBytes(5))
            let kind = ChangeKind(rawValue: UInt8(truncatingIfNeeded: page.integer(2))) ?? .modified
            if !buffer.withRawBytes({ body(number, kind, $0) }) { break }
        }
        return last
    }
}
