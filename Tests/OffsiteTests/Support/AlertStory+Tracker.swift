import LinuxKernel

@testable import TrackerDaemon

extension AlertStory {
    /// The label set of a tracker's series, with a further label.
    private static func labelled(_ name: String, _ label: String) -> String {
        "nfs_changes_\(name){job=\"node\",instance=\"nas\",\(label)}"
    }

    private static let textfile =
        #"node_textfile_mtime_seconds{job="node",instance="nas",file="/var/lib/prometheus/node-exporter/nfs-change-tracker.prom"}"#

    /// Everything that a tracker's rules ask for, from one that is well.
    private static let well: [(String, String)] = [
        ("nfs_changes_up", "1x3000"), (textfile, "0+300x3000"), ("nfs_changes_recording", "1x3000"),
        (labelled("degraded_reasons", #"reason="held""#), "0x3000"),
        (labelled("degraded_reasons", #"reason="polled""#), "0x3000"),
        (labelled("degraded_reasons", #"reason="log""#), "0x3000"), ("nfs_changes_log_oldest_owed_seconds", "0x3000"),
        (labelled("log_delay_seconds_bucket", #"le="0.2""#), "0+10x3000"),
        (labelled("log_delay_seconds_bucket", #"le="+Inf""#), "0+10x3000"),
        ("nfs_changes_directories", "1000x3000"), ("nfs_changes_watches_limit", "524288x3000"),
        ("nfs_changes_overflows_total", "0x3000"), ("nfs_changes_walk_in_progress", "0x3000"),
        ("nfs_changes_last_change_timestamp_seconds", "0+300x3000"),
        (labelled("consumer_oldest_pending_seconds", #"consumer="index""#), "0x3000"),
        ("offsite_first_copy", "2x3000"), ("offsite_worker_heartbeat_timestamp", "0+300x3000"),
        ("backup_last_success_timestamp", "0+300x3000"),
    ]

    /// The same with other values of some.
    private static func well(but others: [(String, String)]) -> [(String, String)] {
        well.filter { series in !others.contains { $0.0 == series.0 } } + others
    }

    /// Stories of the tracker.
    static let tracker: [AlertStory] = [
        AlertStory(
            name: "a weekend without changes",
            series: well(but: [("nfs_changes_last_change_timestamp_seconds", "0+300x12 3600x2000")]), moment: "66h",
            firing: []),
        AlertStory(
            name: "a restart, and a walk of half an hour",
            series: well(but: [
                ("nfs_changes_up", "1x20 0 1x40"), ("nfs_changes_walk_in_progress", "0x20 0 1x5 0x40"),
                ("nfs_changes_overflows_total", "7x20 0x40"), ("nfs_changes_directories", "1000x20 _ 1000x40"),
            ]), moment: "105m", firing: []),
        AlertStory(
            name: "at the moment of a restart", series: [("nfs_changes_up", "1x20 0 1x40")], interval: "1m",
            moment: "21m", firing: []),
        AlertStory(
            name: "a tracker that was stopped", series: [("nfs_changes_up", "1x20 0x40")], moment: "2h",
            firing: ["TrackerDown"]),
        AlertStory(
            name: "a tracker that was killed, its textfile still there",
            series: well(but: [(textfile, "0+300x20 6000x100")]), moment: "3h", firing: ["TrackerDown"]),
        AlertStory(
            name: "the mtime as an older node_exporter labels it",
            series: [
                ("nfs_changes_up", "1x100"),
                (
                    #"node_textfile_mtime_seconds{job="node",instance="nas",file="nfs-change-tracker.prom"}"#,
                    "0+300x20 6000x100"
                ),
            ], moment: "3h", firing: ["TrackerDown"]),
        AlertStory(
            name: "another program's textfile that is old",
            series: well(but: [
                (#"node_textfile_mtime_seconds{job="node",instance="nas",file="/x/smartmon.prom"}"#, "0x100")
            ]), moment: "3h", firing: []),
        AlertStory(
            name: "a tracker that was never started", series: [("no tracker", "")], moment: "1h",
            firing: ["TrackerDown"]),
        AlertStory(
            name: "a full disk", series: well(but: [("nfs_changes_recording", "1x10 0x100")]), moment: "2h",
            firing: ["TrackerNotRecording"]),
        AlertStory(
            name: "a root that is away",
            series: well(but: [(labelled("degraded_reasons", #"reason="held""#), "0x10 1x100")]), moment: "2h",
            firing: ["TrackerRootAway"]),
        AlertStory(
            name: "a disk that is exchanged within ten minutes",
            series: well(but: [(labelled("degraded_reasons", #"reason="held""#), "0x10 1x2 0x100")]), moment: "60m",
            firing: []),
        AlertStory(
            name: "watches that are used up",
            series: well(but: [
                (labelled("degraded_reasons", #"reason="polled""#), "0x10 1x100"),
                ("nfs_changes_directories", "500000x100"),
            ]), moment: "2h", firing: ["TrackerDegraded", "TrackerWatchesShort"]),
        AlertStory(
            name: "a log that cannot be written",
            series: well(but: [
                (labelled("degraded_reasons", #"reason="log""#), "0x10 1x100"),
                ("nfs_changes_log_oldest_owed_seconds", "0x10 0+300x100"),
            ]), moment: "2h", firing: ["TrackerLogOwed"]),
        AlertStory(
            name: "a disk that is slow",
            series: well(but: [(labelled("log_delay_seconds_bucket", #"le="0.2""#), "0x3000")])
                + [(labelled("log_delay_seconds_bucket", #"le="60""#), "0+10x3000")], moment: "3h",
            firing: ["TrackerLogLate"]),
        AlertStory(
            name: "one storm",
            series: well(but: [("nfs_changes_overflows_total", "0x10 1x100")]), moment: "60m", firing: []),
        AlertStory(
            name: "storms without end",
            series: well(but: [("nfs_changes_overflows_total", "0+1x100")]), moment: "2h",
            firing: ["TrackerOverflows"]),
        AlertStory(
            name: "a walk without end", series: well(but: [("nfs_changes_walk_in_progress", "1x100")]),
            moment: "7h", firing: ["TrackerWalkEndless"]),
        AlertStory(
            name: "backups that stopped",
            series: well(but: [("nfs_changes_last_change_timestamp_seconds", "0x3000")]), moment: "200h",
            firing: ["TrackerSilent"]),
        AlertStory(
            name: "a consumer that nobody runs",
            series: well(but: [
                (labelled("consumer_oldest_pending_seconds", #"consumer="index""#), "0+300x3000")
            ]), moment: "30h", firing: ["ConsumerBehind"]),
        AlertStory(
            name: "a destination is told of by its own rules",
            series: well(but: [(labelled("consumer_oldest_pending_seconds", #"consumer="nas""#), "0+300x3000")]),
            moment: "30h", firing: []),
    ]
}

extension TrackerFigures {
    /// Every figure known.
    static var complete: TrackerFigures {
        var report = TrackerReport()
        report.version = "1.2.3"
        report.watchLimit = 524_288
        report.roots = [.init(path: Array("/srv/nfs/a-backup".utf8), state: .watched, directories: 3)]
        var figures = TrackerFigures(updated: .now, report: report)
        figures.store = StoreFigures(
            bytes: 1, historyBytes: 1, lastChange: .now,
            consumers: [.init(name: "index", isFullScan: false, pendingChanges: 0)])
        return figures
    }
}
