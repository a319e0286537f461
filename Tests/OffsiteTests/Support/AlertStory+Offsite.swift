extension AlertStory {
    /// Stories of copies.
    static let offsite = [
        AlertStory(
            name: "a quiet weekend: idle checks succeed",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_worker_once", "0x1000"),
                ("backup_last_success_timestamp", "0+300x1000"), ("offsite_sync_last_status", "0x1000"),
                ("offsite_first_copy", "2x1000"), ("offsite_oldest_pending_seconds", "0x1000"),
                ("backup_duration_seconds", "60x1000"), ("offsite_metrics_push_failed", "0x1000"),
                ("offsite_quarantined_paths", "0x1000"), ("offsite_drift_paths", "0x1000"),
                ("offsite_dest_available_bytes", "900x1000"), ("offsite_dest_min_free_bytes", "100x1000"),
                ("offsite_held_deletions", "0x1000"), ("offsite_held_overwrites", "0x1000"),
            ], moment: "72h", firing: []),
        AlertStory(
            name: "nightly runs by a timer",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0x287 86400x288"), ("offsite_worker_once", "1x1000"),
                ("backup_last_success_timestamp", "0x287 86400x288"), ("offsite_sync_last_status", "0x1000"),
                ("offsite_first_copy", "2x1000"),
            ], moment: "47h", firing: []),
        AlertStory(
            name: "a worker that dies, its textfile still there",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x10 3000x100"), ("offsite_worker_once", "0x110"),
                ("backup_last_success_timestamp", "0+300x10 3000x100"),
            ], moment: "2h", firing: ["OffsiteWorkerDown"]),
        AlertStory(
            name: "a worker that says nothing of its kind",
            series: [("offsite_worker_heartbeat_timestamp", "0x100"), ("backup_last_success_timestamp", "0x100")],
            moment: "1h", firing: ["OffsiteWorkerDown"]),
        AlertStory(
            name: "no figures of any worker", series: [("up", "1x100")], moment: "1h",
            firing: ["OffsiteWorkerDown"]),
        AlertStory(
            name: "a first copy that never began",
            series: [("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_first_copy", "0x1000")],
            moment: "30h", firing: ["BackupNeverSucceeded", "OffsiteFirstCopyNotBegun"]),
        AlertStory(
            name: "a first copy that never ends",
            series: [("offsite_worker_heartbeat_timestamp", "0+300x3000"), ("offsite_first_copy", "1x3000")],
            moment: "8d", firing: ["OffsiteFirstCopyEndless"]),
        AlertStory(
            name: "in the third day of a first copy",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_first_copy", "1x864 2x300"),
                ("backup_last_success_timestamp", "_x865 259500+300x300"),
                ("backup_duration_seconds", "_x865 259200x300"),
                ("offsite_oldest_pending_seconds", "0+300x864 0x300"),
            ], moment: "71h", firing: []),
        AlertStory(
            name: "after a first copy of three days",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_first_copy", "1x864 2x300"),
                ("backup_last_success_timestamp", "_x865 259500+300x300"),
                ("backup_duration_seconds", "_x865 259200x300"),
                ("offsite_oldest_pending_seconds", "0+300x864 0x300"),
            ], moment: "80h", firing: []),
        AlertStory(
            name: "a copy that has been failing for days",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_first_copy", "2x1000"),
                ("backup_last_success_timestamp", "0x1000"), ("offsite_sync_last_status", "1x1000"),
                ("offsite_oldest_pending_seconds", "0+300x1000"), ("backup_duration_seconds", "30000x1000"),
            ], moment: "30h",
            firing: ["BackupDurationHigh", "BackupStale", "OffsitePendingOld", "OffsiteSyncFailed"]),
        AlertStory(
            name: "a copy that lacks something, at a full destination",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("backup_last_success_timestamp", "0+300x1000"),
                ("offsite_quarantined_paths", "3x1000"), ("offsite_drift_paths", "1x1000"),
                ("offsite_dest_available_bytes", "150x1000"), ("offsite_dest_min_free_bytes", "100x1000"),
                ("offsite_held_deletions", "7x1000"), ("offsite_held_overwrites", "2x1000"),
            ], moment: "2h",
            firing: [
                "OffsiteDeletionsHeld", "OffsiteDestinationFull", "OffsiteDrift", "OffsiteOverwritesHeld",
                "OffsiteQuarantine",
            ]),
        AlertStory(
            name: "the tracker is down",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x100"), ("offsite_sync_last_status", "0x12 1x88"),
                ("backup_last_success_timestamp", "0+300x12 3600x88"),
            ], moment: "3h", firing: ["OffsiteSyncFailed"]),
        AlertStory(
            name: "a gateway that refuses",
            series: [
                ("offsite_worker_heartbeat_timestamp", "0+300x100"), ("offsite_metrics_push_failed", "1x100"),
                ("backup_last_success_timestamp", "0+300x100"),
            ], moment: "1h", firing: ["OffsiteMetricsPushFailed"]),
    ]
}
