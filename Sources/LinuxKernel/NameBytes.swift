extension Array where Element == UInt8 {
    /// The bytes in place, for a body with typed throws.
    @inlinable
    public func withRawBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(buffer))
        }
    }

    /// The bytes as a name for the kernel: a NUL follows them in memory and is not counted.
    @inlinable
    public func withTerminatedName<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try (self + [0]).withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer.dropLast())))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The name as a C string: the caller knows that a NUL follows the bytes in memory.
    @inlinable
    public var cString: UnsafePointer<CChar> { baseAddress!.assumingMemoryBound(to: CChar.self) }
}
