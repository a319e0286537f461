import LinuxKernel
import Synchronization
import SystemPackage

/// What the changelog's thread and everybody else share. No lock is held over a system call that can hang.
final class ChangelogInbox: Sendable {
    struct Place: Equatable, Sendable {
        var path: [UInt8]
        var requireMount: [UInt8]?
    }

    /// What was asked for since the thread last looked.
    struct Orders: Sendable {
        var target: Int64
        var place: Place
        /// When the first of the rows was told of that the thread has not heard of; nil without any.
        var wokenAt: MonotonicTime?
        /// A new directory is among those rows.
        var isGrowing = false
        /// Grows with each call of `retryNow`.
        var retries = 0
        var isStopping = false
    }

    private struct Contents: Sendable {
        var orders: Orders
        var isSignalled = false
        var state: ChangelogState
    }

    private let contents: Mutex<Contents>
    private let work: WakeUp
    private let workPoll: EventPoll
    private let end: WakeUp
    private let endPoll: EventPoll

    /// - Throws: the errno of eventfd(2) or epoll_create1(2).
    init(place: Place, position: Int64) throws(Errno) {
        contents = Mutex(
            Contents(
                orders: Orders(target: position, place: place),
                state: ChangelogState(
                    path: place.path, requireMount: place.requireMount, appendedSequence: position,
                    syncedSequence: position, owedLines: 0, countedThrough: position, health: .ok, activity: .waiting,
                    heartbeat: .now,
                    threadIdentifier: 0)))
        work = try WakeUp()
        workPoll = try EventPoll()
        end = try WakeUp()
        endPoll = try EventPoll()
        try workPoll.add(work.descriptor.number, for: .readable, tag: 0)
        try endPoll.add(end.descriptor.number, for: .readable, tag: 0)
    }

    // MARK: For everybody

    /// Changes the orders; the thread is woken when `change` returns true.
    func order(_ change: (inout Orders) -> Bool) {
        let signals = contents.withLock { contents in
            guard change(&contents.orders), !contents.isSignalled else { return false }
            contents.isSignalled = true
            return true
        }
        if signals { work.signal() }
    }

    /// The state, with what is owed counted to the newest row told of, even while the thread hangs.
    var state: ChangelogState {
        contents.withLock { contents in
            var state = contents.state
            let uncounted = max(0, contents.orders.target - max(state.countedThrough, state.appendedSequence))
            state.owedLines = uncounted
            if case .owed(let lines, let since, let reason) = state.health {
                state.owedLines = lines + uncounted
                state.health = .owed(lines: state.owedLines, since: since, reason: reason)
            }
            return state
        }
    }

    /// Waits until the thread has called `finish`; false when that did not happen in time.
    func waitForEnd(deadline: MonotonicTime) -> Bool {
        while true {
            let milliseconds = Self.milliseconds(until: deadline)
            guard let ready = try? endPoll.wait(milliseconds: milliseconds) else { return false }
            if !ready.isEmpty { return true }
            if MonotonicTime.now >= deadline { return false }
        }
    }

    // MARK: For the thread

    func takeOrders() -> Orders {
        contents.withLock { contents in
            if contents.isSignalled {
                work.clear()
                contents.isSignalled = false
            }
            defer {
                contents.orders.wokenAt = nil
                contents.orders.isGrowing = false
            }
            return contents.orders
        }
    }

    /// Waits for new orders or until the time is there; nil waits for ever.
    func waitForOrders(until deadline: MonotonicTime?) throws(Errno) {
        _ = try workPoll.wait(milliseconds: deadline.map(Self.milliseconds(until:)))
    }

    func publish(_ change: (inout ChangelogState) -> Void) {
        contents.withLock { contents in
            change(&contents.state)
            contents.state.heartbeat = .now
        }
    }

    func finish() {
        publish { $0.activity = .stopped }
        end.signal()
    }

    /// Rounded up: waking early would mean waking twice.
    private static func milliseconds(until deadline: MonotonicTime) -> Int32 {
        let rest = max(0, deadline - .now)
        return Int32(clamping: (rest + 999_999) / 1_000_000)
    }
}
