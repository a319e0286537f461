import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct EntryAttributesTests {
    private func encoded(_ attributes: EntryAttributes) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xEE, count: EntryAttributes.longestEncoding)
        let count = buffer.withUnsafeMutableBytes { attributes.encode(into: $0) }
        return Array(buffer[..<count])
    }

    private func decoded(_ bytes: [UInt8]) throws -> EntryAttributes {
        try bytes.withUnsafeBytes { try EntryAttributes(decoding: $0) }
    }

    @Test func everyValueComesBack() throws {
        var generator = SeededGenerator(seed: freshSeed())
        for _ in 0..<20_000 {
            let attributes = EntryAttributes.random(using: &generator)
            #expect(try decoded(encoded(attributes)) == attributes)
        }
    }

    @Test func theLongestEncodingFits() throws {
        let largest = EntryAttributes(
            mode: 0o067777, owner: .max, group: .max, linkCount: .max, size: -1, deviceNumber: .max,
            modified: Timestamp(nanoseconds: .min), changed: Timestamp(nanoseconds: .max), isRacy: true)
        #expect(encoded(largest).count <= EntryAttributes.longestEncoding)
        #expect(try decoded(encoded(largest)) == largest)
    }

    @Test func anEncodingCutShortIsCorrupt() throws {
        let bytes = encoded(.file(size: 1 << 40))
        for length in 0..<bytes.count {
            #expect(storeError { _ = try decoded(Array(bytes[..<length])) }?.reason == .corrupt, "\(length) bytes")
        }
    }

    @Test func anIntegerWithoutEndIsCorrupt() {
        #expect(
            storeError { _ = try decoded([UInt8](repeating: 0x80, count: 200)) }?.reason == .corrupt)
    }

    @Test(
        "A look within the timestamps' granularity is racy",
        arguments: [
            // changed, looked at, racy; in nanoseconds
            (1_000_000_001, 1_000_000_001, true),
            (1_000_000_001, 1_010_000_000, true),
            (1_000_000_001, 1_010_000_001, false),
            // A whole second: the file system may keep no more.
            (5_000_000_000, 5_999_999_999, true),
            (5_000_000_000, 6_009_999_999, true),
            (5_000_000_000, 6_010_000_000, false),
            (0, 1_009_999_999, true),
            (-3_000_000_000, -2_000_000_000, true),
            // Changed after the look, as on a server whose clock is ahead.
            (9_000_000_001, 1, true),
            (Int64.min, Int64.max, false),
            (Int64.max, Int64.min, false),
        ] as [(Int64, Int64, Bool)])
    func racy(_ changed: Int64, _ now: Int64, _ expected: Bool) {
        #expect(
            EntryAttributes.isRacy(
                changed: Timestamp(nanoseconds: changed), lookedAt: Timestamp(nanoseconds: now)) == expected)
    }

    @Test func withoutATimeOfTheLookNothingIsRacy() {
        let status = FileStatus(
            mode: 0o100600, owner: 1, group: 2, linkCount: 3, size: 4, inode: 5, device: 6, deviceNumber: 7,
            modified: Timestamp(nanoseconds: 8), changed: .now, born: Timestamp(nanoseconds: 9))
        #expect(!EntryAttributes(status, lookedAt: nil).isRacy)
        #expect(EntryAttributes(status, lookedAt: .now).isRacy)
    }
}
