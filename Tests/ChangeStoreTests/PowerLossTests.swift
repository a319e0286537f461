import LinuxKernel
import Testing

@testable import ChangeStore

/// The power fails at random moments, with a consumer that has already dealt with rows that are lost.
@Suite struct PowerLossTests {
    @Test(arguments: 0..<8) func noNumberIsGivenTwiceAndNoRowIsMissed(_ run: Int) throws {
        ForgetfulDisk.install()
        var generator = SeededGenerator(seed: freshSeed())
        // The consumer's file is synced at each advance, and is another file system's for this test.
        let elsewhere = StateDirectory()
        let consumer = try Consumer(name: "offsite", stateDirectory: elsewhere.bytes)
        var given = Set<Int64>()
        var cursor: Int64?
        var uuid = ""
        var lost = 0

        var state = StateDirectory(prefix: ForgetfulDisk.prefix)
        for _ in 0..<12 {
            let store = try state.open()
            if uuid.isEmpty { uuid = store.uuid }
            try #require(store.uuid == uuid)
            let reader = try state.reader()
            let kept = try reader.rows()
            #expect(try store.database.integer("SELECT count(*) FROM entries") == Int64(kept.count))
            #expect(try store.database.text("PRAGMA integrity_check") == "ok")
            lost += given.count - kept.count
            if let known = cursor {
                // It has to know that rows which it has seen are no more, and only then.
                let isKept = kept.contains { $0.sequence == known }
                #expect(
                    try consumer.standing(in: reader)
                        == (isKept ? .at(cursor: known) : .needsFullReconcile(.historyLost)))
                if !isKept {
                    cursor = try reader.rowBeforeGap(around: known)
                    try consumer.advance(to: cursor ?? 0, store: uuid)
                }
            }

            let before = max(kept.last?.sequence ?? 0, cursor ?? 0)
            var fresh: [Int64] = []
            let checkpointer = try Checkpointer(files: state.files)
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                try store.begin()
                let path = try store.intern(path: Array("/srv/a".utf8))
                if Int.random(in: 0..<4, using: &generator) == 0 { store.skipReservedNumbers(leaving: 3) }
                for _ in 0..<Int.random(in: 1...40, using: &generator) {
                    let row = try store.append([0x61], in: path)
                    #expect(given.insert(row).inserted, "\(row) is given a second time")
                    try store.add(Array("\(row)".utf8), in: DirectoryID(rawValue: 1), InodeKey(UInt64(row)))
                    fresh.append(row)
                }
                if Int.random(in: 0..<20, using: &generator) == 0 { break }
                try store.commitTransaction()
                if Bool.random(using: &generator) {
                    // It sees every row that was appended since it was at its cursor.
                    let seen = try reader.rows(after: cursor ?? 0).map(\.sequence)
                    #expect(seen == (kept.map(\.sequence) + fresh).filter { $0 > cursor ?? 0 })
                    if let last = seen.last { cursor = last }
                    if let cursor { try consumer.advance(to: cursor, store: uuid) }
                }
                if Int.random(in: 0..<3, using: &generator) == 0 { try checkpointer.run() }
            }
            #expect(fresh.allSatisfy { $0 > before }, "a consumer at its cursor does not see a new row")
            if Int.random(in: 0..<4, using: &generator) == 0 { try store.close() }

            let next = StateDirectory(prefix: ForgetfulDisk.prefix)
            for file in ["store.db", "store.db-wal"] {
                let content = ForgetfulDisk.afterPowerLoss("\(state.path)/\(file)", using: &generator)
                // It is on the disk from the start, so all of it is durable.
                try next.write(content, to: file)
                ForgetfulDisk.adopt(content, as: "\(next.path)/\(file)")
            }
            ForgetfulDisk.forget(state.path)
            state = next
        }
        #expect(lost > 0, "no row was lost: the test shows nothing")
        ForgetfulDisk.forget(state.path)
    }

    @Test func aReservationIsSyncedBeforeANumberOfItIsGiven() throws {
        ForgetfulDisk.install()
        let state = StateDirectory(prefix: ForgetfulDisk.prefix)
        defer { ForgetfulDisk.forget(state.path) }
        let log = state.database + "-wal"
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        let opened = ForgetfulDisk.syncs(of: log)
        #expect(opened > 0)
        try store.commitRows(100, in: path)
        try store.commitRows(100, in: path)
        #expect(ForgetfulDisk.syncs(of: log) == opened, "a commit of rows does not wait for the disk")

        store.skipReservedNumbers(leaving: 0)
        let reserved = store.sequences.end
        try store.commitRows(1, in: path)
        #expect(ForgetfulDisk.syncs(of: log) > opened)
        #expect(store.sequences.end > reserved)
        #expect(try store.database.integer("PRAGMA synchronous") == 1, "NORMAL again")
    }

    @Test func everyCutThatKeepsTheSyncedFramesKeepsTheReservation() throws {
        ForgetfulDisk.install()
        var generator = SeededGenerator(seed: freshSeed())
        let state = StateDirectory(prefix: ForgetfulDisk.prefix)
        defer { ForgetfulDisk.forget(state.path) }
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        store.skipReservedNumbers(leaving: 5)
        let rows = try store.commitRows(3, in: path) + store.commitRows(50, in: path)
        for _ in 0..<50 {
            let copy = StateDirectory()
            for file in ["store.db", "store.db-wal"] {
                try copy.write(
                    ForgetfulDisk.afterPowerLoss("\(state.path)/\(file)", using: &generator), to: file)
            }
            #expect(try copy.open().sequences.next > rows.max()!)
        }
    }
}
