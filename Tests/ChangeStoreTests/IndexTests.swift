import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct IndexTests {
    private let state = StateDirectory()
    private let here = DirectoryID(rawValue: 1)
    private let there = DirectoryID(rawValue: 2)

    @Test func aNameIsFoundWithItsInodesAttributes() throws {
        let store = try state.open()
        #expect(try store.add([0x61], in: here, InodeKey(5), .file(size: 7)))
        #expect(try store.entry([0x61], in: here) == IndexedEntry(key: InodeKey(5), attributes: .file(size: 7)))
        #expect(try store.entry([0x61], in: there) == nil)
        #expect(try store.entry([0x62], in: here) == nil)
        #expect(try store.attributes(of: InodeKey(5)) == .file(size: 7))
        #expect(try store.attributes(of: InodeKey(5, on: 2)) == nil)
    }

    @Test func anInodeWithSeveralNamesHasItsAttributesOnce() throws {
        let store = try state.open()
        #expect(try store.add([0x61], in: here, InodeKey(5), .file(size: 1)))
        #expect(try !store.add([0x62], in: there, InodeKey(5), .file(size: 2)))
        #expect(try store.attributes(of: InodeKey(5)) == .file(size: 1))
        try store.setAttributes(.file(size: 3, links: 2), of: InodeKey(5))
        #expect(try store.entry([0x61], in: here)?.attributes == .file(size: 3, links: 2))
        #expect(try store.entry([0x62], in: there)?.attributes == .file(size: 3, links: 2))
        #expect(
            try store.names(of: InodeKey(5)) == [
                EntryName(directory: here, name: [0x61]), EntryName(directory: there, name: [0x62]),
            ])
    }

    @Test func anHeirTakesOverWhenTheFirstNameGoes() throws {
        let store = try state.open()
        for name in UInt8(0x61)...0x63 { try store.add([name], in: here, InodeKey(5)) }
        #expect(try store.remove([0x61], in: here, InodeKey(5)) == EntryName(directory: here, name: [0x62]))
        #expect(try store.names(of: InodeKey(5)).map(\.name) == [[0x62], [0x63]])
        #expect(try store.remove([0x63], in: here, InodeKey(5)) == EntryName(directory: here, name: [0x62]))
        #expect(try store.remove([0x62], in: here, InodeKey(5)) == nil)
        #expect(try store.attributes(of: InodeKey(5)) == nil)
    }

    @Test func `an inode with many names in a directory is counted and listed, while names come and go`() throws {
        let store = try state.open()
        func name(_ number: Int) -> [UInt8] { Array("n\(number)".utf8) }
        try store.begin()
        for number in 0..<200 { try store.add(name(number), in: number < 150 ? here : there, InodeKey(5)) }
        try store.commitTransaction()
        #expect(try store.nameCount(of: InodeKey(5)) == 200)

        try store.begin()
        for number in 0..<50 { _ = try store.remove(name(number), in: here, InodeKey(5)) }
        #expect(try store.nameCount(of: InodeKey(5)) == 150)
        store.rollback()
        #expect(try store.nameCount(of: InodeKey(5)) == 200)

        try store.begin()
        for number in 100..<200 { _ = try store.remove(name(number), in: number < 150 ? here : there, InodeKey(5)) }
        try store.add(name(300), in: here, InodeKey(5))
        try store.commitTransaction()
        #expect(try store.nameCount(of: InodeKey(5)) == 101)
        #expect(try store.names(of: InodeKey(5)).count == 101)
        let listed = try IndexReader(stateDirectory: state.bytes).entries(of: here).map(\.name)
        #expect(Set(listed) == Set((Array(0..<100) + [300]).map(name)) && listed.count == 101)
    }

    @Test func anInodeNumberGivenAgainStartsAfresh() throws {
        let store = try state.open()
        try store.add([0x61], in: here, InodeKey(5), .file(size: 1))
        try store.remove([0x61], in: here, InodeKey(5))
        #expect(try store.add([0x62], in: here, InodeKey(5), .file(size: 2)))
        #expect(try store.entry([0x62], in: here)?.attributes == .file(size: 2))
        #expect(try store.entry([0x61], in: here) == nil)
    }

    @Test func inodeNumbersAreAnySixtyFourBits() throws {
        let store = try state.open()
        for inode: UInt64 in [0, 1, 1 << 63, .max] {
            #expect(try store.add(Array("\(inode)".utf8), in: here, InodeKey(inode)))
            #expect(try store.entry(Array("\(inode)".utf8), in: here)?.key == InodeKey(inode))
        }
    }

    @Test func everyNameIsListedInTheOrderOfTheHashes() throws {
        let store = try state.open()
        var generator = SeededGenerator(seed: freshSeed())
        var names: Set<[UInt8]> = [[], [0], [0xFF], [0x0A], [0xC3, 0x28], Array(repeating: 0xFF, count: 255)]
        for _ in 0..<500 {
            let length = Int.random(in: 1...255, using: &generator)
            names.insert((0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        for (inode, name) in names.shuffled(using: &generator).enumerated() {
            try store.add(name, in: here, InodeKey(UInt64(inode)))
        }
        let listed = try store.listing(of: here).map(\.name)
        let hashes = listed.map { $0.withUnsafeBytes { store.entryHash($0) } }
        #expect(hashes == hashes.sorted())
        #expect(listed.count == names.count && Set(listed) == names)
    }

    @Test func theOrderIsTheTables() throws {
        let plan = try queryPlan(
            """
            SELECT e.fs, e.inode, i.attributes, i.directory, i.name, e.hash FROM entries e
            JOIN inodes i ON i.fs = e.fs AND i.inode = e.inode WHERE e.directory = 1 ORDER BY e.hash
            """, in: try state.open())
        #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
    }

    @Test func aReaderSeesTheIndexAndTheNotes() throws {
        let store = try state.open()
        try store.begin()
        let identity = DirectoryIdentity(key: InodeKey(9), born: 11)
        let id = try Array("/srv/x".utf8).withUnsafeBytes {
            try store.addDirectory($0, in: .roots, identity: identity)
        }
        try store.add([0x61], in: id, InodeKey(5), .file(size: 7))
        try store.note("excludes", [1, 0, 2])
        try store.commitTransaction()

        let reader = try IndexReader(stateDirectory: state.bytes)
        #expect(try reader.directories().map(\.id) == [id])
        #expect(try reader.directories().map(\.identity) == [identity])
        #expect(try reader.entries(of: id).map(\.entry.attributes) == [.file(size: 7)])
        #expect(try reader.note("excludes") == [1, 0, 2])
        #expect(try reader.note("nothing") == nil)
    }
}

/// What SQLite says it will do for a query.
func queryPlan(_ sql: String, in store: Store) throws -> String {
    let statement = try store.database.prepare("EXPLAIN QUERY PLAN " + sql)
    defer { statement.reset() }
    var lines: [String] = []
    while try statement.step() { lines.append(String(decoding: statement.bytes(3), as: UTF8.self)) }
    return lines.joined(separator: "\n")
}
