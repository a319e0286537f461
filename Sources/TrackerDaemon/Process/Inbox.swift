import LinuxKernel
import Synchronization
import SystemPackage

/// Why an order was not carried out, as a sentence.
struct RefusedOrder: Error {
    let reason: String
}

/// What is waiting for the tracker's thread: events as the kernel gave them, and orders.
///
/// The reader must never wait for a look, a disk or SQLite, so events only get copied here. What does not fit is dropped
/// and reported as lost: everything is walked then, as after an overflow of the kernel's own queue.
final class Inbox: Sendable {
    /// 8 MiB: about 170,000 events.
    static let limit = 8 << 20

    struct Content {
        var events: [UInt8] = []
        /// When the first of them was put in; nil without any.
        var eventsSince: MonotonicTime?
        var lostEvents = false
        var mountsChanged = false
        var orders: [Order] = []
    }

    /// Something that is asked of the tracker's thread.
    enum Order: Sendable {
        /// Everything that was queued in the kernel when it was asked for is in `events` now.
        /// The answer: what is held or missing, a line each, or why it cannot be.
        case settle(Barrier.Reply)
        case accept([UInt8], @Sendable (Result<String, RefusedOrder>) -> Void)
        case reload(EngineSettings)
        case stop
    }

    private let state = Mutex(Content())
    private let isWaiting = Atomic(false)
    private let stopOrdered = Atomic(false)
    private let wakeUp: WakeUp
    private let poll: EventPoll

    init() throws(Errno) {
        let wake = try WakeUp()
        let events = try EventPoll()
        try events.add(wake.descriptor.number, for: .readable, tag: 0)
        wakeUp = wake
        poll = events
    }

    /// Adds events, on the reader's thread.
    func put(events: UnsafeRawBufferPointer) {
        let now = MonotonicTime.now
        state.withLock { state in
            state.eventsSince = state.eventsSince ?? now
            if state.events.count + events.count > Self.limit {
                state.lostEvents = true
            } else {
                state.events.append(contentsOf: events)
            }
        }
        wake()
    }

    /// A stop was ordered, whether or not its order was carried out.
    var isStopOrdered: Bool { stopOrdered.load(ordering: .acquiring) }

    func put(_ order: Order) {
        if case .stop = order { stopOrdered.store(true, ordering: .releasing) }
        state.withLock { $0.orders.append(order) }
        wake()
    }

    func putMountsChanged() {
        state.withLock { $0.mountsChanged = true }
        wake()
    }

    private func wake() {
        if isWaiting.exchange(false, ordering: .acquiringAndReleasing) { wakeUp.signal() }
    }

    /// Takes everything, leaving `empty` for what comes next: the two exchange their memory.
    ///
    /// - Parameter ordersOnly: all but the orders stays.
    func take(into content: inout Content, ordersOnly: Bool = false) {
        content.events.removeAll(keepingCapacity: content.events.capacity <= 1 << 20)
        content.eventsSince = nil
        content.orders = []
        content.lostEvents = false
        content.mountsChanged = false
        state.withLock { state in
            if ordersOnly { swap(&state.orders, &content.orders) } else { swap(&state, &content) }
        }
    }

    /// Nothing waits to be taken.
    var isEmpty: Bool { isEmpty(ordersOnly: false) }

    private func isEmpty(ordersOnly: Bool) -> Bool {
        state.withLock {
            $0.orders.isEmpty && (ordersOnly || $0.events.isEmpty && !$0.lostEvents && !$0.mountsChanged)
        }
    }

    /// Sleeps until there is something to take or `deadline` has come.
    func wait(until deadline: MonotonicTime?, ordersOnly: Bool = false) {
        let now = MonotonicTime.now
        if let deadline, deadline <= now { return }
        isWaiting.store(true, ordering: .sequentiallyConsistent)
        if !isEmpty(ordersOnly: ordersOnly) {
            isWaiting.store(false, ordering: .sequentiallyConsistent)
            return
        }
        // Rounded up, so that the deadline has come when the wait is over.
        let milliseconds = deadline.map { Int32(clamping: ($0 - now + 999_999) / 1_000_000) }
        _ = try? poll.wait(milliseconds: milliseconds)
        isWaiting.store(false, ordering: .sequentiallyConsistent)
        wakeUp.clear()
    }
}
