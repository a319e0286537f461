public import LinuxKernel

/// How much of the history is kept.
public struct RetentionLimits: Sendable {
    /// Nanoseconds.
    public var age: Int64
    /// Bytes of history.
    public var size: Int64
    /// Bytes of history past which not even a slow consumer keeps it.
    public var hardSize: Int64

    public init(age: Int64, size: Int64, hardSize: Int64) {
        self.age = age
        self.size = size
        self.hardSize = hardSize
    }
}

/// What a retention run did.
public struct RetentionResult: Sendable {
    /// Rows removed.
    public var removed: Int64 = 0
    /// Consumers that lost history they had not seen: they need a full reconcile.
    public var overtaken: [String] = []
    /// More is to be removed: run again.
    public var isUnfinished = false
    /// Directory paths were removed: every `PathID` that the caller keeps is void.
    public var removedPaths = false
}

extension Store {
    /// Removes history that is older or larger than the limits, but nothing that a consumer has not seen, unless the
    /// hard limit is passed. Takes a bounded step: call again while `isUnfinished`.
    ///
    /// - Parameter keep: a sequence number up to which the changelog has everything; what comes after stays.
    public func applyRetention(
        _ limits: RetentionLimits, stateDirectory: [UInt8], keepAfter keep: Int64, now: Timestamp = .now
    ) throws(StoreError) -> RetentionResult {
        var result = RetentionResult()
        let cursors = Consumer.cursors(stateDirectory: stateDirectory, store: uuid)
        let slowest = min(cursors.values.min() ?? .max, keep)
        let byAge =
            try database.integer(
                "SELECT max(last) FROM commits WHERE latest < \(now.nanoseconds &- limits.age)") ?? 0
        let wanted = try max(byAge, overflowing(limits.size))
        let floor = try max(min(wanted, slowest), overflowing(limits.hardSize))
        let known = try database.integer("SELECT value FROM meta WHERE key = 'history_floor'") ?? 0
        guard floor > known else { return result }

        // A step at a time, so that events are looked at in between.
        let step =
            try database.integer(
                "SELECT last FROM commits WHERE last <= \(floor) ORDER BY first LIMIT 1 OFFSET 999") ?? floor
        let overtaken = cursors.filter { $0.value < step }.map(\.key).sorted()
        let wasAlready = Set(cursors.filter { $0.value < known }.map(\.key))
        result.overtaken = overtaken.filter { !wasAlready.contains($0) }
        try database.execute("DELETE FROM history WHERE sequence <= \(step)")
        result.removed = database.changedRows
        try database.execute("DELETE FROM commits WHERE last <= \(step)")
        try database.execute("INSERT OR REPLACE INTO meta VALUES ('history_floor', \(step))")
        result.isUnfinished = step < floor
        if !result.isUnfinished {
            try database.execute(
                """
                DELETE FROM paths WHERE id NOT IN (SELECT directory FROM history)
                AND id NOT IN (SELECT from_directory FROM history WHERE from_directory IS NOT NULL)
                """)
            result.removedPaths = database.changedRows > 0
        }
        return result
    }

    /// The last sequence number to remove so that the rest of the history is at most `size` bytes; 0 for none.
    private func overflowing(_ size: Int64) throws(StoreError) -> Int64 {
        try database.integer(
            """
            SELECT max(last) FROM (SELECT last, sum(bytes) OVER (ORDER BY first DESC) AS newer FROM commits)
            WHERE newer > \(size)
            """) ?? 0
    }
}
