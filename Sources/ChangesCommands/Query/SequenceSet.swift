/// A set of sequence numbers, a bit each, in pieces of 65,536: 1.25 MB for ten million that follow each other, whatever
/// gaps there are between the pieces.
struct SequenceSet {
    private static let bits: Int64 = 65_536
    private var pieces: [Int64: [UInt64]] = [:]
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// - Parameter sequence: not negative.
    mutating func insert(_ sequence: Int64) {
        let (word, bit) = Self.position(sequence)
        let mask = UInt64(1) << UInt64(bit)
        var isNew = false
        let words = Int(Self.bits / 64)
        let change = { (piece: inout [UInt64]) in
            isNew = piece[word] & mask == 0
            piece[word] |= mask
        }
        change(&pieces[sequence / Self.bits, default: [UInt64](repeating: 0, count: words)])
        if isNew { count += 1 }
    }

    func contains(_ sequence: Int64) -> Bool {
        let (word, bit) = Self.position(sequence)
        return (pieces[sequence / Self.bits]?[word] ?? 0) >> UInt64(bit) & 1 == 1
    }

    /// The smallest member that is at least `sequence`.
    func first(from sequence: Int64) -> Int64? {
        let start = max(sequence, 0)
        if let found = first(inPiece: start / Self.bits, from: start) { return found }
        guard let next = pieces.keys.lazy.filter({ $0 > start / Self.bits }).min() else { return nil }
        // No piece is made but for a member.
        return first(inPiece: next, from: next * Self.bits)
    }

    private func first(inPiece number: Int64, from sequence: Int64) -> Int64? {
        guard let piece = pieces[number] else { return nil }
        let (word, bit) = Self.position(sequence)
        var bits = piece[word] & (~0 << UInt64(bit))
        for index in word..<piece.count {
            if index > word { bits = piece[index] }
            if bits != 0 { return number * Self.bits + Int64(index * 64 + bits.trailingZeroBitCount) }
        }
        return nil
    }

    /// Takes out the smallest members until `limit` are left.
    mutating func keepGreatest(_ limit: Int) {
        while count > limit, let smallest = first(from: 0) {
            let number = smallest / Self.bits
            let members = pieces[number]!.reduce(0) { $0 + $1.nonzeroBitCount }
            if count - members >= limit {
                pieces[number] = nil
                count -= members
            } else {
                let (word, bit) = Self.position(smallest)
                pieces[number]![word] &= ~(UInt64(1) << UInt64(bit))
                count -= 1
            }
        }
    }

    private static func position(_ sequence: Int64) -> (word: Int, bit: Int) {
        let offset = Int(sequence % bits)
        return (offset / 64, offset % 64)
    }
}
