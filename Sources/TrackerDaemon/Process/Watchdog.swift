import LinuxKernel
import Logging
import SystemdSupport

/// Looks at every stage of the pipeline, tells what does not move, and pings the service manager's watchdog while a
/// restart would help nobody.
struct Watchdog {
    /// How often to look, in nanoseconds.
    var period: Int64 { judge.period }

    private var judge: PipelineWatch
    private var kernelQueue = QueueWatch()
    private var inbox = QueueWatch()
    private var told: Set<String> = []

    private let pings: Bool

    /// The interval to judge by where nobody waits for pings, in nanoseconds: WatchdogSec= of the unit.
    private static let ordinaryInterval: Int64 = 60_000_000_000

    /// - Parameter interval: nanoseconds, as `ServiceNotifier.watchdogInterval`: nil judges without pings.
    init(interval: Int64?) {
        judge = PipelineWatch(watchdogInterval: interval ?? Self.ordinaryInterval)
        pings = interval != nil
    }

    mutating func look(at parts: TrackerProcess.Parts, notifier: ServiceNotifier, log: Logger) {
        let now = MonotonicTime.now
        // The heartbeats first: what is in a queue after that was there, or came, while the stage slept.
        let reader = parts.reader.heartbeat.snapshot
        let tracker = parts.tracker.heartbeat.snapshot
        let stages = [
            PipelineWatch.Stage(
                name: "reader", importance: .essential,
                heartbeat: kernelQueue.snapshot(reader, queueIsEmpty: parts.reader.queueIsEmpty, at: now)),
            PipelineWatch.Stage(
                name: "tracker", importance: .essential,
                heartbeat: inbox.snapshot(tracker, queueIsEmpty: parts.inbox.isEmpty, at: now)),
            PipelineWatch.Stage(name: "changelog", importance: .expendable, heartbeat: parts.changelog.heartbeat),
        ]
        let verdict = judge.judge(stages, at: now) { thread in
            (try? ThreadState.of(thread: thread)) == .waitingForDisk
        }
        for finding in verdict.findings where told.insert(finding.stage).inserted {
            log.error("a part of the tracker does not move", metadata: ["finding": "\(finding)"])
        }
        told.formIntersection(verdict.findings.map(\.stage))
        parts.board.update(findings: verdict.findings.map(\.description))
        notifier.status(parts.board.sentence)
        if pings && verdict.mayPing { notifier.ping() }
    }
}
