import LinuxKernel

/// Reads two tables, with a NUL between, and asks all that can be asked of them.
func fuzzMountinfo(_ bytes: UnsafeRawBufferPointer) -> CInt {
    let halves = bytes.split(separator: 0, maxSplits: 1)
    guard let first = halves.first else { return 0 }
    let old = MountTable(text: Array(first))
    let new = MountTable(text: Array(halves.last!))
    for entry in old.entries {
        precondition(entry.mountPoint.first == UInt8(ascii: "/"), "a mount point is not absolute")
        _ = old.entry(covering: entry.mountPoint)
        precondition(new.mountPoints(under: entry.mountPoint).count <= new.entries.count)
    }
    // Numbers given twice, which the kernel never does, make a table that differs from itself.
    if Set(old.entries.map(\.mountID)).count == old.entries.count {
        precondition(old.difference(from: old).isEmpty, "a table differs from itself")
    }
    _ = new.difference(from: old)
    return 0
}
