import LinuxKernel
import Synchronization
import SystemPackage

/// Drains the kernel's queue into the inbox, on a thread of its own that waits for nothing else.
final class EventReader: Sendable {
    private let instance: InotifyInstance
    private let inbox: Inbox
    let heartbeat = Heartbeat()
    private let wakeUp: WakeUp
    private let orders = Mutex(Orders())
    private let mounts: OwnedDescriptor
    private let poll: EventPoll
    private let thread: Mutex<KernelThread?> = Mutex(nil)

    private struct Orders {
        var afterDraining: [Inbox.Order] = []
        var isStopping = false
    }

    /// How long events are left to gather after the first, in milliseconds: one wake-up for hundreds of events instead of
    /// one for each. The kernel's queue holds 16,384 events by default, which takes four writers 30 ms at full speed.
    private static let gatheringTime: Int64 = 4

    private enum Tag {
        static let events: UInt64 = 0
        static let mounts: UInt64 = 1
        static let orders: UInt64 = 2
    }

    init(instance: InotifyInstance, inbox: Inbox) throws(Errno) {
        let wake = try WakeUp()
        let table = try MountTable.open()
        let events = try EventPoll()
        try events.add(instance.inotify.descriptor.number, for: .readable, tag: Tag.events)
        try events.add(table.number, for: .priority, tag: Tag.mounts)
        try events.add(wake.descriptor.number, for: .readable, tag: Tag.orders)
        self.instance = instance
        self.inbox = inbox
        wakeUp = wake
        mounts = table
        poll = events
    }

    /// The kernel has nothing for this thread to read.
    var queueIsEmpty: Bool { instance.inotify.isEmpty() }

    func start() {
        thread.withLock { $0 = KernelThread(name: "reader") { [self] in run() } }
    }

    func stop() {
        orders.withLock { $0.isStopping = true }
        wakeUp.signal()
        thread.withLock { $0 }?.join()
    }

    /// Passes an order on to the tracker once everything that is in the kernel's queue now has been passed on.
    func passAfterDraining(_ order: Inbox.Order) {
        orders.withLock { $0.afterDraining.append(order) }
        wakeUp.signal()
    }

    private func run() {
        heartbeat.adoptCurrentThread()
        // 256 KiB hold some 5,000 events; larger reads were no cheaper for each.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            heartbeat.idle()
            guard let ready = try? poll.wait(milliseconds: nil) else { continue }
            heartbeat.begin()
            for (tag, _) in ready {
                switch tag {
                case Tag.events:
                    KernelThread.sleep(milliseconds: Self.gatheringTime)
                    drain(into: buffer)
                case Tag.mounts: inbox.putMountsChanged()
                default: if !carryOutOrders(buffer) { return }
                }
            }
        }
    }

    private func drain(into buffer: UnsafeMutableRawBufferPointer) {
        while let count = try? instance.inotify.read(into: buffer), count > 0 {
            inbox.put(events: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            heartbeat.progress()
            // A short read emptied the queue: the next call would only say so.
            if count < buffer.count / 2 { return }
        }
    }

    /// - Returns: false when the thread is to end.
    private func carryOutOrders(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        wakeUp.clear()
        let taken = orders.withLock { orders in
            defer { orders.afterDraining = [] }
            return orders
        }
        if taken.isStopping { return false }
        drain(into: buffer)
        // A mount that changed before the order shows in the same wait at the latest now.
        inbox.putMountsChanged()
        for order in taken.afterDraining { inbox.put(order) }
        return true
    }
}
