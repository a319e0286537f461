import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct EntryHashTests {
    /// SipHash-1-3 under the key 00 01 … 0f of the bytes 00 01 …, from the vectors of the reference implementation's
    /// test for these rounds. Each half of the UUID is a little-endian word there and read as a number here.
    @Test func agreesWithTheReference() {
        let hash = EntryHash(uuid: "07060504-0302-0100-0f0e-0d0c0b0a0908")
        let expected: [Int: UInt64] = [0: 0xABAC_0158_050F_C4DC, 1: 0xC9F4_9BF3_7D57_CA93]
        for (length, value) in expected {
            let bytes = (0..<length).map(UInt8.init)
            #expect(bytes.withUnsafeBytes(hash.full) == value)
        }
    }

    @Test func isAFortyEightBitNumberOfTheStore() {
        let one = EntryHash(uuid: "00112233-4455-4677-8899-aabbccddeeff")
        let other = EntryHash(uuid: "10112233-4455-4677-8899-aabbccddeeff")
        var hashes: Set<Int64> = []
        for number in 0..<10_000 {
            let name = Array("name-\(number)".utf8)
            let value = name.withUnsafeBytes { one($0) }
            #expect((-(Int64(1) << 47)..<Int64(1) << 47).contains(value))
            #expect(value != name.withUnsafeBytes { other($0) })
            hashes.insert(value)
        }
        #expect(hashes.count == 10_000)
    }

    /// Every name of a directory under one hash.
    @Test func namesThatCollideAreToldApart() throws {
        let state = StateDirectory()
        let store = try state.open(hashBits: 0)
        let here = DirectoryID(rawValue: 1)
        try store.begin()
        for inode in UInt8(1)...20 {
            try store.add([inode], in: here, InodeKey(UInt64(inode)), .file(size: Int64(inode)))
        }
        for inode in UInt8(1)...20 {
            #expect(try store.entry([inode], in: here)?.attributes.size == Int64(inode))
        }
        #expect(try store.entry([21], in: here) == nil)
        try store.remove([7], in: here, InodeKey(7))
        #expect(try store.entry([7], in: here) == nil)
        #expect(try Set(store.listing(of: here).map(\.name)) == Set((UInt8(1)...20).filter { $0 != 7 }.map { [$0] }))
        // Another name of one of them, elsewhere: found there, and there only.
        let there = DirectoryID(rawValue: 2)
        try store.add([9], in: there, InodeKey(3))
        #expect(try store.entry([9], in: there)?.key == InodeKey(3))
        #expect(try store.entry([9], in: here)?.key == InodeKey(9))
        #expect(try store.listing(of: there).map(\.name) == [[9]])
    }
}
