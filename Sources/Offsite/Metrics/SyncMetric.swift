import LinuxKernel

/// One metric: its name, what it says, and its value. All are gauges.
///
/// The first two have no prefix and their names no proper unit: they are what alerts for backups go by already. Other jobs
/// of a site push the same names untyped, and a Pushgateway refuses (400) whoever comes second with another type.
struct SyncMetric: Sendable {
    let name: String
    /// Other jobs have metrics of this name, without a type: it has none here either.
    var isShared: Bool { name.hasPrefix("backup_") }
    /// One line, without backslashes. The same in every file: node_exporter complains of one name with two texts.
    let help: String
    let value: @Sendable (SyncFigures) -> String?

    static let all: [SyncMetric] = [
        SyncMetric("backup_last_success_timestamp", "When a run last ended well, in seconds since 1970.") {
            $0.lastSuccess.map { String($0.nanoseconds / 1_000_000_000) }
        },
        SyncMetric("backup_duration_seconds", "How long the last run took, however it ended.") {
            $0.lastDuration.map(seconds)
        },
        SyncMetric("offsite_sync_last_status", "How the last run ended: 0 well, 1 not.") {
            $0.lastStatus.map { String($0.rawValue) }
        },
        SyncMetric("offsite_pending_paths", "Changed paths that are not yet copied.") { $0.pendingPaths.map(count) },
        SyncMetric("offsite_pending_bytes", "Bytes that are not yet copied.") { $0.pendingBytes.map(count) },
        SyncMetric("offsite_oldest_pending_seconds", "How long the oldest pending path has waited; 0 if none does.") {
            $0.oldestPending.map(seconds)
        },
        SyncMetric("offsite_quarantined_paths", "Paths that could not be copied and are tried again slowly.") {
            $0.quarantinedPaths.map(count)
        },
        SyncMetric("offsite_held_deletions", "Deletions that wait for --allow-deletes.") {
            $0.heldDeletions.map(count)
        },
        SyncMetric("offsite_held_overwrites", "Overwritten files that wait for --allow-overwrites.") {
            $0.heldOverwrites.map(count)
        },
        SyncMetric("offsite_dest_available_bytes", "Bytes available at the destination.") {
            $0.availableBytes.map(count)
        },
        SyncMetric("offsite_dest_size_bytes", "Size of the destination's file system.") { $0.sizeBytes.map(count) },
        SyncMetric("offsite_dest_min_free_bytes", "Bytes that must stay available at the destination.") {
            $0.minFreeBytes.map(count)
        },
        SyncMetric("offsite_drift_paths", "Paths that differed at the last verification.") { $0.driftPaths.map(count) },
        SyncMetric("offsite_orphan_paths", "Paths at the destination that are no longer copied.") {
            $0.orphanPaths.map(count)
        },
        SyncMetric("offsite_first_copy", "How far the first copy is: 0 not begun, 1 under way, 2 complete.") {
            $0.firstCopy.map { String($0.rawValue) }
        },
        SyncMetric("offsite_worker_heartbeat_timestamp", "When these figures were taken, in seconds since 1970.") {
            $0.heartbeat.map { String($0.nanoseconds / 1_000_000_000) }
        },
        SyncMetric("offsite_worker_once", "1: the worker ends after a run (--once); 0: it goes on (--watch).") {
            $0.endsAfterRun.map { $0 ? "1" : "0" }
        },
        SyncMetric("offsite_metrics_push_failed", "1: the last push to the Pushgateway failed; 0: it did not.") {
            $0.isPushFailing.map { $0 ? "1" : "0" }
        },
    ]

    private init(_ name: String, _ help: String, _ value: @escaping @Sendable (SyncFigures) -> String?) {
        self.name = name
        self.help = help
        self.value = value
    }

    private static func count(_ number: Int64) -> String { String(number) }

    /// With three decimals. A clock that stepped can make a wait negative, which it was not.
    private static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = max(duration, .zero).components
        let milliseconds = String(attoseconds / 1_000_000_000_000_000)
        return "\(seconds)." + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
    }
}

extension SyncFigures {
    /// The figures in Prometheus' text format, version 0.0.4
    /// (https://prometheus.io/docs/instrumenting/exposition_formats/), as node_exporter's textfile collector and the
    /// Pushgateway take it: without times of their own. A metric without a value is left out with its comments.
    public var exposition: [UInt8] {
        let labels = "{job=\"\(Self.escaped(job))\",destination=\"\(Self.escaped(destination))\"}"
        var text = ""
        for metric in SyncMetric.all {
            guard let value = metric.value(self) else { continue }
            if !metric.isShared { text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) gauge\n" }
            text += "\(metric.name)\(labels) \(value)\n"
        }
        return Array(text.utf8)
    }

    /// A label's value: backslash, quote and line feed are escaped, nothing else is.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
