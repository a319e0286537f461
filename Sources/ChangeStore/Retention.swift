public import LinuxKernel

/// How much of the history is kept.
public struct RetentionLimits: Equatable, Sendable {
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
    /// The changelog lost rows that it had not been given.
    public var overtookChangelog = false
    /// More is to be removed: run again.
    public var isUnfinished = false
    /// Directory paths are about to be removed: the caller must ask for every `PathID` anew.
    public var removedPaths = false
}

extension Store {
    /// Rows, transactions or paths that one step removes: about a hundredth of a second.
    private static let step: Int64 = 10_000

    /// Removes history that is older or larger than the limits, but nothing that a consumer has not seen, unless the
    /// hard limit is passed. Takes a bounded step, in a transaction of its own: call again while `isUnfinished`.
    ///
    /// - Parameter keep: a sequence number up to which the changelog has everything; what comes after stays.
    public func applyRetention(
        _ limits: RetentionLimits, stateDirectory: [UInt8], keepAfter keep: Int64, now: Timestamp = .now
    ) throws(StoreError) -> RetentionResult {
        let known = try History.floor(in: database)
        let cursors = Consumer.cursors(stateDirectory: stateDirectory, store: uuid, floor: known)
        try begin()
        do throws(StoreError) {
            let slowest = min(cursors.values.min() ?? .max, keep)
            var (floor, result) = try removable(limits, slowest: slowest, now: now)
            if let last = try lastRow(upTo: floor) {
                try removeRows(upTo: last, &result)
                floor = last
                result.overtaken = cursors.filter { known <= $0.value && $0.value < last }.map(\.key).sorted()
                result.overtookChangelog = known <= keep && keep < last
            }
            result.removedPaths = try closePathGeneration()
            if try removePaths(unusedAfter: max(known, floor)) { result.isUnfinished = true }
            try commitTransaction()
            return result
        } catch {
            rollback()
            historyBytes = nil
            throw error
        }
    }

    /// Up to which number rows are to be removed, as far as a step reaches. Whole transactions from the oldest on, so
    /// that a clock that was wrong for a moment takes nothing with it that is not old.
    private func removable(
        _ limits: RetentionLimits, slowest: Int64, now: Timestamp
    ) throws(StoreError) -> (floor: Int64, result: RetentionResult) {
        let total: Int64
        if let historyBytes {
            total = historyBytes
        } else {
            total = try database.integer("SELECT sum(bytes) FROM commits") ?? 0
        }
        historyBytes = total
        var result = RetentionResult()
        var excess = total - limits.size
        var hardExcess = total - limits.hardSize
        let (oldest, overflow) = now.nanoseconds.subtractingReportingOverflow(limits.age)
        var isOld = !overflow
        var floor: Int64 = 0
        var count: Int64 = 0
        let commits = try database.prepare("SELECT last, latest, bytes FROM commits ORDER BY first")
        defer { commits.reset() }
        while try commits.step() {
            let last = commits.integer(0)
            isOld = isOld && commits.integer(1) < oldest
            if hardExcess > 0 {
                floor = last
            } else if isOld || excess > 0 {
                floor = max(floor, min(last, slowest))
                if last > slowest { break }
            } else {
                break
            }
            excess -= commits.integer(2)
            hardExcess -= commits.integer(2)
            count += 1
            result.isUnfinished = count == Self.step
            if result.isUnfinished { break }
        }
        return (floor, result)
    }

    /// The last row that a step removes; nil when there is none up to `floor`.
    private func lastRow(upTo floor: Int64) throws(StoreError) -> Int64? {
        let full = try database.integer(
            "SELECT sequence FROM history WHERE sequence <= \(floor) ORDER BY sequence LIMIT 1 OFFSET \(Self.step - 1)")
        if let full { return full }
        return try database.integer(
            "SELECT sequence FROM history WHERE sequence <= \(floor) ORDER BY sequence DESC LIMIT 1")
    }

    private func removeRows(upTo last: Int64, _ result: inout RetentionResult) throws(StoreError) {
        try database.execute("DELETE FROM history WHERE sequence <= \(last)")
        result.removed = database.changedRows
        if result.removed == Self.step { result.isUnfinished = true }
        let whole = "FROM commits WHERE first <= \(last) AND last <= \(last)"
        historyBytes? -= try database.integer("SELECT sum(bytes) \(whole)") ?? 0
        try database.execute("DELETE \(whole)")
        try database.execute("INSERT OR REPLACE INTO meta VALUES ('history_floor', \(last))")
    }
}
