public import LinuxKernel

/// What a consumer still has to do about one path, apart from the history after its cursor.
public struct ConsumerWork: Equatable, Sendable {
    /// Why it is not done.
    public enum State: Int64, Sendable {
        /// It is to be done from `due` on.
        case waiting = 1
        /// It failed by itself; it is tried again at `due`.
        case quarantined = 2
        /// A deletion that waits until somebody allows it.
        case heldDeletion = 3
        /// A file that would be overwritten, held until somebody allows it.
        case heldOverwrite = 4
    }

    /// Absolute.
    public var path: [UInt8]
    public var state: State
    /// The consumer's own: what is known of the path's changes.
    public var flags: Int64
    /// When the first of the changes was seen that it is about.
    public var since: Timestamp
    public var due: Timestamp
    public var attempts: Int64
    /// For people: why.
    public var reason: String

    public init(
        path: [UInt8], state: State, flags: Int64, since: Timestamp, due: Timestamp, attempts: Int64 = 0,
        reason: String = ""
    ) {
        self.path = path
        self.state = state
        self.flags = flags
        self.since = since
        self.due = due
        self.attempts = attempts
        self.reason = reason
    }
}

/// What a consumer's file gets in one transaction.
public struct ConsumerCommit: Sendable {
    /// Everything up to this row was dealt with, or is in `kept`; nil: the cursor stays.
    public var through: Int64?
    /// How far a full pass is; nil: not in one. With `through` the pass is over.
    public var fullPass: Consumer.FullPass?
    /// Paths that need nothing any more.
    public var done: [[UInt8]] = []
    /// Paths that still need something.
    public var kept: [ConsumerWork] = []
    /// What the consumer notes for itself, by key.
    public var notes: [String: [UInt8]] = [:]

    public init(through: Int64? = nil, fullPass: Consumer.FullPass? = nil) {
        self.through = through
        self.fullPass = fullPass
    }
}

extension Consumer {
    /// Remembers what was done and what is still to be done; on the disk when this returns.
    public func commit(_ commit: ConsumerCommit, store uuid: String) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            if let through = commit.through {
                try database.prepare("INSERT OR REPLACE INTO cursor VALUES (1, ?1, ?2)")
                    .bind(1, text: uuid).bind(2, through).run()
                try database.execute("DELETE FROM full_pass")
                try database.execute("DELETE FROM requested_full")
            } else if let pass = commit.fullPass {
                try database.prepare("INSERT OR REPLACE INTO full_pass VALUES (1, ?1, ?2, ?3)")
                    .bind(1, text: uuid).bind(2, pass.through).bind(3, pass.path).run()
            }
            let note = try database.prepare("INSERT OR REPLACE INTO notes VALUES (?1, ?2)")
            for (key, value) in commit.notes { try note.bind(1, text: key).bind(2, value).run() }
            let remove = try database.prepare("DELETE FROM work WHERE path = ?1")
            for path in commit.done { try remove.bind(1, path).run() }
            let insert = try database.prepare("INSERT OR REPLACE INTO work VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            for work in commit.kept {
                try insert.bind(1, work.path).bind(2, work.state.rawValue).bind(3, work.flags)
                    .bind(4, work.since.nanoseconds).bind(5, work.due.nanoseconds).bind(6, work.attempts)
                    .bind(7, text: work.reason).run()
            }
        }
    }

    /// What is kept about a path.
    public func work(about path: [UInt8]) throws(StoreError) -> ConsumerWork? {
        let statement = try prepared("SELECT * FROM work WHERE path = ?1")
        defer { statement.reset() }
        return try statement.bind(1, path).step() ? ConsumerWork(row: statement) : nil
    }

    /// What is kept about these paths, by path; those that nothing is kept about are left out.
    public func work(about paths: some Sequence<[UInt8]>) throws(StoreError) -> [[UInt8]: ConsumerWork] {
        try reading { (database) throws(StoreError) in
            guard try database.integer("SELECT 1 FROM work LIMIT 1") != nil else { return [:] }
            let statement = try database.prepare("SELECT * FROM work WHERE path = ?1")
            var found: [[UInt8]: ConsumerWork] = [:]
            for path in paths {
                defer { statement.reset() }
                if try statement.bind(1, path).step() { found[path] = ConsumerWork(row: statement) }
            }
            return found
        }
    }

    /// What is due at a moment, of some states, the longest overdue first.
    ///
    /// - Parameter count: how many of them are passed over.
    public func work(
        due moment: Timestamp, in states: [ConsumerWork.State], atMost limit: Int, after count: Int = 0
    ) throws(StoreError) -> [ConsumerWork] {
        let numbers = states.map { "\($0.rawValue)" }.joined(separator: ", ")
        let statement = try prepared(
            "SELECT * FROM work WHERE due <= ?1 AND state IN (\(numbers)) ORDER BY due, path LIMIT ?2 OFFSET ?3")
        defer { statement.reset() }
        statement.bind(1, moment.nanoseconds).bind(2, Int64(limit)).bind(3, Int64(count))
        var all: [ConsumerWork] = []
        while try statement.step() { all.append(ConsumerWork(row: statement)) }
        return all
    }

    /// How much work there is in a state, since when the oldest, and when the next is due.
    public func workCount(
        _ state: ConsumerWork.State
    ) throws(StoreError) -> (count: Int64, oldest: Timestamp?, nextDue: Timestamp?) {
        let statement = try prepared("SELECT count(*), min(since), min(due) FROM work WHERE state = ?1")
        defer { statement.reset() }
        guard try statement.bind(1, state.rawValue).step(), statement.integer(0) > 0 else { return (0, nil, nil) }
        return (
            statement.integer(0), Timestamp(nanoseconds: statement.integer(1)),
            Timestamp(nanoseconds: statement.integer(2))
        )
    }

    /// Makes all work in a state due now.
    public func makeDue(_ states: [ConsumerWork.State]) throws(StoreError) {
        let numbers = states.map { "\($0.rawValue)" }.joined(separator: ", ")
        try transaction { (database) throws(StoreError) in
            try database.execute("UPDATE work SET due = 0 WHERE state IN (\(numbers))")
        }
    }

    // MARK: Notes

    /// What the consumer noted for itself under a key; nil: nothing.
    public func note(_ key: String) throws(StoreError) -> [UInt8]? {
        let statement = try prepared("SELECT value FROM notes WHERE key = ?1")
        defer { statement.reset() }
        return try statement.bind(1, text: key).step() ? statement.bytes(0) : nil
    }

    /// Notes something, on the disk when this returns; nil removes it.
    public func setNote(_ key: String, _ value: [UInt8]?) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            if let value {
                try database.prepare("INSERT OR REPLACE INTO notes VALUES (?1, ?2)")
                    .bind(1, text: key).bind(2, value).run()
            } else {
                try database.prepare("DELETE FROM notes WHERE key = ?1").bind(1, text: key).run()
            }
        }
    }

    // MARK: Directories at the destination that may hold partial files

    /// Adds directories, and notes some things, on the disk when this returns.
    public func notePartials(
        in directories: some Sequence<[UInt8]>, notes: [String: [UInt8]] = [:]
    ) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            let insert = try database.prepare("INSERT OR IGNORE INTO partials VALUES (?1)")
            for directory in directories { try insert.bind(1, directory).run() }
            let note = try database.prepare("INSERT OR REPLACE INTO notes VALUES (?1, ?2)")
            for (key, value) in notes { try note.bind(1, text: key).bind(2, value).run() }
        }
    }

    /// The directories that were noted.
    public func partials(atMost limit: Int) throws(StoreError) -> [[UInt8]] {
        let statement = try prepared("SELECT directory FROM partials ORDER BY directory LIMIT ?1")
        defer { statement.reset() }
        statement.bind(1, Int64(limit))
        var all: [[UInt8]] = []
        while try statement.step() { all.append(statement.bytes(0)) }
        return all
    }

    /// Forgets directories that hold none any more.
    public func forgetPartials(in directories: [[UInt8]]) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            let remove = try database.prepare("DELETE FROM partials WHERE directory = ?1")
            for directory in directories { try remove.bind(1, directory).run() }
        }
    }

    /// Forgets all directories, and what was noted under these keys.
    public func forgetPartials(notes keys: [String]) throws(StoreError) {
        try transaction { (database) throws(StoreError) in
            try database.execute("DELETE FROM partials")
            let remove = try database.prepare("DELETE FROM notes WHERE key = ?1")
            for key in keys { try remove.bind(1, text: key).run() }
        }
    }
}

extension ConsumerWork {
    init(row: Statement) {
        self.init(
            path: row.bytes(0), state: State(rawValue: row.integer(1)) ?? .waiting, flags: row.integer(2),
            since: Timestamp(nanoseconds: row.integer(3)), due: Timestamp(nanoseconds: row.integer(4)),
            attempts: row.integer(5), reason: String(decoding: row.bytes(6), as: UTF8.self))
    }
}
