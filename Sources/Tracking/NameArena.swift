/// Names in one block of memory, each followed by a NUL so that it can go to the kernel as it stands.
struct NameArena {
    private(set) var bytes: [UInt8] = []
    /// Bytes that belong to names given up, for who decides when to compact.
    private(set) var wasted = 0

    var count: Int { bytes.count }

    /// - Returns: the offset of the name.
    mutating func append(_ name: UnsafeRawBufferPointer) -> UInt32 {
        let offset = UInt32(bytes.count)
        bytes.append(contentsOf: name)
        bytes.append(0)
        return offset
    }

    mutating func giveUp(length: Int) { wasted += length + 1 }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        wasted = 0
    }

    @inline(__always)
    func withName<Result, Failure: Error>(
        _ offset: UInt32, _ length: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (all) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[Int(offset)..<Int(offset) + length])))
        }
    }
}
