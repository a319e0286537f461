public import LinuxKernel

/// What a consumer's file says, for whoever only wants to know.
public struct ConsumerRecord: Equatable, Sendable {
    public let name: String
    /// The store it knows, and up to where it has dealt with that one's history; nil before its first success.
    public private(set) var cursor: (store: String, sequence: Int64)?
    /// Everything is being handed out, in several runs.
    public private(set) var fullPass: (store: String, pass: Consumer.FullPass)?
    /// Somebody asked for everything.
    public private(set) var isFullRequested = false
    public private(set) var lastSuccess: Timestamp?
    /// Since the last success.
    public private(set) var lastFailure: (at: Timestamp, reason: String)?
    /// What is still to be done about single paths, apart from the history after the cursor; nothing in a state: no entry.
    public private(set) var work: [ConsumerWork.State: PendingWork] = [:]
    /// What the consumer noted for itself.
    public private(set) var notes: [String: [UInt8]] = [:]

    /// All consumers of a state directory, by name; those whose files cannot be read with the reason.
    public static func all(stateDirectory: [UInt8]) -> [(name: String, record: Result<ConsumerRecord, StoreError>)] {
        ConsumerFile.names(stateDirectory: stateDirectory).map { name in
            do throws(StoreError) {
                return (name, .success(try ConsumerRecord(name: name, stateDirectory: stateDirectory)))
            } catch {
                return (name, .failure(error))
            }
        }
    }

    /// - Parameter busyTimeout: milliseconds: long enough for a commit of the consumer's own.
    /// - Throws: `notFound` when there is no such consumer.
    public init(name: String, stateDirectory: [UInt8], busyTimeout: Int32 = 2_000) throws(StoreError) {
        self.name = name
        let path = try ConsumerFile(name: name, stateDirectory: stateDirectory).path
        guard FileSystemLook.exists(path) else {
            throw StoreError(reason: .notFound, operation: "looking for a consumer", message: "there is no \(name)")
        }
        do throws(StoreError) {
            try read(Database(path: path, access: .readOnly), busyTimeout)
        } catch {
            // A commit was interrupted (SQLITE_READONLY_ROLLBACK): who may write undoes it first.
            guard error.code == 776 else { throw error }
            try read(Database(path: path, access: .existing), busyTimeout)
        }
    }

    private mutating func read(_ database: Database, _ busyTimeout: Int32) throws(StoreError) {
        database.setBusyTimeout(milliseconds: busyTimeout)
        try database.execute("BEGIN")
        // It has no tables while it is being made, or where that was interrupted.
        guard try Self.count(["cursor"], in: database) == 1 else { return }
        if let store = try database.text("SELECT store FROM cursor") {
            cursor = (store, try database.integer("SELECT sequence FROM cursor") ?? 0)
        }
        // A file of an earlier version has no more than that.
        guard try Self.count(["full_pass", "success", "failure", "requested_full"], in: database) == 4 else { return }
        let full = try database.prepare("SELECT store, sequence, path FROM full_pass")
        if try full.step() {
            let pass = Consumer.FullPass(through: full.integer(1), path: full.bytes(2))
            fullPass = (String(decoding: full.bytes(0), as: UTF8.self), pass)
        }
        full.reset()
        isFullRequested = try database.integer("SELECT id FROM requested_full") != nil
        lastSuccess = try database.integer("SELECT at FROM success").map(Timestamp.init(nanoseconds:))
        if let at = try database.integer("SELECT at FROM failure") {
            let reason = try database.text("SELECT reason FROM failure") ?? ""
            lastFailure = (Timestamp(nanoseconds: at), reason)
        }
        guard try Self.count(["work", "notes"], in: database) == 2 else { return }
        work = try PendingWork.all(in: database)
        notes = try PendingWork.notes(in: database)
    }

    /// How many of these tables there are.
    private static func count(_ tables: [String], in database: Database) throws(StoreError) -> Int64 {
        let names = tables.map { "'\($0)'" }.joined(separator: ", ")
        return try database.integer("SELECT count(*) FROM sqlite_schema WHERE name IN (\(names))") ?? 0
    }

    /// The rows of a store after which sequence number the consumer still needs; nil when it needs none, because it
    /// knows nothing of that store.
    public func neededAfter(inStore uuid: String) -> Int64? {
        if let fullPass, fullPass.store == uuid { return fullPass.pass.through }
        if let cursor, cursor.store == uuid { return cursor.sequence }
        return nil
    }

    public static func == (left: ConsumerRecord, right: ConsumerRecord) -> Bool {
        left.name == right.name && left.cursor?.store == right.cursor?.store
            && left.cursor?.sequence == right.cursor?.sequence && left.fullPass?.store == right.fullPass?.store
            && left.fullPass?.pass == right.fullPass?.pass && left.isFullRequested == right.isFullRequested
            && left.lastSuccess == right.lastSuccess && left.lastFailure?.at == right.lastFailure?.at
            && left.lastFailure?.reason == right.lastFailure?.reason && left.work == right.work
            && left.notes == right.notes
    }
}

extension ConsumerRecord {
    /// Removes a consumer: its file, and what SQLite may have left beside it. The caller holds its lock.
    ///
    /// - Throws: the reason why a file cannot be removed.
    public static func remove(name: String, stateDirectory: [UInt8]) throws(StoreError) {
        let path = try ConsumerFile(name: name, stateDirectory: stateDirectory).path
        for part in ["", "-journal"] {
            do {
                try FileSystemLook.remove(path + Array(part.utf8))
            } catch {
                throw StoreError(reason: .inputOutput, operation: "removing the consumer's file", message: "\(error)")
            }
        }
    }
}
