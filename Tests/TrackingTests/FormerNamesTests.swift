import ChangeStore
import LinuxKernel
import Testing

@testable import Tracking

@Suite struct FormerNamesTests {
    private let node = NodeID(index: 3, generation: 0)
    private var names = FormerNames()

    private func key(_ inode: UInt64) -> InodeKey { someDirectory(inode).key }

    private mutating func note(_ name: String, _ inode: UInt64, isExplained: Bool = false, _ milliseconds: Int64 = 0) {
        bytes(name).withUnsafeBytes {
            names.note($0, in: node, key(inode), isExplained: isExplained, now: at(milliseconds))
        }
    }

    private func inodes(_ name: String, _ hints: Hints, _ milliseconds: Int64 = 0) -> [UInt64] {
        bytes(name).withUnsafeBytes {
            names.inodes(toldOf: $0, in: node, hints, now: at(milliseconds)).map(\.inode)
        }
    }

    @Test mutating func onlyWhatIsToldOfInodesIsPassedOn() {
        #expect(names.isEmpty && inodes("x", .content).isEmpty)
        note("x", 7)
        #expect(inodes("x", .content) == [7] && inodes("x", .metadata) == [7] && inodes("x", .formerContent) == [7])
        #expect(inodes("x", [.vanished, .appeared, .fresh]).isEmpty && inodes("y", .content).isEmpty)
        #expect(bytes("x").withUnsafeBytes { names.lastInode(at: $0, in: node) } == key(7))
    }

    /// Once the loss of the name was read, what is told of the name is told of another inode.
    @Test mutating func afterTheLossOnlyWhatWasToldBeforeItCounts() {
        note("x", 7)
        bytes("x").withUnsafeBytes { names.explain($0, in: node) }
        note("renamed", 8, isExplained: true)
        for (name, inode) in [("x", 7), ("renamed", 8)] as [(String, UInt64)] {
            #expect(inodes(name, .content).isEmpty)
            #expect(inodes(name, [.content, .formerMetadata]) == [inode])
        }
    }

    /// Whoever has the inode open goes on writing to it by the name that it lost.
    @Test mutating func afterTheLossWhatIsToldMayBeOfEither() {
        func perhaps(_ hints: Hints, _ milliseconds: Int64 = 0) -> [UInt64] {
            bytes("x").withUnsafeBytes {
                names.inodes(perhapsToldOf: $0, in: node, hints, now: at(milliseconds)).map(\.inode)
            }
        }
        note("x", 7)
        #expect(perhaps(.content).isEmpty && inodes("x", .content) == [7])
        // Whatever was under way then has been read by now: the name is another file's.
        #expect(perhaps(.content, 3_000) == [7] && inodes("x", .content, 3_000).isEmpty)
        bytes("x").withUnsafeBytes { names.explain($0, in: node) }
        #expect(perhaps(.content) == [7] && perhaps(.loneClose) == [7])
        #expect(perhaps(.appeared).isEmpty && perhaps([.content, .formerContent]).isEmpty)
    }

    @Test mutating func severalInodesMayHaveHadAName() {
        note("x", 7)
        note("x", 8)
        #expect(inodes("x", .content) == [7, 8])
        #expect(bytes("x").withUnsafeBytes { names.lastInode(at: $0, in: node) } == key(8))
    }

    @Test mutating func namesAreRememberedForALifetimeAtLeast() {
        let lifetime = FormerNames.lifetime / 1_000_000
        note("x", 7, 1)
        names.expire(at(lifetime))
        note("later", 8, lifetime)
        names.expire(at(lifetime + 1))
        #expect(inodes("x", .formerContent) == [7] && inodes("later", .formerContent) == [8])
        names.expire(at(2 * lifetime + 1))
        #expect(names.isEmpty)
    }

    @Test mutating func memoryIsBounded() {
        for number in 0..<50_000 { note("name\(number)", UInt64(number)) }
        #expect(inodes("name49999", .content) == [49_999] && inodes("name0", .content).isEmpty)
    }
}
