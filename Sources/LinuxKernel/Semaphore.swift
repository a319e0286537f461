import CLinux
import Glibc
public import SystemPackage

/// A counting semaphore for two threads that hand work to each other: eventfd(2) with `EFD_SEMAPHORE`.
public struct Semaphore: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// A semaphore at 0.
    ///
    /// - Throws: the errno of eventfd(2).
    public init() throws(Errno) {
        // EFD_SEMAPHORE | EFD_CLOEXEC
        descriptor = OwnedDescriptor(owning: try systemCall { eventfd(0, CInt(0o2000001)) })
    }

    /// Adds one.
    public borrowing func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.number, &one, 8)
    }

    /// Takes one, and sleeps until there is one to take.
    public borrowing func wait() {
        var count: UInt64 = 0
        while Glibc.read(descriptor.number, &count, 8) != 8 {
            precondition(errno == EINTR, "eventfd: \(errno)")
        }
    }
}
