import Glibc
import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct CheckpointerTests {
    private let state = StateDirectory()

    @Test func theLogIsUsedAgain() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        let checkpointer = try Checkpointer(files: state.files)
        var largest: Int64 = 0
        for _ in 0..<200 {
            try store.commitRows(1_000, in: path)
            if store.isCheckpointDue { try checkpointer.run() }
            largest = max(largest, state.size("store.db-wal"))
        }
        #expect(state.size("store.db") > 4 << 20)
        #expect(largest < 6 << 20, "\(largest)")
    }

    @Test func aParkedReaderDelaysNobody() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        try store.commitRows(100, in: path)
        let parked = try state.raw()
        try parked.execute("BEGIN")
        #expect(try parked.integer("SELECT count(*) FROM history") == 100)

        let checkpointer = try Checkpointer(files: state.files)
        let start = MonotonicTime.now
        for _ in 0..<20 {
            try store.commitRows(1_000, in: path)
            try checkpointer.run()
        }
        #expect(MonotonicTime.now - start < 5_000_000_000)
        #expect(try parked.integer("SELECT count(*) FROM history") == 100)

        // Once it is gone the log starts again, and what grew is cut to the limit.
        try parked.execute("COMMIT")
        try checkpointer.run()
        try store.commitRows(1, in: path)
        #expect(state.size("store.db-wal") <= 16 << 20)
        #expect(!store.isCheckpointDue)
    }

    @Test func aParkedReaderDoesNotDelayTheStop() throws {
        let store = try state.open()
        try store.commitRows(100, in: store.intern(path: [0x2F]))
        let parked = try state.raw()
        try parked.execute("BEGIN")
        #expect(try parked.integer("SELECT count(*) FROM history") == 100)
        let start = MonotonicTime.now
        try store.close()
        #expect(MonotonicTime.now - start < 1_500_000_000)
        #expect(try state.open().sequences.next == 101)
    }

    @Test func aCleanStopFoldsTheLogIn() throws {
        let store = try state.open()
        try store.commitRows(1_000, in: store.intern(path: [0x2F]))
        try store.close()
        #expect(state.size("store.db-wal") == 0)
    }

    @Test func aStoreThatTookThePlaceOfAnotherIsFoldedToo() throws {
        let checkpointer: Checkpointer
        do {
            let store = try state.open()
            try store.commitRows(1_000, in: store.intern(path: [0x2F]))
            checkpointer = try Checkpointer(files: state.files)
            try checkpointer.run()
        }
        for part in ["", "-wal", "-shm"] {
            let name = state.files.database + Array(part.utf8)
            try FileSystemLook.rename(name, to: name + Array(".damaged".utf8))
        }
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        for _ in 0..<50 {
            try store.commitRows(1_000, in: path)
            try checkpointer.run()
        }
        #expect(state.size("store.db-wal") < 1 << 20)
        #expect(try state.reader().rows().count == 50_000)
    }

    /// Readers of a group may read the store's files and not write its directory.
    @Test(arguments: [true, false]) func whoMayNotWriteTheDirectoryReads(_ isRunning: Bool) throws {
        let reading = StateDirectory()
        var store: Store? = try state.open()
        let rows = try store?.commitRows(1_000, in: store!.intern(path: [0x2F])) ?? []
        if !isRunning {
            try store?.close()
            store = nil
        }
        if geteuid() == 0 {
            try #require(mount(state.path, reading.path, nil, 4096, nil) == 0)  // MS_BIND
            try #require(mount(nil, reading.path, nil, 4096 | 32 | 1, nil) == 0)  // MS_BIND, MS_REMOUNT, MS_RDONLY
            #expect(try reading.reader().rows().map(\.sequence) == rows)
        } else {
            for file in FileSystemLook.names(in: state.bytes) {
                chmod("\(state.path)/" + String(decoding: file, as: UTF8.self), 0o444)
            }
            chmod(state.path, 0o555)
            #expect(try state.reader().rows().map(\.sequence) == rows)
            chmod(state.path, 0o755)
        }
        withExtendedLifetime(store) {}
    }
}
