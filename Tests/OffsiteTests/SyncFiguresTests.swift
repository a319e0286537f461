import LinuxKernel
import Testing

@testable import Offsite

extension SyncFigures {
    /// Every figure known.
    static var complete: SyncFigures {
        var figures = SyncFigures(job: "nfs-offsite-sync", destination: "synology")
        figures.recordSuccess(
            at: Timestamp(seconds: 1_790_000_000, nanoseconds: 999_999_999), took: .milliseconds(12_005))
        figures.pendingPaths = 3
        figures.pendingBytes = 9_007_199_254_740_993
        figures.oldestPending = .seconds(90)
        figures.quarantinedPaths = 0
        figures.heldDeletions = 7
        figures.heldOverwrites = 2
        figures.availableBytes = 1_000
        figures.sizeBytes = 2_000
        figures.minFreeBytes = 100
        figures.driftPaths = 1
        figures.orphanPaths = 12
        figures.firstCopy = .complete
        figures.heartbeat = Timestamp(seconds: 1_790_000_007, nanoseconds: 1)
        figures.endsAfterRun = false
        figures.isPushFailing = true
        return figures
    }

    var text: String { String(decoding: exposition, as: UTF8.self) }
}

@Suite struct SyncFiguresTests {
    @Test func everyFigureByteForByte() {
        #expect(
            SyncFigures.complete.text == """
                backup_last_success_timestamp{job="nfs-offsite-sync",destination="synology"} 1790000000
                backup_duration_seconds{job="nfs-offsite-sync",destination="synology"} 12.005
                # HELP offsite_sync_last_status How the last run ended: 0 well, 1 not.
                # TYPE offsite_sync_last_status gauge
                offsite_sync_last_status{job="nfs-offsite-sync",destination="synology"} 0
                # HELP offsite_pending_paths Changed paths that are not yet copied.
                # TYPE offsite_pending_paths gauge
                offsite_pending_paths{job="nfs-offsite-sync",destination="synology"} 3
                # HELP offsite_pending_bytes Bytes that are not yet copied.
                # TYPE offsite_pending_bytes gauge
                offsite_pending_bytes{job="nfs-offsite-sync",destination="synology"} 9007199254740993
                # HELP offsite_oldest_pending_seconds How long the oldest pending path has waited; 0 if none does.
                # TYPE offsite_oldest_pending_seconds gauge
                offsite_oldest_pending_seconds{job="nfs-offsite-sync",destination="synology"} 90.000
                # HELP offsite_quarantined_paths Paths that could not be copied and are tried again slowly.
                # TYPE offsite_quarantined_paths gauge
                offsite_quarantined_paths{job="nfs-offsite-sync",destination="synology"} 0
                # HELP offsite_held_deletions Deletions that wait for --allow-deletes.
                # TYPE offsite_held_deletions gauge
                offsite_held_deletions{job="nfs-offsite-sync",destination="synology"} 7
                # HELP offsite_held_overwrites Overwritten files that wait for --allow-overwrites.
                # TYPE offsite_held_overwrites gauge
                offsite_held_overwrites{job="nfs-offsite-sync",destination="synology"} 2
                # HELP offsite_dest_available_bytes Bytes available at the destination.
                # TYPE offsite_dest_available_bytes gauge
                offsite_dest_available_bytes{job="nfs-offsite-sync",destination="synology"} 1000
                # HELP offsite_dest_size_bytes Size of the destination's file system.
                # TYPE offsite_dest_size_bytes gauge
                offsite_dest_size_bytes{job="nfs-offsite-sync",destination="synology"} 2000
                # HELP offsite_dest_min_free_bytes Bytes that must stay available at the destination.
                # TYPE offsite_dest_min_free_bytes gauge
                offsite_dest_min_free_bytes{job="nfs-offsite-sync",destination="synology"} 100
                # HELP offsite_drift_paths Paths that differed at the last verification.
                # TYPE offsite_drift_paths gauge
                offsite_drift_paths{job="nfs-offsite-sync",destination="synology"} 1
                # HELP offsite_orphan_paths Paths at the destination that are no longer copied.
                # TYPE offsite_orphan_paths gauge
                offsite_orphan_paths{job="nfs-offsite-sync",destination="synology"} 12
                # HELP offsite_first_copy How far the first copy is: 0 not begun, 1 under way, 2 complete.
                # TYPE offsite_first_copy gauge
                offsite_first_copy{job="nfs-offsite-sync",destination="synology"} 2
                # HELP offsite_worker_heartbeat_timestamp When these figures were taken, in seconds since 1970.
                # TYPE offsite_worker_heartbeat_timestamp gauge
                offsite_worker_heartbeat_timestamp{job="nfs-offsite-sync",destination="synology"} 1790000007
                # HELP offsite_worker_once 1: the worker ends after a run (--once); 0: it goes on (--watch).
                # TYPE offsite_worker_once gauge
                offsite_worker_once{job="nfs-offsite-sync",destination="synology"} 0
                # HELP offsite_metrics_push_failed 1: the last push to the Pushgateway failed; 0: it did not.
                # TYPE offsite_metrics_push_failed gauge
                offsite_metrics_push_failed{job="nfs-offsite-sync",destination="synology"} 1

                """)
    }

    @Test func whatIsNotKnownIsLeftOut() {
        var figures = SyncFigures(job: "j", destination: "d")
        #expect(figures.exposition.isEmpty)
        figures.pendingPaths = 0
        #expect(
            figures.text == """
                # HELP offsite_pending_paths Changed paths that are not yet copied.
                # TYPE offsite_pending_paths gauge
                offsite_pending_paths{job="j",destination="d"} 0

                """)
    }

    @Test func aFailureNeverMovesTheLastSuccess() {
        var figures = SyncFigures(job: "j", destination: "d")
        figures.recordFailure(took: .seconds(1))
        #expect(!figures.text.contains("backup_last_success_timestamp"))
        #expect(figures.text.contains("offsite_sync_last_status{job=\"j\",destination=\"d\"} 1\n"))

        figures.recordSuccess(at: Timestamp(seconds: 100, nanoseconds: 0), took: .seconds(2))
        figures.recordFailure(took: .seconds(3))
        #expect(figures.text.contains("backup_last_success_timestamp{job=\"j\",destination=\"d\"} 100\n"))
        #expect(figures.text.contains("backup_duration_seconds{job=\"j\",destination=\"d\"} 3.000\n"))
        #expect(figures.text.contains("offsite_sync_last_status{job=\"j\",destination=\"d\"} 1\n"))

        var restarted = SyncFigures(job: "j", destination: "d", lastSuccess: figures.lastSuccess)
        restarted.recordFailure(took: .seconds(4))
        #expect(restarted.text.contains("backup_last_success_timestamp{job=\"j\",destination=\"d\"} 100\n"))
    }

    @Test func `what an earlier process left is no run of this one`() {
        var figures = SyncFigures(job: "j", destination: "d", lastSuccess: Timestamp(seconds: 9, nanoseconds: 0))
        figures.recordEarlier(.failure)
        #expect(figures.text.contains("offsite_sync_last_status{job=\"j\",destination=\"d\"} 1\n"))
        #expect(figures.text.contains("backup_last_success_timestamp{job=\"j\",destination=\"d\"} 9\n"))
        #expect(!figures.text.contains("backup_duration_seconds"))
    }

    @Test func labelsAreEscaped() {
        var figures = SyncFigures(job: "a\"b\\c\nd\r\u{1B}é{}", destination: "\r\n")
        figures.driftPaths = 1
        #expect(figures.text.hasSuffix("{job=\"a\\\"b\\\\c\\nd\r\u{1B}é{}\",destination=\"\r\\n\"} 1\n"))
    }

    @Test func aClockThatSteppedBackIsNoWait() {
        var figures = SyncFigures(job: "j", destination: "d")
        figures.oldestPending = .seconds(-5)
        #expect(figures.text.hasSuffix(" 0.000\n"))
    }

    @Test(arguments: [
        ("nfs-offsite-sync", "synology", "/metrics/job/nfs-offsite-sync/destination/synology"),
        ("a/b", "aä b", "/metrics/job@base64/YS9i/destination@base64/YcOkIGI"),
        ("..", "-x", "/metrics/job@base64/Li4/destination@base64/LXg"),
        ("", "??>", "/metrics/job@base64/=/destination@base64/Pz8-"),
        ("%2F", "?a=b#c", "/metrics/job@base64/JTJG/destination@base64/P2E9YiNj"),
    ])
    func groupingKeys(_ job: String, _ destination: String, _ path: String) {
        #expect(GroupingKey.path(job: job, destination: destination) == path)
    }
}
