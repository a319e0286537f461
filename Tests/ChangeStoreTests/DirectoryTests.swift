import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct DirectoryTests {
    private let state = StateDirectory()

    private func all(_ store: Store) throws -> [StoredDirectory] {
        var all: [StoredDirectory] = []
        try store.forEachDirectory { all.append($0) }
        return all
    }

    @Test func anIdStaysOverRenames() throws {
        let first = DirectoryIdentity(key: InodeKey(1), born: 100)
        let second = DirectoryIdentity(key: InodeKey(.max, on: 3), born: -7)
        let store = try state.open()
        let root = try Array("/srv/a-backup".utf8).withUnsafeBytes {
            try store.addDirectory($0, in: .roots, identity: first)
        }
        let child = try [UInt8(0xFF), 0x0A].withUnsafeBytes { try store.addDirectory($0, in: root, identity: second) }
        #expect(child != root)
        try [UInt8(0x62)].withUnsafeBytes { try store.updateDirectory(child, name: $0, in: .roots, identity: first) }
        try store.close()

        let reopened = try all(state.open())
        #expect(reopened.map(\.id) == [root, child])
        #expect(reopened.map(\.parent) == [.roots, .roots])
        #expect(reopened.map(\.name) == [Array("/srv/a-backup".utf8), [0x62]])
        #expect(reopened.map(\.identity) == [first, first])
    }

    @Test func removedOnesAreGone() throws {
        let store = try state.open()
        let identity = DirectoryIdentity(key: InodeKey(1), born: 0)
        let ids = try (0..<3).map { number in
            try [UInt8(number)].withUnsafeBytes { try store.addDirectory($0, in: .roots, identity: identity) }
        }
        try store.removeDirectory(ids[1])
        #expect(try all(store).map(\.id) == [ids[0], ids[2]])
    }

    @Test func fileSystemsAreInterned() throws {
        let directory = try OwnedDescriptor.openDirectory(state.bytes, access: .list)
        let identity = try FileSystemIdentity(of: directory.number)
        let store = try state.open()
        let id = try store.fileSystem(identity)
        #expect(try store.fileSystem(identity) == id)
        try store.close()
        let reopened = try state.open()
        #expect(try reopened.fileSystem(identity) == id)
        #expect(try reopened.database.integer("SELECT count(*) FROM filesystems") == 1)
    }
}
