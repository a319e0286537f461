import ChangeStore
import Changelog
import LinuxKernel
import Logging
import Synchronization
import SystemPackage

/// Runs the engine on its thread: feeds it, carries out orders, and starts over when the store fails.
final class TrackerThread: Sendable {
    let inbox: Inbox
    let heartbeat = Heartbeat()
    /// Nanoseconds without a failure after which the next one is retried as soon as the first.
    private static let wellTime: Int64 = 60_000_000_000
    private let shared: Shared
    private let thread: Mutex<KernelThread?> = Mutex(nil)

    /// What the thread works with.
    struct Shared: Sendable {
        let instance: InotifyInstance
        let files: StoreFiles
        let settings: TrackerSettings
        let log: Logger
        let figures: PipelineFigures
        /// A status to show, and the changes recorded since the last one; about once a second while there is something
        /// new, and at once when something weakens the promise or no longer does.
        let onStatus: @Sendable (TrackerStatus, _ changes: Int64) -> Void
        /// Every root is watched and compared, for the first time or after a reload.
        let onReady: @Sendable () -> Void
        let checkpoint: @Sendable () -> Void
        /// Rows up to here are committed in the store with this UUID, a new directory perhaps among them.
        let onCommit: @Sendable (_ store: String, _ sequence: Int64, _ isGrowing: Bool) -> Void
        /// Something was mounted or unmounted.
        let onMounts: @Sendable () -> Void
        /// Up to where the changelog needs no row any more.
        let changelogPosition: @Sendable () -> Int64
    }

    init(inbox: Inbox, shared: Shared) {
        self.inbox = inbox
        self.shared = shared
    }

    func start(with store: Store) {
        let first = Transferred(store)
        thread.withLock { $0 = KernelThread(name: "tracker") { [self] in run(first) } }
    }

    func join() { thread.withLock { $0 }?.join() }

    /// A value handed over to the thread, once.
    private final class Transferred: @unchecked Sendable {
        private var store: Store?
        init(_ store: Store) { self.store = store }
        func take() -> Store? {
            defer { store = nil }
            return store
        }
    }

    private func run(_ first: Transferred) {
        heartbeat.adoptCurrentThread()
        var settings = shared.settings.engine
        // Not a parameter, which would keep the first store open beside later ones.
        var store = first.take()
        var delay: Int64 = 1_000
        var began = MonotonicTime.now
        var failing: StoreError.Reason?
        while true {
            do throws(StoreError) {
                if store == nil { store = try StoreKeeper.open(shared.files, log: shared.log) }
                guard let opened = store.take() else { return }
                var session = try TrackerSession(
                    store: opened, settings: settings, shared: shared, inbox: inbox, heartbeat: heartbeat)
                defer { settings = session.engine.settings }
                began = .now
                try session.run {
                    if failing != nil { shared.log.notice("the store is written again; everything is walked") }
                    failing = nil
                }
                return
            } catch {
                store = nil
                // It was well for some time: this is another trouble.
                if MonotonicTime.now - began > Self.wellTime { delay = 1_000 }
                if error.reason == .corrupt {
                    try? StoreKeeper.setAside(shared.files, because: error, log: shared.log)
                }
                if failing != error.reason {
                    shared.log.error(
                        "the store cannot be written: changes are found by a walk once it can be",
                        metadata: ["error": "\(error)"])
                }
                failing = error.reason
                var status = TrackerStatus()
                status.storeFailure = "\(error)"
                shared.onStatus(status, 0)
                if pause(milliseconds: delay, &settings) { return }
                delay = min(delay * 2, 30_000)
                began = .now
            }
        }
    }

    /// Waits before the store is tried again.
    ///
    /// - Returns: true when the tracker is to stop.
    private func pause(milliseconds: Int64, _ settings: inout EngineSettings) -> Bool {
        let end = MonotonicTime.now.advanced(milliseconds: milliseconds)
        var content = Inbox.Content()
        while MonotonicTime.now < end {
            if inbox.isStopOrdered { return true }
            heartbeat.idle()
            inbox.wait(until: end)
            heartbeat.begin()
            inbox.take(into: &content)
            for order in content.orders {
                switch order {
                case .stop: break
                case .settle(let reply):
                    reply(.failure(RefusedOrder(reason: "the store cannot be written now; see the journal")))
                case .accept(_, let reply): reply(.failure(RefusedOrder(reason: "the store cannot be written now")))
                case .reload(let new): settings = new
                }
            }
        }
        return inbox.isStopOrdered
    }
}
