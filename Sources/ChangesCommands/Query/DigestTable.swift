import ChangeStore

/// Remembers which paths were met, each with two bits of the caller's, in bounded memory.
///
/// When it is full it goes on with a part of all digests only, the lower ones; the caller goes through its rows once
/// more for the next part, until none is left. So memory is traded for passes: one for up to 367,000 paths, in 8 MiB.
struct DigestTable {
    /// A slot holds a digest, the low two bits of its lower half being the caller's; all zeros is an empty slot.
    private var slots: [SIMD2<UInt64>]
    private var count = 0
    private let largest: Int
    /// The part of all digests that this pass is about, by their upper halves: up to and including `last`.
    private var first: UInt64 = 0
    private var last: UInt64 = .max

    /// - Parameter largest: slots, of 16 bytes; a power of two.
    init(largest: Int = 1 << 19) {
        self.largest = largest
        slots = [SIMD2<UInt64>](repeating: .zero, count: min(4_096, largest))
    }

    /// The bits kept for a path.
    struct Flags: OptionSet {
        let rawValue: UInt64
        static let admitted = Flags(rawValue: 1)
        static let selected = Flags(rawValue: 2)
    }

    enum Lookup {
        /// Its slot, to be given to `setFlags`.
        case known(slot: Int, Flags)
        case new(slot: Int)
        /// Another pass's.
        case elsewhere
    }

    /// Finds a digest, or makes room for it.
    mutating func lookUp(_ digest: PathDigest) -> Lookup {
        guard digest.high >= first, digest.high <= last else { return .elsewhere }
        // A slot must not look empty.
        let key = SIMD2(digest.high, digest.low & ~3 | (digest.high == 0 ? 4 : 0))
        var slot = position(key)
        while slots[slot] != .zero {
            if slots[slot].x == key.x, slots[slot].y & ~3 == key.y {
                return .known(slot: slot, Flags(rawValue: slots[slot].y & 3))
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        if (count + 1) * 10 > slots.count * 7 {
            makeRoom()
            return lookUp(digest)
        }
        slots[slot] = key
        count += 1
        return .new(slot: slot)
    }

    mutating func setFlags(_ flags: Flags, ofSlot slot: Int) { slots[slot].y = slots[slot].y & ~3 | flags.rawValue }

    /// Whether digests were left to another pass.
    var isPartial: Bool { first > 0 || last < .max }

    /// Turns to the digests after those of this pass.
    ///
    /// - Returns: false when there are none.
    mutating func nextPart() -> Bool {
        guard last < .max else { return false }
        first = last + 1
        last = .max
        count = 0
        for slot in slots.indices { slots[slot] = .zero }
        return true
    }

    private func position(_ key: SIMD2<UInt64>) -> Int { Int(truncatingIfNeeded: key.y >> 2) & (slots.count - 1) }

    private mutating func makeRoom() {
        let wanted: Int
        if slots.count < largest {
            wanted = min(slots.count * 16, largest)
        } else {
            wanted = largest
            last = first + (last - first) / 2
        }
        let kept = slots.filter { $0 != .zero && $0.x <= last }
        // The old slots go before the new ones come.
        slots = []
        slots = [SIMD2<UInt64>](repeating: .zero, count: wanted)
        count = kept.count
        for key in kept {
            var slot = position(key)
            while slots[slot] != .zero { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = key
        }
    }
}
