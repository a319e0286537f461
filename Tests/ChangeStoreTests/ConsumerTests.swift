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
}
