/// Finds lines in the text that they stand in: open addressing with linear probing over their offsets, and the bytes
/// themselves are compared, so that no two lines are ever taken for each other.
struct LineTable {
    private static let vacant = UInt32.max
    private static let smallest = 1_024

    /// Where lines begin. Their number is a power of two, at least half of them vacant.
    private var offsets = [UInt32](repeating: vacant, count: smallest)
    private var count = 0

    /// Adds the line that begins at `start` and ends, with its newline, where `text` does.
    ///
    /// - Returns: false when a line like it is there.
    mutating func insert(lineAt start: Int, in text: [UInt8]) -> Bool {
        if 2 * (count + 1) > offsets.count { grow(text) }
        let isNew = text.withUnsafeBytes { text in
            let line = text[start...]
            let slot = self.slot(of: line, in: text)
            guard offsets[slot] == Self.vacant else { return false }
            offsets[slot] = UInt32(start)
            return true
        }
        if isNew { count += 1 }
        return isNew
    }

    mutating func removeAll() {
        guard count > 0 else { return }
        count = 0
        for index in offsets.indices { offsets[index] = Self.vacant }
    }

    /// The slot that has the line, or the vacant one where it belongs.
    private func slot(of line: Slice<UnsafeRawBufferPointer>, in text: UnsafeRawBufferPointer) -> Int {
        // Seeded anew in each process: nobody can choose names that collide.
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: line))
        let mask = offsets.count - 1
        var slot = hasher.finalize() & mask
        while offsets[slot] != Self.vacant {
            // A newline ends each line and is nowhere else, so none is the beginning of another.
            if text[Int(offsets[slot])...].starts(with: line) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func grow(_ text: [UInt8]) {
        let known = offsets.filter { $0 != Self.vacant }
        offsets = [UInt32](repeating: Self.vacant, count: 2 * offsets.count)
        text.withUnsafeBytes { text in
            for start in known {
                let rest = text[Int(start)...]
                let end = rest.firstIndex(of: UInt8(ascii: "\n"))!
                offsets[self.slot(of: rest[...end], in: text)] = start
            }
        }
    }
}
