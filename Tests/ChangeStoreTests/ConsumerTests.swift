import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct ConsumerTests {
    private let state = StateDirectory()

    @Test(arguments: ["offsite", "a", "0", "A-b_c.d", String(repeating: "n", count: 100)])
    func goodNames(_ name: String) throws {
        #expect(try Consumer(name: name, stateDirectory: state.bytes).name == name)
    }

    @Test(arguments: [
        "", ".", "..", ".hidden", "a/b", "../a", "a b", "a\n", "a\0b", "é", String(repeating: "n", count: 101),
    ])
    func badNames(_ name: String) {
        let error = storeError { _ = try Consumer(name: name, stateDirectory: state.bytes) }
        #expect(error?.reason == .other)
        #expect(error?.description.contains("use up to 100 letters") == true)
        #expect(FileSystemLook.names(in: state.bytes).isEmpty)
    }

    @Test func aCursorLasts() throws {
        let store = try state.open()
        try store.commitRows(10, in: store.intern(path: [0x2F]))
        let reader = try state.reader()
        do {
            let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
            #expect(try consumer.standing(in: reader) == .needsFullReconcile(.first))
            try consumer.advance(to: 4, store: reader.uuid)
            #expect(try consumer.standing(in: reader) == .at(cursor: 4))
        }
        #expect(try Consumer(name: "offsite", stateDirectory: state.bytes).standing(in: reader) == .at(cursor: 4))
        #expect(
            try Consumer(name: "other", stateDirectory: state.bytes).standing(in: reader)
                == .needsFullReconcile(.first))
        #expect(Consumer.cursors(stateDirectory: state.bytes, store: store.uuid) == ["offsite": 4])
    }

    @Test func anAdvanceIsSynced() throws {
        ForgetfulDisk.install()
        let directory = StateDirectory(prefix: ForgetfulDisk.prefix)
        defer { ForgetfulDisk.forget(directory.path) }
        let consumer = try Consumer(name: "offsite", stateDirectory: directory.bytes)
        let file = directory.path + "/consumers/offsite.db"
        let before = ForgetfulDisk.syncs(of: file)
        try consumer.advance(to: 4, store: "s")
        #expect(ForgetfulDisk.syncs(of: file) > before)
    }

    @Test func anotherStoreNeedsAFullReconcile() throws {
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        try consumer.advance(to: 4, store: state.open().uuid)
        let other = StateDirectory()
        _ = try other.open()
        #expect(try consumer.standing(in: other.reader()) == .needsFullReconcile(.storeReplaced))
    }

    @Test func aCursorAheadOfTheHistoryIsRight() throws {
        let store = try state.open()
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        try consumer.advance(to: 1_000, store: store.uuid)
        #expect(try consumer.standing(in: state.reader()) == .at(cursor: 1_000))
    }

    @Test func aConsumerThatIsWritingIsNotOvertaken() throws {
        let store = try state.open()
        for _ in 0..<10 { try store.commitRows(1, in: store.intern(path: [0x2F])) }
        let consumer = try Consumer(name: "busy", stateDirectory: state.bytes)
        try consumer.advance(to: 10, store: store.uuid)
        let writer = try Database(path: state.bytes + Array("/consumers/busy.db".utf8), access: .readWrite)
        try writer.execute("BEGIN EXCLUSIVE")
        // It cannot be read now: nothing that it may need goes, and the tracker does not wait for it.
        let start = MonotonicTime.now
        #expect(Consumer.cursors(stateDirectory: state.bytes, store: store.uuid) == ["busy": 0])
        #expect(MonotonicTime.now - start < 2_000_000_000)
        try writer.execute("ROLLBACK")
        #expect(Consumer.cursors(stateDirectory: state.bytes, store: store.uuid) == ["busy": 10])
    }

    @Test func aFullPassLastsAndIsBoundToItsStore() throws {
        let store = try state.open()
        try store.commitRows(10, in: store.intern(path: [0x2F]))
        let reader = try state.reader()
        let pass = Consumer.FullPass(through: 7, path: Array("/r/\u{FF}".utf8) + [0xFF])
        do {
            let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
            #expect(try consumer.fullPass(in: reader) == nil)
            try consumer.setFullPass(pass, store: reader.uuid)
        }
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        #expect(try consumer.fullPass(in: reader) == pass)
        // It is no success yet.
        #expect(try consumer.standing(in: reader) == .needsFullReconcile(.first))
        // What comes after it is kept.
        #expect(Consumer.cursors(stateDirectory: state.bytes, store: store.uuid) == ["offsite": 7])
        let other = StateDirectory()
        _ = try other.open()
        #expect(try consumer.fullPass(in: other.reader()) == nil)
        try consumer.advance(to: 7, store: reader.uuid)
        #expect(try consumer.fullPass(in: reader) == nil)
        #expect(try consumer.standing(in: reader) == .at(cursor: 7))
    }

    @Test func everythingCanBeAskedFor() throws {
        let store = try state.open()
        try store.commitRows(10, in: store.intern(path: [0x2F]))
        let reader = try state.reader()
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        try consumer.advance(to: 10, store: reader.uuid)
        try consumer.setFullPass(Consumer.FullPass(through: 10, path: [0x2F]), store: reader.uuid)
        try consumer.requestFull()
        #expect(try consumer.standing(in: reader) == .needsFullReconcile(.requested))
        #expect(try consumer.fullPass(in: reader) == nil)
        #expect(try ConsumerRecord(name: "offsite", stateDirectory: state.bytes).isFullRequested)
        try consumer.advance(to: 10, store: reader.uuid)
        #expect(try consumer.standing(in: reader) == .at(cursor: 10))
    }

    @Test func aPassWhoseSequelIsGoneBeginsAnew() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<10 { try store.commitRows(1, in: path) }
        let reader = try state.reader()
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        try consumer.setFullPass(Consumer.FullPass(through: 4, path: [0x2F]), store: reader.uuid)
        let small = RetentionLimits(age: .max, size: 1, hardSize: .max)
        _ = try store.applyRetention(small, stateDirectory: state.bytes, keepAfter: .max)
        #expect(try reader.firstKept == 4)
        #expect(try consumer.fullPass(in: reader)?.through == 4)
        let hard = RetentionLimits(age: .max, size: 1, hardSize: 1)
        #expect(try store.applyRetention(hard, stateDirectory: state.bytes, keepAfter: .max).overtaken == ["offsite"])
        #expect(try consumer.fullPass(in: reader) == nil)
    }

    /// Who lost what it needed is given everything, so nothing is kept for it any more.
    @Test func anOvertakenConsumerKeepsNothing() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<10 { try store.commitRows(1, in: path) }
        let reader = try state.reader()
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        try consumer.advance(to: 2, store: reader.uuid)
        let hard = RetentionLimits(age: .max, size: .max, hardSize: 1)
        _ = try store.applyRetention(hard, stateDirectory: state.bytes, keepAfter: .max)
        #expect(try consumer.standing(in: reader) == .needsFullReconcile(.historyRemoved))
        for _ in 0..<10 { try store.commitRows(1, in: path) }
        let soft = RetentionLimits(age: .max, size: 1, hardSize: .max)
        _ = try store.applyRetention(soft, stateDirectory: state.bytes, keepAfter: .max)
        #expect(try reader.firstKept == 20)
    }

    @Test func theRecordTellsWhatTheFileSays() throws {
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        func record() throws -> ConsumerRecord { try ConsumerRecord(name: "offsite", stateDirectory: state.bytes) }
        let empty = try record()
        #expect(empty.cursor == nil && empty.fullPass == nil && !empty.isFullRequested && empty.lastSuccess == nil)
        try consumer.noteFailure("it broke", at: Timestamp(nanoseconds: 5))
        #expect(try record().lastFailure?.reason == "it broke")
        try consumer.noteSuccess(at: Timestamp(nanoseconds: 9))
        #expect(try record().lastFailure == nil)
        #expect(try record().lastSuccess == Timestamp(nanoseconds: 9))
        try consumer.advance(to: 4, store: "s")
        #expect(try record().cursor?.sequence == 4 && record().neededAfter(inStore: "s") == 4)
        #expect(try record().neededAfter(inStore: "t") == nil)
        let missing = storeError { _ = try ConsumerRecord(name: "nobody", stateDirectory: state.bytes) }
        #expect(missing?.reason == .notFound)
        #expect(ConsumerRecord.all(stateDirectory: state.bytes).map(\.name) == ["offsite"])
        try ConsumerRecord.remove(name: "offsite", stateDirectory: state.bytes)
        #expect(consumer.hasMoved)
        #expect(ConsumerRecord.all(stateDirectory: state.bytes).isEmpty)
        try ConsumerRecord.remove(name: "offsite", stateDirectory: state.bytes)
    }

    @Test func theRecordTellsWhatIsKeptAboutPaths() throws {
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        func record() throws -> ConsumerRecord { try ConsumerRecord(name: "offsite", stateDirectory: state.bytes) }
        #expect(try record().work.isEmpty && record().notes.isEmpty)
        var commit = ConsumerCommit(through: 1)
        for number in 0..<30 {
            commit.kept.append(
                ConsumerWork(
                    path: Array("/a/\(100 + number)".utf8), state: .quarantined, flags: 0,
                    since: Timestamp(nanoseconds: Int64(50 - number)), due: Timestamp(nanoseconds: Int64(70 - number)),
                    attempts: 2, reason: "why"))
        }
        commit.kept.append(
            ConsumerWork(
                path: Array("/b".utf8), state: .heldDeletion, flags: 0, since: Timestamp(nanoseconds: 7),
                due: Timestamp(nanoseconds: 8)))
        try consumer.commit(commit, store: "s")
        try consumer.setNote("drift", [0x33])
        let found = try record()
        #expect(found.notes == ["drift": [0x33]] && found.work[.waiting] == nil)
        let quarantined = try #require(found.work[.quarantined])
        #expect(quarantined.count == 30 && quarantined.oldest == Timestamp(nanoseconds: 21))
        #expect(quarantined.nextDue == Timestamp(nanoseconds: 41))
        #expect(quarantined.shown == Array(commit.kept.prefix(PendingWork.mostShown)))
        #expect(found.work[.heldDeletion]?.shown == [commit.kept[30]])
        #expect(try found == record())
        // A file of an earlier version has neither table.
        let old = try Database(path: state.bytes + Array("/consumers/offsite.db".utf8), access: .existing)
        try old.execute("DROP TABLE work")
        #expect(try record().work.isEmpty && record().cursor?.sequence == 1)
    }

    /// Killed between making the file and filling it, or looked at in between.
    @Test func aFileWithoutTablesIsAConsumerThatNeverRan() throws {
        try FileSystemLook.makeDirectory(state.files.consumers)
        try state.write([], to: "consumers/offsite.db")
        let record = try ConsumerRecord(name: "offsite", stateDirectory: state.bytes)
        #expect(record.cursor == nil && record.neededAfter(inStore: "s") == nil)
        #expect(Consumer.cursors(stateDirectory: state.bytes, store: "s") == [:])
        // Of the first version there is one table.
        let old = try Database(path: state.bytes + Array("/consumers/old.db".utf8), access: .readWrite)
        try old.execute("CREATE TABLE cursor(id INTEGER PRIMARY KEY CHECK (id = 1), store TEXT, sequence INTEGER)")
        try old.execute("INSERT INTO cursor VALUES (1, 's', 8)")
        #expect(Consumer.cursors(stateDirectory: state.bytes, store: "s") == ["old": 8])
    }

    /// As SQLite leaves it when it is killed in the middle of a commit: a journal of what the pages were.
    @Test func anInterruptedCommitIsUndone() throws {
        let store = try state.open()
        let consumer = try Consumer(name: "offsite", stateDirectory: state.bytes)
        try consumer.advance(to: 4, store: store.uuid)
        let writer = try Database(path: state.bytes + Array("/consumers/offsite.db".utf8), access: .existing)
        // With so small a cache the pages go to the file before the commit.
        try writer.execute("PRAGMA cache_size = 1")
        try writer.execute("BEGIN IMMEDIATE")
        try writer.execute("UPDATE cursor SET sequence = 9")
        for number in 0..<200 { try writer.execute("CREATE TABLE filler\(number)(a)") }
        for suffix in ["db", "db-journal"] {
            try state.write(state.read("consumers/offsite.\(suffix)"), to: "consumers/killed.\(suffix)")
        }
        #expect(try state.read("consumers/killed.db") != [])
        let record = try ConsumerRecord(name: "killed", stateDirectory: state.bytes)
        #expect(record.cursor?.sequence == 4)
        #expect(state.size("consumers/killed.db-journal") == 0)
        try writer.execute("ROLLBACK")
        #expect(Consumer.cursors(stateDirectory: state.bytes, store: store.uuid) == ["offsite": 4, "killed": 4])
    }
}
