import LinuxKernel
import Testing

@testable import ChangeStore

/// How large the index is on the disk, laid out by a first walk over a tree as ext4 makes it.
@Suite struct StoreSizeTests {
    private static let directories = 10_000
    private static let filesEach = 10

    /// Written here, or copied by `rsync -a`, which sets the time of modification back.
    @Test(arguments: [true, false]) func aFileTakesAtMostNinetyFiveBytes(_ isCopied: Bool) throws {
        let state = StateDirectory()
        let store = try state.open()
        var generator = SeededGenerator(seed: 20)
        let empty = state.size("store.db")

        try store.begin()
        let root = try addDirectory(Array("/srv/nfs/app-backup".utf8), in: .roots, inode: 2, to: store)
        // A hundred directories with a hundred each. A new directory goes to the next block group of 8,192 inodes
        // with room, its files after it (ext4's Orlov allocator); names are listed in the order of their hashes.
        var visited = 0
        for outer in (0..<100).shuffled(using: &generator) {
            let above = try addDirectory(
                Array("2024-\(outer)".utf8), in: root, inode: UInt64(12 + outer), to: store)
            for inner in (0..<Self.directories / 100).shuffled(using: &generator) {
                let start = UInt64(8_193 + (outer * 100 + inner) * (Self.filesEach + 1))
                let directory = try addDirectory(
                    Array("messages-\(inner)".utf8), in: above, inode: start, to: store)
                for file in (0..<Self.filesEach).shuffled(using: &generator) {
                    try store.add(
                        name(using: &generator), in: directory, InodeKey(start + 1 + UInt64(file)),
                        attributes(isCopied, using: &generator))
                }
                visited += 1
                // The tracker commits between batches.
                if visited % 50 == 0 {
                    try store.commitTransaction()
                    try store.begin()
                }
            }
        }
        try store.close()
        let files = Self.directories * Self.filesEach
        #expect(try store.database.integer("SELECT count(*) FROM entries") == Int64(files + Self.directories + 101))
        let perFile = Double(state.size("store.db") - empty) / Double(files)
        print(
            "index of \(isCopied ? "copied" : "written") files: \(perFile) bytes a file, with its share of the directories"
        )
        #expect(perFile <= 95)
    }

    private func addDirectory(
        _ name: [UInt8], in parent: DirectoryID, inode: UInt64, to store: Store
    ) throws -> DirectoryID {
        let identity = DirectoryIdentity(key: InodeKey(inode), born: 1_700_000_000_123_456_789)
        let id = try name.withUnsafeBytes { try store.addDirectory($0, in: parent, identity: identity) }
        try store.add(name, in: parent, InodeKey(inode), .file(size: 4_096))
        return id
    }

    /// 8 to 24 bytes, unlike its neighbours.
    private func name(using generator: inout SeededGenerator) -> [UInt8] {
        let length = Int.random(in: 8...24, using: &generator)
        return (0..<length).map { _ in UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"), using: &generator) }
    }

    private func attributes(_ isCopied: Bool, using generator: inout SeededGenerator) -> EntryAttributes {
        let modified: Int64 = 1_600_000_000_000_000_000 + .random(in: 0..<100_000_000_000_000_000, using: &generator)
        let changed: Int64 = 1_700_000_000_000_000_000 + .random(in: 0..<100_000_000_000, using: &generator)
        return EntryAttributes(
            mode: 0o100644, owner: 33, group: 33, linkCount: 1, size: .random(in: 0..<1_000_000, using: &generator),
            deviceNumber: 0, modified: Timestamp(nanoseconds: isCopied ? modified : changed),
            changed: Timestamp(nanoseconds: changed), isRacy: false)
    }
}
