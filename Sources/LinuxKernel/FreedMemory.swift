import CLinux

/// Gives memory that was freed back to the kernel: malloc_trim(3). The allocator keeps it otherwise, and a daemon that
/// was busy for a moment would look large for ever.
public func returnFreedMemory() { malloc_trim(0) }
