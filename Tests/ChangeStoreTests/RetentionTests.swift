import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct RetentionTests {
    private let state = StateDirectory()
    private static let day: Int64 = 86_400_000_000_000
    private let now = Timestamp(nanoseconds: 1_000 * day)

    private func at(daysAgo days: Int64) -> Timestamp { Timestamp(nanoseconds: now.nanoseconds - days * Self.day) }

    private func limits(days: Int64 = 10_000, size: Int64 = .max, hard: Int64 = .max) -> RetentionLimits {
        RetentionLimits(age: days * Self.day, size: size, hardSize: hard)
    }

    /// Runs all steps.
    private func retain(
        _ limits: RetentionLimits, in store: Store, keepAfter keep: Int64 = .max
    ) throws -> RetentionResult {
        var total = RetentionResult()
        while true {
            let step = try store.applyRetention(limits, stateDirectory: state.bytes, keepAfter: keep, now: now)
            total.removed += step.removed
            total.overtaken += step.overtaken
            total.overtookChangelog = total.overtookChangelog || step.overtookChangelog
            total.removedPaths = total.removedPaths || step.removedPaths
            guard step.isUnfinished else { return total }
        }
    }

    private func sequences() throws -> [Int64] { try state.reader().rows().map(\.sequence) }

    @Test func whatIsOlderGoes() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for days in stride(from: Int64(100), through: 1, by: -1) {
            try store.commitRows(2, in: path, at: at(daysAgo: days))
        }
        let result = try retain(limits(days: 90), in: store)
        #expect(result.removed == 20)
        #expect(try sequences() == Array(21...200))
        #expect(try state.reader().firstKept == 20)
        #expect(try retain(limits(days: 90), in: store).removed == 0)
    }

    @Test func oneCommitOfAClockThatWasWrongTakesNothingYoungWithIt() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        try store.commitRows(1, in: path, at: at(daysAgo: 100))
        for days in stride(from: Int64(80), through: 70, by: -1) {
            try store.commitRows(1, in: path, at: at(daysAgo: days))
        }
        // The machine came up in 1970, and the network's time was there only later.
        try store.commitRows(1, in: path, at: Timestamp(nanoseconds: 5))
        try store.commitRows(1, in: path, at: at(daysAgo: 60))
        #expect(try retain(limits(days: 90), in: store).removed == 1)
        #expect(try sequences() == Array(2...14))
    }

    @Test func whatIsTooMuchGoesOldestFirst() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<100 { try store.commitRows(10, in: path, at: now) }
        let total = try #require(try store.database.integer("SELECT sum(bytes) FROM commits"))
        #expect(try retain(limits(size: total), in: store).removed == 0)
        #expect(try retain(limits(size: total / 2), in: store).removed == 500)
        #expect(try sequences() == Array(501...1_000))
        // Also of a store that was opened anew, and with what came since.
        try store.close()
        let reopened = try state.open()
        try reopened.commitRows(10, in: reopened.intern(path: [0x2F]), at: now)
        #expect(try retain(limits(size: total / 2), in: reopened).removed == 10)
        #expect(try retain(limits(size: 0), in: reopened).removed == 500)
        #expect(try sequences().isEmpty)
    }

    @Test func theCountedSizeIsAboutTheFiles() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        let empty = try #require(try store.database.integer("PRAGMA page_count"))
        for _ in 0..<2_000 { try store.commitRows(1, in: path, name: "a-lone-change.txt") }
        for _ in 0..<20 { try store.commitRows(1_000, in: path, name: "one-of-many.txt") }
        try store.begin()
        for row in 0..<10_000 {
            let name = Array("moved-\(row).txt".utf8)
            try store.append(name, .moved, in: path, from: (path, name))
        }
        try store.commitTransaction()
        let pages = try #require(try store.database.integer("PRAGMA page_count"))
        let counted = try #require(try store.database.integer("SELECT sum(bytes) FROM commits"))
        let ratio = Double(counted) / Double((pages - empty) * 4_096)
        #expect((0.75...1.25).contains(ratio), "\(ratio)")
    }

    @Test func theSlowestConsumerIsWaitedFor() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<100 { try store.commitRows(1, in: path, at: at(daysAgo: 100)) }
        let slow = try Consumer(name: "slow", stateDirectory: state.bytes)
        let fast = try Consumer(name: "fast", stateDirectory: state.bytes)
        try slow.advance(to: 30, store: store.uuid)
        try fast.advance(to: 80, store: store.uuid)
        // One of another store, and one that never ran, do not count.
        try Consumer(name: "other", stateDirectory: state.bytes).advance(to: 1, store: "another")
        _ = try Consumer(name: "new", stateDirectory: state.bytes)

        var result = try retain(limits(days: 90), in: store)
        #expect(result.removed == 30 && result.overtaken.isEmpty)
        #expect(try slow.standing(in: state.reader()) == .at(cursor: 30))
        #expect(try slow.standing(in: state.reader()) == .at(cursor: 30))

        try slow.advance(to: 90, store: store.uuid)
        result = try retain(limits(days: 90), in: store, keepAfter: 50)
        #expect(result.removed == 20 && !result.overtookChangelog, "the changelog is waited for too")
        #expect(try sequences() == Array(51...100))
    }

    @Test func theHardLimitWaitsForNobodyAndNamesWhoIsOvertaken() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<100 { try store.commitRows(1, in: path, at: now) }
        let total = try #require(try store.database.integer("SELECT sum(bytes) FROM commits"))
        let slow = try Consumer(name: "slow", stateDirectory: state.bytes)
        let fast = try Consumer(name: "fast", stateDirectory: state.bytes)
        try slow.advance(to: 10, store: store.uuid)
        try fast.advance(to: 60, store: store.uuid)

        var result = try retain(limits(size: total / 4, hard: total / 2), in: store, keepAfter: 40)
        #expect(result.removed > 40 && result.overtaken == ["slow"] && result.overtookChangelog)
        let reader = try state.reader()
        #expect(try slow.standing(in: reader) == .needsFullReconcile(.historyRemoved))
        #expect(try fast.standing(in: reader) == .at(cursor: 60))

        // It is named once.
        try store.commitRows(50, in: path, at: now)
        result = try retain(limits(size: total / 4, hard: total / 4), in: store, keepAfter: .max)
        #expect(result.overtaken == ["fast"] && !result.overtookChangelog)
    }

    @Test func aConsumerWhoseFileCannotBeReadHoldsTheHistory() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<10 { try store.commitRows(1, in: path, at: at(daysAgo: 100)) }
        try Consumer(name: "broken", stateDirectory: state.bytes).advance(to: 10, store: store.uuid)
        try state.write(Array(repeating: 0x41, count: 4_096), to: "consumers/broken.db")
        #expect(try retain(limits(days: 90), in: store).removed == 0)
        #expect(try retain(limits(days: 90, hard: 0), in: store).overtaken == ["broken"])
    }

    @Test func aStepIsBoundedInRows() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<10 { try store.commitRows(10_000, in: path, at: at(daysAgo: 100)) }
        var removed: Int64 = 0
        var steps = 0
        while true {
            let step = try store.applyRetention(
                limits(days: 90), stateDirectory: state.bytes, keepAfter: .max, now: now)
            #expect(step.removed <= 25_000)
            removed += step.removed
            steps += 1
            #expect(try state.reader().firstKept == removed)
            guard step.isUnfinished else { break }
        }
        #expect(removed == 100_000 && steps > 3)
        #expect(try state.reader().rows().isEmpty)
        #expect(try store.database.integer("SELECT count(*) FROM commits") == 0)
    }

    @Test func aStepIsDoneWholeOrNotAtAll() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<10 { try store.commitRows(1, in: path, at: at(daysAgo: 100)) }
        try store.database.execute(
            """
            CREATE TEMP TRIGGER fails BEFORE INSERT ON main.meta WHEN NEW.key = 'history_floor'
            BEGIN SELECT RAISE(ABORT, 'as a crash would'); END
            """)
        #expect(storeError { _ = try retain(limits(days: 90), in: store) } != nil)
        #expect(try sequences().count == 10, "rows are gone, and readers are not told")
        try store.database.execute("DROP TRIGGER temp.fails")
        #expect(try retain(limits(days: 90), in: store).removed == 10)
    }

    @Test func afterEverythingWasRemovedTheLastNumberIsStillKnown() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        try store.commitRows(10, in: path, at: at(daysAgo: 100))
        #expect(try retain(limits(days: 90), in: store).removed == 10)
        let reader = try state.reader()
        #expect(try reader.lastSequence == 10)
        // Who reconciles now and remembers the history's end is up to date.
        let consumer = try Consumer(name: "new", stateDirectory: state.bytes)
        try consumer.advance(to: reader.lastSequence, store: reader.uuid)
        #expect(try consumer.standing(in: reader) == .at(cursor: 10))
        #expect(try reader.firstSequence(notBefore: at(daysAgo: 200)) == 11)
        try store.close()
        #expect(try state.open().lastCommitted == 10)
    }

    @Test func pathsGoWithTheirRowsAndNotBefore() throws {
        let store = try state.open()
        var paths: [PathID] = []
        for number in 0..<8 {
            let path = try store.intern(path: Array("/srv/\(number)".utf8))
            paths.append(path)
            try store.commitRows(2, in: path, at: at(daysAgo: 100 - Int64(number)))
            // As much as a generation of paths.
            try store.commitRows(1, in: path, at: at(daysAgo: 100 - Int64(number)))
            store.skipReservedNumbers(leaving: 0)
        }
        for days in stride(from: Int64(100), through: 80, by: -1) {
            if try retain(limits(days: days), in: store).removedPaths {
                // What a caller does whose numbers are void, and one that keeps a number a little longer.
                let fresh = try store.intern(path: Array("/srv/fresh".utf8))
                try store.commitRows(1, in: fresh, at: at(daysAgo: 50))
                if days == 100 { try store.commitRows(1, in: paths[7], at: at(daysAgo: 50)) }
                store.skipReservedNumbers(leaving: 0)
            }
            for row in try state.reader().rows() {
                #expect(row.path.starts(with: Array("/srv/".utf8)), "row \(row.sequence) has lost its path")
            }
        }
        for _ in 0..<3 {
            store.skipReservedNumbers(leaving: 0)
            let path = try store.intern(path: Array("/srv/last".utf8))
            try store.commitRows(1, in: path, at: at(daysAgo: 1))
            _ = try retain(limits(days: 20), in: store)
        }
        _ = try retain(limits(days: 20), in: store)
        #expect(try store.database.integer("SELECT count(*) FROM paths WHERE id <= \(paths[7].rawValue)") == 0)
        #expect(try state.reader().rows().count == 3)
    }
}
