import Glibc
import LinuxKernel
import SystemPackage

/// The signals that tell a command of long standing to end, as something to wait for. Made before any thread.
final class Interruptions {
    private let queue: SignalQueue
    /// The first that came.
    private(set) var received: CInt?

    /// Those that this process was started to ignore, as nohup(1) does it: they end neither it nor its command.
    let ignored: [CInt]

    /// - Throws: the errno of signalfd(2).
    init() throws(Errno) {
        // A command that reads no more is an error of write(2) then, and not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        // Where it is ignored, nobody can tell how a command ended (wait(2)).
        signal(SIGCHLD, SIG_DFL)
        let ending = [SIGTERM, SIGINT, SIGHUP]
        ignored = ending.filter(SignalQueue.isIgnored)
        // A signalfd would have them all the same (signalfd(2)).
        queue = try SignalQueue(ending.filter { !SignalQueue.isIgnored($0) })
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
