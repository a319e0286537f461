public import LinuxKernel

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

        public enum Reason: String, Equatable, Sendable {
            /// It never ran.
            case first
            /// The store is another one than it knew.
            case storeReplaced = "store-replaced"
            /// The history it has not seen was removed by retention.
            case historyRemoved = "history-removed"
            /// A power loss took back rows that it has seen.
            case historyLost = "history-lost"
            /// Somebody asked for it.
            case requested
        }
    }

    /// Handing out everything, for which several runs may be needed.
    public struct FullPass: Equatable, Sendable {
        /// Rows after this one are for later: the index may or may not have shown what they tell.
        public var through: Int64
        /// What comes up to this path, in the order of an `IndexWalk`, is done; empty at the beginning.
        public var path: [UInt8]

        public init(through: Int64, path: [UInt8] = []) {
            self.through = through
            self.path = path
        }
    }

    /// Whether a consumer may have this name: 1 to 100 letters, digits, `-`, `_` and `.`, not starting with a dot or a
    /// hyphen.
    public static func isName(_ name: String) -> Bool { ConsumerFile.isName(name) }

    /// Opens a consumer's file, or makes it.
    ///
    /// - Parameter name: one that `isName` takes.
    public init(name: String, stateDirectory: [UInt8]) throws(StoreError) {
        self.name = name
        database = try ConsumerFile(name: name, stateDirectory: stateDirectory).open()
    }

    /// The consumer's file was removed, or another one has its name.
    public var hasMoved: Bool { database.hasMoved }

    /// The file whose lock says that the consumer runs.
    ///
    /// - Throws: when it is no name for a consumer.
    public static func lockPath(name: String, stateDirectory: [UInt8]) throws(StoreError) -> [UInt8] {
        try ConsumerFile(name: name, stateDirectory: stateDirectory).lock
    }

    /// Compares what the consumer remembers with the store. To be asked again after rows were read and before the
    /// cursor moves: history may have been removed meanwhile.
    public func standing(in reader: StoreReader) throws(StoreError) -> Standing {
        if try database.integer("SELECT id FROM requested_full") != nil { return .needsFullReconcile(.requested) }
        guard let cursor = try database.integer("SELECT sequence FROM cursor"),
            let store = try database.text("SELECT store FROM cursor")
        else { return .needsFullReconcile(.first) }
        guard try store == reader.uuid else { return .needsFullReconcile(.storeReplaced) }
        guard try cursor >= reader.firstKept else { return .needsFullReconcile(.historyRemoved) }
        // The file system may have gone back with these rows: what they told of is undone, and no row will say so.
        guard try reader.rowBeforeGap(around: cursor) == nil else { return .needsFullReconcile(.historyLost) }
        return .at(cursor: cursor)
    }

    /// Remembers that everything up to `sequence` has been dealt with; on the disk when this returns.
    public func advance(to sequence: Int64, store uuid: String) throws(StoreError) {
        try commit(ConsumerCommit(through: sequence), store: uuid)
    }

    /// Up to which row of a store's history everything was dealt with; nil before that.
    public func cursor(inStore uuid: String) throws(StoreError) -> Int64? {
        let statement = try prepared("SELECT sequence FROM cursor WHERE store = ?1")
        defer { statement.reset() }
        return try statement.bind(1, text: uuid).step() ? statement.integer(0) : nil
    }

    /// All or nothing.
    func transaction(_ body: (Database) throws(StoreError) -> Void) throws(StoreError) {
        try database.execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            try body(database)
            try database.execute("COMMIT")
        } catch {
            try? database.execute("ROLLBACK")
            throw error
        }
    }

    /// One look at everything: a lock for each question would cost more than its answer.
    func reading<Answer>(_ body: (Database) throws(StoreError) -> Answer) throws(StoreError) -> Answer {
        try database.execute("BEGIN")
        defer { try? database.execute("COMMIT") }
        return try body(database)
    }

    func prepared(_ sql: String) throws(StoreError) -> Statement { try database.prepare(sql) }

    /// The full pass that is under way on a store; nil for none.
    public func fullPass(in reader: StoreReader) throws(StoreError) -> FullPass? {
        let statement = try database.prepare("SELECT store, sequence, path FROM full_pass")
        defer { statement.reset() }
        guard try statement.step(), try String(decoding: statement.bytes(0), as: UTF8.self) == reader.uuid else {
            return nil
        }
        let pass = FullPass(through: statement.integer(1), path: statement.bytes(2))
        // What is needed afterwards must still be there, and what was handed out must not have been taken back.
        guard try pass.through >= reader.firstKept, try reader.rowBeforeGap(around: pass.through) == nil else {
            return nil
        }
        return pass
    }

    /// Remembers how far a full pass is; from then on history after its `through` is kept for this consumer.
    public func setFullPass(_ pass: FullPass, store uuid: String) throws(StoreError) {
        let statement = try database.prepare("INSERT OR REPLACE INTO full_pass VALUES (1, ?1, ?2, ?3)")
        try statement.bind(1, text: uuid).bind(2, pass.through).bind(3, pass.path).run()
    }

    /// From now on everything is handed out once more.
    public func requestFull() throws(StoreError) {
        try database.execute("DELETE FROM full_pass")
        try database.execute("INSERT OR REPLACE INTO requested_full VALUES (1)")
    }

    /// Notes that a run succeeded.
    public func noteSuccess(at moment: Timestamp) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("INSERT OR REPLACE INTO success VALUES (1, \(moment.nanoseconds))")
            try database.execute("DELETE FROM failure")
        }
    }

    /// Forgets that the last run failed.
    public func forgetFailure() throws(StoreError) { try database.execute("DELETE FROM failure") }

    /// Notes that a run failed, and why.
    public func noteFailure(_ reason: String, at moment: Timestamp) throws(StoreError) {
        let statement = try database.prepare("INSERT OR REPLACE INTO failure VALUES (1, ?1, ?2)")
        try statement.bind(1, moment.nanoseconds).bind(2, text: reason).run()
    }

    /// The cursors of all consumers of a store, by name; a file that cannot be read counts as standing at 0, so that
    /// nothing it may need is removed.
    ///
    /// - Parameter floor: rows up to this one are gone. Who needed one of them is given everything, whatever else is
    ///   kept, so it is left out.
    static func cursors(stateDirectory: [UInt8], store uuid: String, floor: Int64 = 0) -> [String: Int64] {
        var cursors: [String: Int64] = [:]
        for name in ConsumerFile.names(stateDirectory: stateDirectory) {
            do throws(StoreError) {
                let record = try ConsumerRecord(name: name, stateDirectory: stateDirectory, busyTimeout: 50)
                // One that knows another store needs a full reconcile whatever is kept.
                if let needed = record.neededAfter(inStore: uuid), needed >= floor { cursors[name] = needed }
            } catch {
                cursors[name] = 0
            }
        }
        return cursors
    }
}
