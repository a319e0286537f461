import CLinux
import Glibc
public import SystemPackage

/// epoll(7), level-triggered: waits for several descriptors, each with a tag of the caller's.
public struct EventPoll: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// - Throws: the errno of epoll_create1(2).
    public init() throws(Errno) {
        descriptor = OwnedDescriptor(owning: try systemCall { epoll_create1(CInt(bitPattern: 0o2000000)) })
    }

    /// What to wait for.
    public struct Interest: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Interest(rawValue: 0x001)
        /// `EPOLLPRI`: how `/proc/self/mountinfo` says that it changed (proc(5)).
        public static let priority = Interest(rawValue: 0x002)
        public static let writable = Interest(rawValue: 0x004)
        public static let error = Interest(rawValue: 0x008)
        public static let hangUp = Interest(rawValue: 0x010)
    }

    /// - Throws: the errno of epoll_ctl(2).
    public borrowing func add(_ other: CInt, for interest: Interest, tag: UInt64) throws(Errno) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = tag
        try systemCall { epoll_ctl(descriptor.number, EPOLL_CTL_ADD, other, &event) }
    }

    /// - Throws: the errno of epoll_ctl(2).
    public borrowing func remove(_ other: CInt) throws(Errno) {
        try systemCall { epoll_ctl(descriptor.number, EPOLL_CTL_DEL, other, nil) }
    }

    /// Waits until something is ready; `nil` milliseconds is for ever.
    ///
    /// - Returns: the tags that are ready with what they are ready for; empty when the time is over.
    /// - Throws: the errno of epoll_wait(2).
    public borrowing func wait(milliseconds: Int32?) throws(Errno) -> [(tag: UInt64, ready: Interest)] {
        try withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 16) { (buffer) throws(Errno) in
            let count = try systemCall {
                epoll_wait(descriptor.number, buffer.baseAddress, 16, milliseconds ?? -1)
            }
            return (0..<Int(count)).map { (buffer[$0].data.u64, Interest(rawValue: buffer[$0].events)) }
        }
    }
}

/// eventfd(2): wakes a thread that waits in an `EventPoll`.
public struct WakeUp: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    /// - Throws: the errno of eventfd(2).
    public init() throws(Errno) {
        descriptor = OwnedDescriptor(owning: try systemCall { eventfd(0, CInt(0o2004000)) })
    }

    /// Makes the descriptor readable until `clear`.
    public borrowing func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.number, &one, 8)
    }

    public borrowing func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.number, &count, 8)
    }
}

/// timerfd_create(2) on the monotonic clock.
public struct PeriodicTimer: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    /// Fires every `nanoseconds`, first after one period.
    ///
    /// - Throws: the errno of timerfd_create(2) or timerfd_settime(2).
    public init(nanoseconds: Int64) throws(Errno) {
        let timer = OwnedDescriptor(owning: try systemCall { timerfd_create(CLOCK_MONOTONIC, CInt(0o2004000)) })
        let period = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var setting = itimerspec(it_interval: period, it_value: period)
        try systemCall { timerfd_settime(timer.number, 0, &setting, nil) }
        descriptor = timer
    }

    public borrowing func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.number, &count, 8)
    }
}

/// signalfd(2): signals as something to read. The signals are blocked in the calling thread and in every thread
/// that it starts afterwards, so make it before any other thread.
public struct SignalQueue: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    /// Whether this process ignores a signal (sigaction(2)), as it may have been started to do.
    public static func isIgnored(_ signal: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0, let handler = action.__sigaction_handler.sa_handler else {
            return false
        }
        // SIG_IGN is the number 1 in the place of a function.
        return unsafeBitCast(handler, to: Int.self) == 1
    }

    /// - Throws: the errno of sigprocmask(2) or signalfd(2).
    public init(_ signals: [CInt]) throws(Errno) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        let code = pthread_sigmask(SIG_BLOCK, &set, nil)
        if code != 0 { throw Errno(rawValue: code) }
        descriptor = OwnedDescriptor(owning: try systemCall { signalfd(-1, &set, CInt(0o2004000)) })
    }

    /// The next pending signal's number, or nil.
    public borrowing func next() -> CInt? {
        var information = signalfd_siginfo()
        let count = Glibc.read(descriptor.number, &information, MemoryLayout<signalfd_siginfo>.size)
        return count == MemoryLayout<signalfd_siginfo>.size ? CInt(bitPattern: information.ssi_signo) : nil
    }
}
