import Glibc
import LinuxKernel
import Synchronization

/// The latest status from every part, put together whenever somebody asks.
final class StatusBoard: Sendable {
    private struct Parts {
        var tracker = TrackerStatus()
        var minute = SlidingCounter.lastMinute
        var hour = SlidingCounter.lastHour
        var findings: [String] = []

        mutating func status(with logReasons: [String]) -> TrackerStatus {
            var status = tracker
            status.changesLastMinute = minute.total(at: .now)
            status.degraded += logReasons + findings
            return status
        }
    }
    private let parts = Mutex(Parts())
    private let stateDirectory: [UInt8]
    private let log: @Sendable () -> TrackerReport.Log
    private let changelogReasons: @Sendable () -> [String]
    private let sources = Mutex<[@Sendable () -> [String]]>([])
    private let startedAt = Timestamp.now

    init(
        stateDirectory: [UInt8], log: @escaping @Sendable () -> TrackerReport.Log,
        changelogReasons: @escaping @Sendable () -> [String]
    ) {
        self.stateDirectory = stateDirectory
        self.log = log
        self.changelogReasons = changelogReasons
    }

    /// - Parameter changes: how many changes were recorded since the last call.
    func update(_ tracker: TrackerStatus, changes: Int64) {
        parts.withLock { parts in
            parts.tracker = tracker
            parts.minute.add(changes, at: .now)
            parts.hour.add(changes, at: .now)
        }
    }

    func update(findings: [String]) { parts.withLock { $0.findings = findings } }

    /// Asks `source`, too, for what weakens the promise.
    func addReasons(_ source: @escaping @Sendable () -> [String]) { sources.withLock { $0.append(source) } }

    private var partReasons: [String] { changelogReasons() + sources.withLock { $0 }.flatMap { $0() } }

    /// Directories that cannot be read.
    var unreadable: Int { parts.withLock { $0.tracker.unreadable } }

    /// How the tracker is now.
    var sentence: String {
        let logReasons = partReasons
        return parts.withLock { $0.status(with: logReasons).sentence }
    }

    /// How the tracker is now, in all detail.
    var report: TrackerReport {
        let logReasons = partReasons
        let (status, minutes) = parts.withLock { ($0.status(with: logReasons), $0.hour.steps(at: .now)) }
        var report = TrackerReport()
        report.version = productVersion
        report.process = getpid()
        report.startedAt = startedAt
        report.stateDirectory = stateDirectory
        report.phase =
            if status.storeFailure != nil {
                .notRecording
            } else if let walked = status.walked {
                .comparing(directories: walked)
            } else {
                .watching
            }
        report.sentence = status.sentence
        report.degraded = (status.storeFailure.map { ["not recording: \($0)"] } ?? []) + status.degraded
        report.roots = status.roots
        report.directories = status.directories
        report.watches = status.watches
        report.watchLimit = WatchLimit.current
        report.polled = status.polled
        report.overflows = status.overflows
        report.minutes = minutes
        report.log = log()
        return report
    }
}
