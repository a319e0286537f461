import ChangeStore
import LinuxKernel
import Offsite
import SystemPackage

/// Tells others how a destination's runs begin and end: a dead man's switch (`ping_url`), and commands of the administrator's
/// (`on_success`, `on_failure`). The work waits for neither.
final class RunAnnouncer {
    /// How a run ended.
    struct Ending {
        /// nil: it was a success.
        var reason: String?
        var took: Duration
        /// What it did, as far as it came.
        var report = SyncReport()
        /// Of this destination.
        var lastSuccess: Timestamp?
    }

    private let destination: DestinationSettings
    /// The worker goes on for ever.
    private let isWatching: Bool
    private let tell: (String) -> Void
    /// Gets why the last ping was not delivered; nil: it was.
    private let note: (String?) -> Void
    private let sender: PingSender?
    private var policy = PingPolicy()
    private var hooks = HookPolicy()
    private var hook: HookRun?
    /// A command whose turn comes when the one before is over.
    private var nextHook: (command: [UInt8], environment: [(name: String, value: String)])?
    private var told: String?

    /// - Parameter tell: gets what does not work, once each, for people.
    init(
        _ destination: DestinationSettings, isWatching: Bool, tell: @escaping (String) -> Void,
        note: @escaping (String?) -> Void
    ) {
        self.destination = destination
        self.isWatching = isWatching
        self.tell = tell
        self.note = note
        sender = destination.pingURL.map { PingSender(PingTarget(url: $0)) }
    }

    /// Somebody is to be told.
    var isWanted: Bool { sender != nil || destination.onSuccess != nil || destination.onFailure != nil }

    /// A run begins.
    ///
    /// - Parameter isCheck: it most likely has nothing to do.
    func begin(isCheck: Bool) {
        // Nothing is known of a switch that is configured no more.
        guard let sender else { return note(nil) }
        // One that its window stops has no result for hours.
        let isBounded = isWatching && !destination.windows.isEmpty
        if policy.begins(isCheck: isCheck || isBounded, now: .now) { sender.send(.start) }
        tick()
    }

    func end(_ ending: Ending) {
        let succeeded = ending.reason == nil
        if let sender, policy.ended(succeeded: succeeded, now: .now) || !isWatching {
            let text = ending.reason ?? Self.summary(ending.report)
            sender.send(succeeded ? .success(text, took: ending.took) : .failure(text, took: ending.took))
        }
        let command = succeeded ? destination.onSuccess : destination.onFailure
        let isDue = hooks.ended(succeeded: succeeded, didSomething: ending.report.batches > 0, now: .now)
        if let command, isDue || !isWatching { nextHook = (command, environment(of: ending)) }
        tick()
    }

    private static func summary(_ report: SyncReport) -> String {
        "\(report.paths) paths, \(ByteSizeText.approximate(report.statistics.sent)) sent, \(report.deleted) deleted"
    }

    private func environment(of ending: Ending) -> [(name: String, value: String)] {
        let report = ending.report
        let seconds = ending.took.wholeNanoseconds / 1_000_000_000
        var all = [
            ("DESTINATION", destination.name), ("RESULT", ending.reason == nil ? "success" : "failure"),
            ("REASON", ending.reason ?? ""), ("DURATION_SECONDS", "\(seconds)"), ("PATHS", "\(report.paths)"),
            ("DELETED", "\(report.deleted)"), ("BYTES_SENT", "\(report.statistics.sent)"),
            ("QUARANTINED", "\(report.quarantined)"), ("HELD_DELETIONS", "\(report.heldDeletions)"),
            ("HELD_OVERWRITES", "\(report.heldOverwrites)"),
        ]
        if let success = ending.lastSuccess { all.append(("LAST_SUCCESS", "\(success.nanoseconds / 1_000_000_000)")) }
        return all.map { ("CHANGES_" + $0.0, $0.1) }
    }

    /// Goes on with what is to be told. To be called about once a second; never waits.
    func tick() {
        if let sender {
            if policy.goesOn(now: .now) { sender.send(.start) }
            switch sender.poll() {
            case nil: break
            case .delivered?:
                if told != nil { tell("pings are delivered again") }
                told = nil
                note(nil)
            case .failed(let failure)?:
                let text = failure.text("ping not delivered", server: "the server", key: "ping_url")
                if told != text { tell(text) }
                told = text
                note(text)
            }
        }
        if let ending = hook?.poll() {
            hook = nil
            if case .failed(let reason) = ending { tell("on_success or on_failure: \(reason)") }
        }
        guard hook == nil, let next = nextHook else { return }
        nextHook = nil
        do throws(Errno) { hook = try HookRun(next.command, environment: next.environment) } catch {
            tell("on_success or on_failure could not be run: \(error)")
        }
    }

    /// Waits until everything is told, as long as that may take, or until the process is to end.
    func finish(stop: any StopSignal) {
        // The limits of ping and command, and of what stands before each.
        let end = MonotonicTime.now.advanced(milliseconds: 150_000)
        while !(sender?.isIdle ?? true) || hook != nil || nextHook != nil {
            tick()
            if stop.isRequested() || MonotonicTime.now > end { return }
            KernelThread.sleep(milliseconds: 20)
        }
    }
}

/// Decides after which runs of a worker that goes on for ever a command is run: after a success that did something or
/// follows a failure, and for a failure that lasts once a day. A state machine: it has no clock and no I/O.
struct HookPolicy {
    /// Milliseconds.
    private static let repetition: Int64 = 86_400_000
    private var lastSuccess: Bool?
    private var failureTold: MonotonicTime?

    mutating func ended(succeeded: Bool, didSomething: Bool, now: MonotonicTime) -> Bool {
        defer { lastSuccess = succeeded }
        if succeeded {
            failureTold = nil
            return didSomething || lastSuccess == false
        }
        let isDue = failureTold.map { now >= $0.advanced(milliseconds: Self.repetition) } ?? true
        if isDue { failureTold = now }
        return isDue
    }
}
