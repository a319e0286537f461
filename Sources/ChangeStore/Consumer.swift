import LinuxKernel

/// A consumer's place in the history, in a file of its own beside the store: one writer a file, so a stuck consumer
/// never delays the tracker.
public final class Consumer {
    private let database: Database
    public let name: String

    /// Where the consumer stands.
    public enum Standing: Equatable, Sendable {
        /// The rows after `cursor` are what it has not seen.
        case at(cursor: Int64)
        /// The history cannot tell what it has not seen: everything has to be compared.
        case needsFullReconcile(Reason)

        public enum Reason: Equatable, Sendable {
            /// It never ran.
            case first
            /// The store is another one than it knew.
            case storeReplaced
            /// The history it has not seen was removed by retention.
            case historyRemoved
        }
    }

    /// Opens a consumer's file, or makes it.
    ///
    /// - Parameter name: letters, digits, `-`, `_` and `.`, not starting with a dot.
    public init(name: String, stateDirectory: [UInt8]) throws(StoreError) {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isPlain, !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 100 else {
            throw StoreError(
                reason: .other, operation: "naming a consumer",
                message: "\"\(name)\": use up to 100 letters, digits, '-', '_' and '.', not starting with '.'")
        }
        self.name = name
        let directory = StoreFiles(directory: stateDirectory).consumers
        try? FileSystemLook.makeDirectory(directory)
        database = try Database(path: directory + Array("/\(name).db".utf8), access: .readWrite)
        database.setBusyTimeout(milliseconds: 10_000)
        try database.execute("PRAGMA synchronous = FULL")
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS cursor(
                id INTEGER PRIMARY KEY CHECK (id = 1), store TEXT NOT NULL, sequence INTEGER NOT NULL)
            """)
    }

    /// Compares what the consumer remembers with the store. To be asked again after rows were read and before the
    /// cursor moves: history may have been removed meanwhile.
    public func standing(in reader: StoreReader) throws(StoreError) -> Standing {
        guard let cursor = try database.integer("SELECT sequence FROM cursor"),
            let store = try database.text("SELECT store FROM cursor")
        else { return .needsFullReconcile(.first) }
        guard try store == reader.uuid else { return .needsFullReconcile(.storeReplaced) }
        // A cursor ahead of the history is right: a power loss took the last commits, and what they told of was found
        // again and has higher numbers.
        guard try cursor >= reader.firstKept else { return .needsFullReconcile(.historyRemoved) }
        return .at(cursor: cursor)
    }

    /// Remembers that everything up to `sequence` has been dealt with; on the disk when this returns.
    public func advance(to sequence: Int64, store uuid: String) throws(StoreError) {
        let statement = try database.prepare("INSERT OR REPLACE INTO cursor VALUES (1, ?1, ?2)")
        try statement.bind(1, text: uuid).bind(2, sequence).run()
    }

    /// The cursors of all consumers of a store, by name; a file that cannot be read counts as standing at 0, so that
    /// nothing it may need is removed.
    static func cursors(stateDirectory: [UInt8], store uuid: String) -> [String: Int64] {
        let directory = StoreFiles(directory: stateDirectory).consumers
        var cursors: [String: Int64] = [:]
        for file in FileSystemLook.names(in: directory) where file.count > 3 && file.suffix(3).elementsEqual(".db".utf8)
        {
            let name = String(decoding: file.dropLast(3), as: UTF8.self)
            do throws(StoreError) {
                let database = try Database(path: directory + [UInt8(ascii: "/")] + file, access: .readOnly)
                // Long enough for a commit of its own, too short for a stuck one to delay the tracker.
                database.setBusyTimeout(milliseconds: 50)
                // One that knows another store needs a full reconcile whatever is kept.
                guard try database.text("SELECT store FROM cursor") == uuid else { continue }
                cursors[name] = try database.integer("SELECT sequence FROM cursor") ?? 0
            } catch {
                cursors[name] = 0
            }
        }
        return cursors
    }
}
