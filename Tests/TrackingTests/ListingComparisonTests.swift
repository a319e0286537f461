import ChangeStore
import LinuxKernel
import Testing

@testable import Tracking

@Suite struct ListingComparisonTests {
    /// What is on the disk under a name: its size stands for everything that can differ.
    private func status(size: Int64) -> FileStatus {
        FileStatus(
            mode: 0o100644, owner: 0, group: 0, linkCount: 1, size: size, inode: 5, device: 1,
            modified: Timestamp(nanoseconds: 1), changed: Timestamp(nanoseconds: 1), born: Timestamp(nanoseconds: 1))
    }

    private func entry(size: Int64) -> IndexedEntry {
        IndexedEntry(
            key: InodeKey(fileSystem: FileSystemID(rawValue: 1), inode: 5),
            attributes: EntryAttributes(status(size: size), lookedAt: nil))
    }

    /// - Returns: the names that are new or differ, and those that are missing.
    private func compare(
        _ disk: [[UInt8]: Int64], _ index: [[UInt8]: Int64], unreadable: Set<[UInt8]> = [], reason: LookReason
    ) -> (different: [[UInt8]], missing: [[UInt8]]) {
        let hash = EntryHash(uuid: "00112233-4455-6677-8899-aabbccddeeff")
        let listing = Listing(hash: hash)
        for (inode, name) in disk.keys.enumerated() {
            name.withUnsafeBytes { listing.append($0, inode: UInt64(inode)) }
        }
        listing.sortByInode()
        #expect(listing.count == disk.count)
        var comparison = ListingComparison(listing: listing, reason: reason)
        for (name, size) in index.sorted(by: {
            $0.key.withUnsafeBytes(hash.callAsFunction) < $1.key.withUnsafeBytes(hash.callAsFunction)
        }) {
            name.withUnsafeBytes { bytes in
                comparison.meet(bytes, hash: hash(bytes), entry(size: size)) { index in
                    #expect(listing.withName(index) { [UInt8]($0) } == name)
                    if unreadable.contains(name) { return nil }
                    return disk[name].map { (status(size: $0), FileSystemID(rawValue: 1)) }
                }
            }
        }
        comparison.finish()
        return (
            (comparison.different + comparison.new).map { listing.withName($0) { [UInt8]($0) } }
                .sorted { $0.lexicographicallyPrecedes($1) },
            comparison.missing.map(\.name)
        )
    }

    @Test(arguments: [LookReason.hinted, .gap]) func agreesWithSets(reason: LookReason) {
        var random = SeededGenerator()
        print("TRACKING_SEED=\(random.seed)")
        for round in 0..<300 {
            var disk: [[UInt8]: Int64] = [:]
            var index: [[UInt8]: Int64] = [:]
            // Few distinct bytes and short names: prefixes of each other, and bytes above 127.
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let name = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                    ([1, 0x61, 0x62, 0x80, 0xFF] as [UInt8]).randomElement(using: &random) ?? 1
                }
                if Bool.random(using: &random) { disk[name] = .random(in: 0...1, using: &random) }
                if Bool.random(using: &random) { index[name] = .random(in: 0...1, using: &random) }
            }
            let (different, missing) = compare(disk, index, reason: reason)
            let comment: Comment = "seed \(random.seed), round \(round)"
            #expect(different.count == Set(different).count && missing.count == Set(missing).count, comment)
            #expect(Set(different) == Set(disk.filter { index[$0.key] != $0.value }.keys), comment)
            #expect(Set(missing) == Set(index.keys).subtracting(disk.keys), comment)
        }
    }

    @Test func nameThatCannotBeLookedAtIsLookedInto() {
        let name = bytes("f")
        let (different, missing) = compare([name: 1], [name: 1], unreadable: [name], reason: .gap)
        #expect(different == [name] && missing.isEmpty)
    }

    @Test func emptyOnEitherSide() {
        #expect(compare([:], [:], reason: .gap).different.isEmpty)
        #expect(compare([bytes("a"): 1], [:], reason: .gap).different == [bytes("a")])
        #expect(compare([:], [bytes("a"): 1], reason: .gap).missing == [bytes("a")])
    }

    @Test func namesOf255Bytes() {
        let one = [UInt8](repeating: 0xFF, count: 255)
        let two = [UInt8](repeating: 0xFF, count: 254)
        let (different, missing) = compare([one: 1, two: 1], [one: 1, two: 2], reason: .hinted)
        #expect(different == [two] && missing.isEmpty)
    }

    @Test func aListingKeepsStatusesWithTheirNames() {
        let listing = Listing(hash: EntryHash(uuid: "00112233-4455-6677-8899-aabbccddeeff"))
        for (inode, name) in [(9, "i9"), (3, "d3"), (7, "i7"), (5, "i5")] {
            Array(name.utf8).withUnsafeBytes { listing.append($0, inode: UInt64(inode), isDirectory: inode == 3) }
        }
        listing.sortByInode()
        #expect(listing.status(0) == nil)
        listing.takeStatuses(at: Timestamp(nanoseconds: 4)) { name in
            name.elementsEqual("i7".utf8) ? nil : status(size: Int64(name[1] - 0x30))
        }
        listing.remove { name, isDirectory in isDirectory == true || name.elementsEqual("i5".utf8) }
        #expect(
            (0..<listing.count).map { listing.withName($0) { String(decoding: $0, as: UTF8.self) } } == ["i7", "i9"])
        #expect((0..<listing.count).map { listing.status($0)?.size } == [nil, 9])
        #expect(listing.lookedAt == Timestamp(nanoseconds: 4))
    }
}
