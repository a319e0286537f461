/// An open-addressing hash table of node numbers whose keys live elsewhere: four bytes a slot.
///
/// The caller gives a node's hash and says whether a candidate is the one; several nodes may share a key.
struct NodeTable {
    private var slots: [Int32]
    private(set) var count = 0
    private static let empty: Int32 = -1

    init() { slots = Array(repeating: Self.empty, count: 64) }

    private var mask: Int { slots.count - 1 }

    func first(hash: UInt64, where matches: (Int32) -> Bool) -> Int32? {
        var position = Int(truncatingIfNeeded: hash) & mask
        while slots[position] != Self.empty {
            if matches(slots[position]) { return slots[position] }
            position = (position + 1) & mask
        }
        return nil
    }

    /// - Parameter hash: the hash of any node in the table, for when it has to grow.
    mutating func insert(_ node: Int32, hash: (Int32) -> UInt64) {
        if (count + 1) * 4 > slots.count * 3 { grow(hash: hash) }
        place(node, hash(node))
        count += 1
    }

    private mutating func place(_ node: Int32, _ hash: UInt64) {
        var position = Int(truncatingIfNeeded: hash) & mask
        while slots[position] != Self.empty { position = (position + 1) & mask }
        slots[position] = node
    }

    private mutating func grow(hash: (Int32) -> UInt64) {
        let old = slots
        slots = Array(repeating: Self.empty, count: old.count * 2)
        for node in old where node != Self.empty { place(node, hash(node)) }
    }

    /// Removes a node while its key is still what it was when it was inserted.
    mutating func remove(_ node: Int32, hash: (Int32) -> UInt64) {
        var hole = Int(truncatingIfNeeded: hash(node)) & mask
        while slots[hole] != node {
            guard slots[hole] != Self.empty else { return }
            hole = (hole + 1) & mask
        }
        // Later members of the run move up where their own position allows, so no tombstones are needed.
        var next = (hole + 1) & mask
        while slots[next] != Self.empty {
            let home = Int(truncatingIfNeeded: hash(slots[next])) & mask
            if (next &- home) & mask >= (next &- hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = Self.empty
        count -= 1
    }
}
