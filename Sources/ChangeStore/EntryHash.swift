/// The number under which the index finds a name in a directory: 48 bits of SipHash-1-3 (Aumasson and Bernstein,
/// 2012) under the store's UUID as its key.
///
/// With the hash in the tree of entries a name needs to stand in the index only once, at its inode. Who writes into a
/// root does not know the key, so cannot make names that collide. Names of different inodes may collide: they are told
/// apart. Two names of one inode in one directory are taken to be never the same 48 bits (1 in 2.8 · 10¹⁴ for a pair);
/// if they were, each walk would record one of them again.
public struct EntryHash: Sendable {
    private let first: UInt64
    private let second: UInt64
    /// Bits dropped from the hash: fewer are left only to provoke collisions in tests.
    private let shift: Int64

    /// - Parameter uuid: the store's, as text; whatever is no hexadecimal digit is passed over.
    public init(uuid: String) { self.init(uuid: uuid, bits: 48) }

    init(uuid: String, bits: Int64) {
        var halves: (UInt64, UInt64) = (0, 0)
        for digit in uuid.utf8.compactMap({ Character(Unicode.Scalar($0)).hexDigitValue }) {
            halves = (halves.0 << 4 | halves.1 >> 60, halves.1 << 4 | UInt64(digit))
        }
        first = halves.0
        second = halves.1
        shift = 64 - bits
    }

    public func callAsFunction(_ name: UnsafeRawBufferPointer) -> Int64 {
        // Signed, because SQLite stores a signed integer of 48 bits in six bytes.
        Int64(bitPattern: full(name)) >> shift
    }

    /// All 64 bits, as the reference implementation gives them.
    func full(_ name: UnsafeRawBufferPointer) -> UInt64 {
        var state = State(first, second)
        var offset = 0
        while offset + 8 <= name.count {
            state.take(UInt64(littleEndian: name.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: name.count) << 56
        for index in offset..<name.count { last |= UInt64(name[index]) << UInt64(8 * (index - offset)) }
        state.take(last)
        return state.finish()
    }

    private struct State {
        private var v0: UInt64
        private var v1: UInt64
        private var v2: UInt64
        private var v3: UInt64

        init(_ first: UInt64, _ second: UInt64) {
            // "somepseudorandomlygeneratedbytes", from the paper.
            v0 = first ^ 0x736F_6D65_7073_6575
            v1 = second ^ 0x646F_7261_6E64_6F6D
            v2 = first ^ 0x6C79_6765_6E65_7261
            v3 = second ^ 0x7465_6462_7974_6573
        }

        mutating func take(_ word: UInt64) {
            v3 ^= word
            round()
            v0 ^= word
        }

        mutating func finish() -> UInt64 {
            v2 ^= 0xFF
            round()
            round()
            round()
            return v0 ^ v1 ^ v2 ^ v3
        }

        private mutating func round() {
            v0 &+= v1
            v1 = v1 << 13 | v1 >> 51
            v1 ^= v0
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v3
            v3 = v3 << 16 | v3 >> 48
            v3 ^= v2
            v0 &+= v3
            v3 = v3 << 21 | v3 >> 43
            v3 ^= v0
            v2 &+= v1
            v1 = v1 << 17 | v1 >> 47
            v1 ^= v2
            v2 = v2 << 32 | v2 >> 32
        }
    }
}
