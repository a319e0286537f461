import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct SequenceTests {
    private let state = StateDirectory()

    @Test func theyStartAtOneAndGrow() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        #expect(try store.commitRows(3, in: path) == [1, 2, 3])
        #expect(store.lastCommitted == 3)
        #expect(try store.commitRows(1, in: path) == [4])
    }

    @Test func aCleanStopLeavesNoGap() throws {
        var store = try state.open()
        try store.commitRows(3, in: store.intern(path: [0x2F]))
        try store.close()
        store = try state.open()
        #expect(store.lastCommitted == 3)
        #expect(try store.commitRows(1, in: store.intern(path: [0x2F])) == [4])
    }

    @Test func anUncleanStopGoesOnAboveTheReservation() throws {
        var store = try state.open()
        let reserved = store.sequences.end
        try store.commitRows(3, in: store.intern(path: [0x2F]))
        store = try state.open()
        #expect(try store.commitRows(1, in: store.intern(path: [0x2F])) == [reserved + 1])
    }

    @Test func numbersOfAGivenUpTransactionStayUnused() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        try store.begin()
        try store.append([0x61], in: path)
        store.rollback()
        #expect(try store.commitRows(1, in: path) == [2])
        #expect(try state.reader().rows().map(\.sequence) == [2])
    }

    @Test func aTransactionIsWholeAlthoughTheRangeIsAlmostUsedUp() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        try store.commitRows(1, in: path)
        store.skipReservedNumbers(leaving: 5)
        try store.begin()
        try store.add([0x61], in: DirectoryID(rawValue: 1), InodeKey(1))
        for _ in 0..<20 { try store.append([0x61], in: path) }
        #expect(try state.reader().rows().count == 1, "index and history get visible together")
        store.rollback()
        #expect(try state.reader().rows().count == 1)
        #expect(try store.entry([0x61], in: DirectoryID(rawValue: 1)) == nil)
    }

    @Test func aHugeTransactionReservesOnItsWay() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        try store.begin()
        var last: Int64 = 0
        for round in 0..<4 {
            last = max(last, try store.append([0x61], in: path))
            if round < 3 { store.skipReservedNumbers(leaving: 0) }
        }
        try store.commitTransaction()
        let rows = try state.reader().rows().map(\.sequence)
        #expect(rows.count == 4 && rows == rows.sorted() && rows.last == last)
        #expect(store.lastCommitted == last)
    }

    @Test func theUuidStaysAndTheBaselineIsRemembered() throws {
        var store = try state.open()
        let uuid = store.uuid
        #expect(store.isNew && uuid.utf8.count == 36)
        try store.markBaselineDone()
        #expect(!store.isNew)
        store = try state.open()
        #expect(store.uuid == uuid && !store.isNew)
        #expect(try StateDirectory().open().uuid != uuid)
    }
}
