import CLinux
import Glibc
import Synchronization

/// A POSIX thread with a name that `ps -L`, `top -H` and the journal's backtraces show.
public final class KernelThread: Sendable {
    private let handle: Mutex<pthread_t>
    private let start: Start

    /// What the new thread is handed; it outlives whichever of the two sides ends first.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        let number = Atomic<Int32>(0)
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// The kernel's number of the thread (gettid(2)), its name under `/proc/self/task`; 0 until it runs.
    public var identifier: Int32 { start.number.load(ordering: .acquiring) }

    /// Starts `body` on a thread of its own. `name` is cut at 15 bytes (pthread_setname_np(3)).
    public init(name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Start(name: name, body: body)
        self.start = start
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
                start.number.store(clinux_gettid(), ordering: .releasing)
                start.body()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        precondition(code == 0, "pthread_create: \(code)")
        handle = Mutex(thread)
    }

    /// Puts the calling thread to sleep.
    public static func sleep(milliseconds: Int64) {
        var time = timespec(tv_sec: Int(milliseconds / 1_000), tv_nsec: Int(milliseconds % 1_000) * 1_000_000)
        nanosleep(&time, nil)
    }

    /// Waits until the body has returned. Once only.
    public func join() {
        let thread = handle.withLock { $0 }
        pthread_join(thread, nil)
    }
}
