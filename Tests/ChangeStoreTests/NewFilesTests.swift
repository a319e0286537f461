import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct NewFilesTests {
    /// Several rows a statement come to the same as one by one: also where an inode has several names, in one
    /// directory or in two, and where the index knew it before.
    @Test func manyAtOnceAreLikeOneByOne() throws {
        var generator = SeededGenerator(seed: freshSeed())
        for _ in 0..<40 {
            let together = StateDirectory()
            let single = StateDirectory()
            let bulk = try together.open()
            let plain = try single.open()
            try bulk.begin()
            try plain.begin()
            for directory in 1...3 {
                let here = DirectoryID(rawValue: Int64(directory))
                var bytes: [UInt8] = []
                var files: [NewFile] = []
                for number in 0..<Int.random(in: 0...45, using: &generator) {
                    let name = Array("file-\(number)".utf8)
                    // Few inodes for the names: many are hardlinks of each other.
                    let key = InodeKey(.random(in: 1...60, using: &generator))
                    files.append(
                        NewFile(
                            name: bytes.count..<bytes.count + name.count, key: key,
                            attributes: .random(using: &generator)))
                    bytes += name + [0]
                }
                let known = try bytes.withUnsafeBytes { try bulk.add(files, names: $0, in: here) }
                var expected: [Int] = []
                for (position, file) in files.enumerated()
                where try !plain.add(Array(bytes[file.name]), in: here, file.key, file.attributes) {
                    expected.append(position)
                }
                #expect(known == expected)
            }
            for directory in 1...3 {
                let here = DirectoryID(rawValue: Int64(directory))
                let (left, right) = (try bulk.listing(of: here), try plain.listing(of: here))
                // Each store has a key of its own for its hashes, so an order of its own.
                #expect(
                    Dictionary(uniqueKeysWithValues: left.map { ($0.name, $0.entry) })
                        == Dictionary(uniqueKeysWithValues: right.map { ($0.name, $0.entry) }))
            }
            for inode in UInt64(1)...60 {
                #expect(try bulk.names(of: InodeKey(inode)).first == plain.names(of: InodeKey(inode)).first)
                #expect(try Set(bulk.names(of: InodeKey(inode))) == Set(plain.names(of: InodeKey(inode))))
            }
        }
    }
}
