import ChangeStore
import Changelog
import LinuxKernel
import Logging
import Tracking

/// One engine on one open store, from its first walk until the stop or the store's failure.
struct TrackerSession: ~Copyable {
    let engine: TrackingEngine
    private let store: Store
    private let shared: TrackerThread.Shared
    private let inbox: Inbox
    private let heartbeat: Heartbeat
    private var content = Inbox.Content()
    private var barrier = Barrier()
    private var census = RootCensus()
    private var isReady = false
    private var published = TrackerStatus()
    private var changesPublished: Int64 = 0
    private var changesLogged: Int64 = 0
    private var committed: Int64 = 0
    /// When the first event was read of what is not committed yet.
    private var noticed: MonotonicTime?
    private var nextStatus = MonotonicTime(nanoseconds: 0)
    /// There is something to publish that came within a second of the last time.
    private var hasUnpublished = false
    private var nextRetention = MonotonicTime(nanoseconds: 0)

    /// Between two runs of retention, in milliseconds.
    private static let retentionInterval: Int64 = 600_000

    init(
        store: Store, settings: EngineSettings, shared: TrackerThread.Shared, inbox: Inbox, heartbeat: Heartbeat
    ) throws(StoreError) {
        self.store = store
        self.shared = shared
        self.inbox = inbox
        self.heartbeat = heartbeat
        engine = try TrackingEngine(
            store: store, instance: shared.instance, settings: settings, log: shared.log, heartbeat: heartbeat)
    }

    /// Runs until a stop is ordered.
    ///
    /// - Parameter onStart: called when the store has taken the first writes.
    mutating func run(onStart: () -> Void) throws(StoreError) {
        try engine.start()
        onStart()
        shared.onCommit(store.uuid, store.lastCommitted, false)
        while true {
            heartbeat.progress()
            inbox.take(into: &content, ordersOnly: barrier.holdsEvents)
            let orders = content.orders
            let isStopping = orders.contains { if case .stop = $0 { true } else { false } }
            for order in orders { try carryOut(order) }
            if barrier.begin() { try engine.pollNow() }
            engine.isHurried = barrier.isUp || isStopping
            engine.walksLater = barrier.isPastFirstStep
            try step()
            if isStopping { return try finish() }
            answerSettled()
            try maintain()
            heartbeat.idle()
            inbox.wait(until: deadline(), ordersOnly: barrier.holdsEvents)
            heartbeat.begin()
        }
    }

    private func deadline() -> MonotonicTime? {
        // While somebody waits, what was put off is looked at again after the events had a moment to explain it.
        if barrier.isDue { return .now }
        if barrier.isUp {
            let waitsForEvents = engine.isWaitingForEvents && !barrier.holdsEvents
            return MonotonicTime.now.advanced(milliseconds: waitsForEvents ? 5 : 0)
        }
        var deadlines = [engine.nextDeadline()]
        if hasUnpublished { deadlines.append(nextStatus) }
        if census.isOutdated(for: engine.tree) { deadlines.append(census.due) }
        return deadlines.compactMap(\.self).min()
    }

    private mutating func step() throws(StoreError) {
        let now = MonotonicTime.now
        noticed = noticed ?? content.eventsSince
        try content.events.withRawBytes { (events) throws(StoreError) in
            try engine.step(
                events: events, lostEvents: content.lostEvents, mountsChanged: content.mountsChanged, now: now)
        }
        if content.mountsChanged { shared.onMounts() }
        var isGrowing = false
        if store.lastCommitted > committed {
            isGrowing = engine.takeNewDirectories()
            shared.log.debug(
                "recorded changes",
                metadata: [
                    "count": "\(engine.statistics.changes - changesLogged)", "through": "\(store.lastCommitted)",
                ])
            committed = store.lastCommitted
            shared.figures.committed(
                through: committed, rows: engine.statistics.changes - changesLogged, since: noticed ?? now)
            changesLogged = engine.statistics.changes
            // What came meanwhile, and has its look still before it. A window of 0 is that of names that waited on purpose.
            let window = engine.windowOpened.flatMap { $0.nanoseconds > 0 ? $0 : nil }
            noticed = engine.isSettledButForWalk ? nil : window ?? now
        } else if engine.isSettledButForWalk, engine.statistics.changes == changesLogged {
            // Events that told of no change.
            noticed = nil
        }
        shared.onCommit(store.uuid, store.lastCommitted, isGrowing)
        if store.isCheckpointDue { shared.checkpoint() }
        try publish(now)
        if !isReady && engine.isReconciled {
            isReady = true
            shared.onReady()
        }
    }

    /// Tells how things are: at most once a second, but at once when something weakens the promise or no longer does.
    private mutating func publish(_ now: MonotonicTime) throws(StoreError) {
        census.take(of: engine.tree, now)
        let status = status()
        hasUnpublished = status != published || engine.statistics.changes != changesPublished
        guard hasUnpublished else { return }
        guard
            now >= nextStatus || status.roots.count != published.roots.count || status.degraded != published.degraded
                || status.walked != published.walked
        else {
            return
        }
        nextStatus = now.advanced(milliseconds: 1_000)
        try store.checkPlace()
        shared.figures.add(engine.takeChangesByRoot())
        shared.onStatus(status, engine.statistics.changes - changesPublished)
        published = status
        changesPublished = engine.statistics.changes
        hasUnpublished = false
    }

    private mutating func carryOut(_ order: Inbox.Order) throws(StoreError) {
        switch order {
        case .settle(let reply): barrier.join(reply)
        case .accept(let path, let reply): reply(try engine.accept(path))
        case .reload(let settings):
            try engine.reload(settings)
            isReady = false
        case .stop: break
        }
    }

    private mutating func answerSettled() {
        guard barrier.isUp else { return }
        guard engine.isSettled else {
            barrier.goOn(isNearEnd: engine.isNearlySettled, now: .now)
            return
        }
        barrier.answer(.success(engine.unsettledPlaces()))
        engine.isHurried = false
        engine.walksLater = false
    }

    /// Applies retention now and then.
    private mutating func maintain() throws(StoreError) {
        let now = MonotonicTime.now
        guard now >= nextRetention, engine.isReconciled, engine.isAtRest else { return }
        let result = try store.applyRetention(
            shared.settings.retention, stateDirectory: shared.settings.stateDirectory,
            keepAfter: shared.changelogPosition())
        if result.removedPaths { engine.forgetPaths() }
        for name in result.overtaken {
            shared.log.error(
                "a consumer is so far behind that history it has not seen was removed: it needs a full reconcile",
                metadata: ["consumer": "\(name)", "remedy": "run it, or raise max_size_hard"])
        }
        if result.overtookChangelog {
            shared.log.error(
                "history that is not in the log yet was removed: the store reached max_size_hard",
                metadata: ["remedy": "make the log writable, and take the store as the record of what changed"])
        }
        nextRetention = now.advanced(milliseconds: result.isUnfinished ? 100 : Self.retentionInterval)
    }

    /// Finishes what has come in and closes the store.
    private mutating func finish() throws(StoreError) {
        let end = MonotonicTime.now.advanced(milliseconds: 500)
        while !engine.isSettledButForWalk && MonotonicTime.now < end {
            content.events.removeAll()
            content.lostEvents = false
            content.mountsChanged = false
            inbox.wait(until: MonotonicTime.now.advanced(milliseconds: 5))
            inbox.take(into: &content)
            try step()
        }
        barrier.refuse(RefusedOrder(reason: "the tracker is stopping"))
        try engine.settleForStop()
        try store.close()
        shared.onCommit(store.uuid, store.lastCommitted, false)
    }

    private func status() -> TrackerStatus {
        var status = TrackerStatus()
        status.roots = census.roots
        status.watches = engine.statistics.watches
        status.polled = engine.statistics.polled
        status.unreadable = engine.unreadable.count
        status.overflows = engine.statistics.overflows
        status.directories = engine.statistics.directories
        status.walked = engine.isReconciled ? nil : engine.statistics.walked
        status.degraded = engine.degradedReasons()
        return status
    }
}
