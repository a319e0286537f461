import Glibc
import LinuxKernel
import Testing

@testable import ChangeStore

@Suite(.enabled(if: StateDirectory.canMount)) struct FullDiskTests {
    @Test func theLastCommitStaysAndWritingGoesOnWhenThereIsSpaceAgain() throws {
        let state = StateDirectory()
        #expect(mount("tmpfs", state.path, "tmpfs", 0, "size=1m") == 0)
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        var committed = 0
        let name = String(repeating: "n", count: 200)
        let error = storeError {
            while committed < 100_000 {
                try store.commitRows(50, in: path, name: name)
                committed += 50
            }
        }
        #expect(error?.reason == .full)
        #expect(error?.description.contains("free some space") == true)
        store.rollback()
        #expect(try state.reader().rows().count == committed)

        #expect(mount("tmpfs", state.path, "tmpfs", 32, "size=4m") == 0)  // MS_REMOUNT
        let rows = try store.commitRows(50, in: path, name: name)
        #expect(try state.reader().rows().map(\.sequence).suffix(50) == rows[...])
        let reopened = try state.open()
        #expect(try reopened.database.text("PRAGMA integrity_check") == "ok")
        #expect(try reopened.database.integer("SELECT sum(last - first + 1) FROM commits") == Int64(committed + 50))
    }

    @Test func aStoreThatCannotBeMadeSaysWhy() throws {
        let state = StateDirectory()
        #expect(mount("tmpfs", state.path, "tmpfs", 0, "size=16k") == 0)
        #expect(storeError { _ = try state.open() }?.reason == .full)
    }
}
