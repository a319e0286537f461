import LinuxKernel

/// Reads a buffer as the records of an inotify read, to its end.
func fuzzInotify(_ bytes: UnsafeRawBufferPointer) -> CInt {
    var offset = 0
    while let (event, next) = InotifyEvent.read(bytes, at: offset) {
        precondition(next >= offset + 16 && next <= bytes.count, "the next record is outside")
        precondition(event.name.lowerBound == offset + 16 && event.name.upperBound <= next, "the name is outside")
        precondition(event.name.isEmpty || bytes[event.name.upperBound - 1] != 0, "the name is padded")
        offset = next
    }
    return 0
}
