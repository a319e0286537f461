import Glibc
import LinuxKernel
import SystemPackage

/// The body of the changelog's thread: does what the pump says, and tells it how that went.
struct ChangelogWorker: ~Copyable {
    private let inbox: ChangelogInbox
    private let settings: ChangelogSettings
    private let source: ReopeningSource
    private let onAppend: @Sendable (Int64) -> Void
    private let onStateChange: @Sendable (ChangelogTransition) -> Void

    private var pump: ChangelogPump
    private var appender: ChangelogAppender
    private var batch = ChangelogBatch()
    private var retries = 0
    /// What was told since the log was last well: failures that take turns are told once each.
    private var reported: Set<ChangelogFailure> = []
    private var unwellSince = MonotonicTime(nanoseconds: 0)

    init(
        inbox: ChangelogInbox, settings: ChangelogSettings, position: Int64,
        makeSource: @escaping @Sendable () throws -> any ChangelogSource,
        onAppend: @escaping @Sendable (Int64) -> Void,
        onStateChange: @escaping @Sendable (ChangelogTransition) -> Void
    ) {
        self.inbox = inbox
        self.settings = settings
        source = ReopeningSource(stateDirectory: settings.stateDirectory, make: makeSource)
        self.onAppend = onAppend
        self.onStateChange = onStateChange
        pump = ChangelogPump(position: position, syncInterval: settings.syncInterval)
        appender = ChangelogAppender(path: settings.path, requireMount: settings.requireMount)
    }

    mutating func run() {
        while true {
            follow(inbox.takeOrders())
            let action = pump.next(at: .now)
            if case .wait(let deadline) = action {
                guard wait(until: deadline) else { break }
                continue
            }
            if action == .finish { break }
            let start = MonotonicTime.now
            inbox.publish { $0.activity = .working(since: start) }
            do throws(ChangelogFailure) {
                try perform(action)
            } catch {
                recover(from: error)
            }
            publish()
        }
        inbox.finish()
    }

    private mutating func perform(_ action: ChangelogPump.Action) throws(ChangelogFailure) {
        switch action {
        case .probe:
            try appender.probe()
            pump.probed()
        case .append:
            guard try fillBatch(), let through = batch.through else { return pump.caughtUp() }
            let wrote = !batch.text.isEmpty
            if wrote { try appendBatch() }
            batch.clear()
            pump.appended(through: through, wrote: wrote, at: .now)
            onAppend(through)
        case .synchronize:
            try appender.synchronize()
            pump.synchronized()
        case .savePosition:
            do throws(Errno) {
                try ChangelogPosition(store: settings.store, sequence: pump.synced).save(in: settings.stateDirectory)
            } catch {
                throw ChangelogFailure(.savePosition, error, path: settings.stateDirectory)
            }
            pump.positionSaved()
        case .wait, .finish:
            break
        }
    }

    /// - Returns: false when there is nothing to append.
    private mutating func fillBatch() throws(ChangelogFailure) -> Bool {
        if batch.through != nil { return true }
        let last = pump.appended
        return try source.read { try batch.fill(from: &$0, after: last) }
    }

    private mutating func appendBatch() throws(ChangelogFailure) {
        let text = batch.text
        let (source, last) = (source, pump.appended)
        var failure: ChangelogFailure? = nil
        text.withUnsafeBytes { bytes in
            do throws(ChangelogFailure) {
                try appender.append(bytes) { (torn) throws(ChangelogFailure) in
                    // Whatever another process tore comes after the position that it had saved.
                    try source.read { try ChangelogBatch.restOfLine(torn, from: &$0, after: last) }
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private mutating func recover(from failure: ChangelogFailure) {
        if failure.step == .synchronize {
            batch.clear()
            appender.discard()
        }
        pump.failed(failure, at: .now)
    }

    private mutating func follow(_ orders: ChangelogInbox.Orders) {
        let now = MonotonicTime.now
        pump.wake(through: orders.target, isGrowing: orders.isGrowing, since: orders.wokenAt ?? now, at: now)
        if orders.place.path != appender.path || orders.place.requireMount != appender.requireMount {
            moveTo(orders.place)
        }
        if orders.retries != retries {
            retries = orders.retries
            pump.retryNow(at: .now)
        }
        if orders.isStopping { pump.drain(at: .now) }
    }

    /// Goes on in another place. A batch that was under way is appended there as a whole.
    private mutating func moveTo(_ place: ChangelogInbox.Place) {
        do throws(ChangelogFailure) {
            try appender.synchronize()
            pump.synchronized()
        } catch {
            recover(from: error)
        }
        appender = ChangelogAppender(path: place.path, requireMount: place.requireMount)
        pump.retryNow(at: .now)
        publish()
    }

    /// The lines that are owed now. Sequence numbers have gaps, of up to a million after a crash, and say only how many
    /// there can be.
    private mutating func countOwed() -> Int64 {
        let most = max(0, pump.target - pump.appended)
        if most < 2 { return most }
        let appended = pump.appended
        let counted = try? source.read { try $0.count(after: appended) }
        return min(most, counted ?? most)
    }

    /// - Returns: false when waiting is impossible, which must not become a busy loop.
    private mutating func wait(until deadline: MonotonicTime?) -> Bool {
        inbox.publish { $0.activity = .waiting }
        do throws(Errno) {
            try inbox.waitForOrders(until: deadline)
            return true
        } catch {
            onStateChange(.failing(ChangelogFailure(.append, error, path: appender.path)))
            return false
        }
    }

    private mutating func publish() {
        let failure = pump.failure
        let (path, requireMount, appended, synced) = (appender.path, appender.requireMount, pump.appended, pump.synced)
        let owed = failure == nil ? 0 : countOwed()
        let target = pump.target
        inbox.publish { state in
            state.countedThrough = target
            state.path = path
            state.requireMount = requireMount
            state.appendedSequence = appended
            state.syncedSequence = synced
            state.health = failure.map { .owed(lines: owed, since: $0.since, reason: $0.failure) } ?? .ok
            state.activity = .waiting
        }
        if let failure {
            if reported.isEmpty { unwellSince = failure.since }
            if reported.insert(failure.failure).inserted { onStateChange(.failing(failure.failure)) }
        } else if !reported.isEmpty {
            onStateChange(.recovered(after: MonotonicTime.now - unwellSince))
            reported = []
        }
    }
}
