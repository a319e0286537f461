import LinuxKernel
import Metrics

/// One metric: its name, what it says, and its value. All are gauges.
///
/// The first two have no prefix and their names no proper unit: they are what alerts for backups go by already. Other jobs
/// of a site push the same names untyped, and a Pushgateway refuses (400) whoever comes second with another type.
struct SyncMetric: Sendable {
    let metric: Metric
    var name: String { metric.name }
    let value: @Sendable (SyncFigures) -> MetricValue?

    static let all: [SyncMetric] = [
        SyncMetric("backup_last_success_timestamp", "When a run last ended well, in seconds since 1970.") {
            $0.lastSuccess.map(wholeSeconds)
        },
        SyncMetric("backup_duration_seconds", "How long the last run took, however it ended.") {
            $0.lastDuration.map(seconds)
        },
        SyncMetric("offsite_sync_last_status", "How the last run ended: 0 well, 1 not.") {
            $0.lastStatus.map { .integer($0.rawValue) }
        },
        SyncMetric("offsite_pending_paths", "Changed paths that are not yet copied.") {
            $0.pendingPaths.map(MetricValue.integer)
        },
        SyncMetric("offsite_pending_bytes", "Bytes that are not yet copied.") {
            $0.pendingBytes.map(MetricValue.integer)
        },
        SyncMetric("offsite_oldest_pending_seconds", "How long the oldest pending path has waited; 0 if none does.") {
            $0.oldestPending.map(seconds)
        },
        SyncMetric("offsite_quarantined_paths", "Paths that could not be copied and are tried again slowly.") {
            $0.quarantinedPaths.map(MetricValue.integer)
        },
        SyncMetric("offsite_held_deletions", "Deletions that wait for --allow-deletes.") {
            $0.heldDeletions.map(MetricValue.integer)
        },
        SyncMetric("offsite_held_overwrites", "Overwritten files that wait for --allow-overwrites.") {
            $0.heldOverwrites.map(MetricValue.integer)
        },
        SyncMetric("offsite_dest_available_bytes", "Bytes available at the destination.") {
            $0.availableBytes.map(MetricValue.integer)
        },
        SyncMetric("offsite_dest_size_bytes", "Size of the destination's file system.") {
            $0.sizeBytes.map(MetricValue.integer)
        },
        SyncMetric("offsite_dest_min_free_bytes", "Bytes that must stay available at the destination.") {
            $0.minFreeBytes.map(MetricValue.integer)
        },
        SyncMetric("offsite_drift_paths", "Paths that differed at the last verification.") {
            $0.driftPaths.map(MetricValue.integer)
        },
        SyncMetric("offsite_orphan_paths", "Paths at the destination that are no longer copied.") {
            $0.orphanPaths.map(MetricValue.integer)
        },
        SyncMetric("offsite_first_copy", "How far the first copy is: 0 not begun, 1 under way, 2 complete.") {
            $0.firstCopy.map { .integer($0.rawValue) }
        },
        SyncMetric("offsite_worker_heartbeat_timestamp", "When these figures were taken, in seconds since 1970.") {
            $0.heartbeat.map(wholeSeconds)
        },
        SyncMetric("offsite_worker_once", "1: the worker ends after a run (--once); 0: it goes on (--watch).") {
            $0.endsAfterRun.map(MetricValue.flag)
        },
        SyncMetric("offsite_metrics_push_failed", "1: the last push to the Pushgateway failed; 0: it did not.") {
            $0.isPushFailing.map(MetricValue.flag)
        },
    ]

    private init(_ name: String, _ help: String, _ value: @escaping @Sendable (SyncFigures) -> MetricValue?) {
        // Other jobs have metrics of these names, without a type: they have none here either.
        metric = Metric(name, name.hasPrefix("backup_") ? .untyped : .gauge, help)
        self.value = value
    }

    private static func wholeSeconds(_ moment: Timestamp) -> MetricValue {
        .integer(moment.nanoseconds / 1_000_000_000)
    }

    private static func seconds(_ duration: Duration) -> MetricValue {
        let (seconds, attoseconds) = duration.components
        return .seconds(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

extension SyncFigures {
    /// The figures for node_exporter's textfile collector and for the Pushgateway. What is not known is left out.
    public var exposition: [UInt8] {
        var exposition = Exposition(labels: [MetricLabel("job", job), MetricLabel("destination", destination)])
        for metric in SyncMetric.all { exposition.add(metric.metric, metric.value(self)) }
        return exposition.bytes
    }
}
