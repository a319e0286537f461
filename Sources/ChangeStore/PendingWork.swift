public import LinuxKernel

/// What a consumer has still to do in one state, as a summary.
public struct PendingWork: Equatable, Sendable {
    public var count: Int64
    /// When the first change was seen that it is about.
    public var oldest: Timestamp
    /// When the next of it is due.
    public var nextDue: Timestamp
    /// The first of it by path, at most `mostShown`.
    public var shown: [ConsumerWork]

    /// More are counted only.
    public static let mostShown = 20

    public init(count: Int64, oldest: Timestamp, nextDue: Timestamp, shown: [ConsumerWork] = []) {
        self.count = count
        self.oldest = oldest
        self.nextDue = nextDue
        self.shown = shown
    }

    static func all(in database: Database) throws(StoreError) -> [ConsumerWork.State: PendingWork] {
        var all: [ConsumerWork.State: PendingWork] = [:]
        let counts = try database.prepare("SELECT state, count(*), min(since), min(due) FROM work GROUP BY state")
        while try counts.step() {
            guard let state = ConsumerWork.State(rawValue: counts.integer(0)) else { continue }
            all[state] = PendingWork(
                count: counts.integer(1), oldest: Timestamp(nanoseconds: counts.integer(2)),
                nextDue: Timestamp(nanoseconds: counts.integer(3)))
        }
        counts.reset()
        let first = try database.prepare("SELECT * FROM work WHERE state = ?1 ORDER BY path LIMIT \(mostShown)")
        for state in all.keys {
            first.bind(1, state.rawValue)
            while try first.step() { all[state]?.shown.append(ConsumerWork(row: first)) }
            first.reset()
        }
        return all
    }

    static func notes(in database: Database) throws(StoreError) -> [String: [UInt8]] {
        var notes: [String: [UInt8]] = [:]
        let statement = try database.prepare("SELECT key, value FROM notes")
        while try statement.step() {
            notes[String(decoding: statement.bytes(0), as: UTF8.self)] = statement.bytes(1)
        }
        return notes
    }
}
