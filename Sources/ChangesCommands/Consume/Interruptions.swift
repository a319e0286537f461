import Glibc
import LinuxKernel
import SystemPackage

/// The signals that tell a command of long standing to end, as something to wait for. Made before any thread.
final class Interruptions {
    private let queue: SignalQueue
    /// The first that came.
    private(set) var received: CInt?

    /// - Throws: the errno of signalfd(2).
    init() throws(Errno) {
        // A command that reads no more is an error of write(2) then, and not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        queue = try SignalQueue([SIGTERM, SIGINT, SIGHUP])
    }

    /// Readable while a signal waits.
    var descriptor: CInt { queue.descriptor.number }

    /// Takes the next signal that waits.
    func next() -> CInt? {
        let signal = queue.next()
        if received == nil { received = signal }
        return signal
    }
}
