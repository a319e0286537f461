import LinuxKernel
import Synchronization

/// The latest status from every part, put into one sentence whenever somebody asks.
final class StatusBoard: Sendable {
    private struct Parts {
        var tracker = TrackerStatus()
        var minute = MinuteCounter()
        var findings: [String] = []
    }
    private let parts = Mutex(Parts())
    private let changelogReasons: @Sendable () -> [String]

    init(changelogReasons: @escaping @Sendable () -> [String]) { self.changelogReasons = changelogReasons }

    /// - Parameter changes: how many changes were recorded since the last call.
    func update(_ tracker: TrackerStatus, changes: Int64) {
        parts.withLock { parts in
            parts.tracker = tracker
            parts.minute.add(changes, at: .now)
        }
    }

    func update(findings: [String]) { parts.withLock { $0.findings = findings } }

    /// How the tracker is now.
    var sentence: String {
        let logReasons = changelogReasons()
        return parts.withLock { parts in
            var status = parts.tracker
            status.changesLastMinute = parts.minute.total(at: .now)
            status.degraded += logReasons + parts.findings
            return status.sentence
        }
    }
}
