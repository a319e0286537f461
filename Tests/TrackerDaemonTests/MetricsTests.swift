import ChangeStore
import Glibc
import LinuxKernel
import Logging
import Metrics
import Synchronization
import Testing

@testable import TrackerDaemon

private func at(milliseconds: Int64) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
}

@Suite struct DelayMeterTests {
    @Test func `a change counts from its first event to its line`() {
        var meter = DelayMeter()
        meter.committed(through: 3, rows: 3, since: at(milliseconds: 0))
        meter.committed(through: 7, rows: 2, since: at(milliseconds: 400))
        #expect(meter.oldest == at(milliseconds: 0))
        meter.appended(through: 3, at: at(milliseconds: 150))
        #expect(meter.oldest == at(milliseconds: 400))
        meter.appended(through: 7, at: at(milliseconds: 2_400))
        #expect(meter.oldest == nil)
        #expect(meter.histogram.counts == [0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0])
        #expect(meter.histogram.sum == 3 * 150_000_000 + 2 * 2_000_000_000)
    }

    @Test func `a log that is away for long costs no memory and forgets no change`() {
        var meter = DelayMeter()
        for sequence in 1...5_000 {
            meter.committed(through: Int64(sequence), rows: 1, since: at(milliseconds: Int64(sequence)))
        }
        #expect(meter.oldest == at(milliseconds: 1))
        meter.appended(through: 5_000, at: at(milliseconds: 6_000))
        #expect(meter.histogram.counts.reduce(0, +) == 5_000 && meter.oldest == nil)
    }

    @Test func `another store begins its numbers anew`() {
        var meter = DelayMeter()
        meter.committed(through: 900, rows: 1, since: at(milliseconds: 0))
        meter.committed(through: 2, rows: 2, since: at(milliseconds: 10))
        meter.appended(through: 2, at: at(milliseconds: 20))
        #expect(meter.oldest == nil && meter.histogram.counts.reduce(0, +) == 2)
    }
}

@Suite struct TrackerFiguresTests {
    private var figures: TrackerFigures {
        var report = TrackerReport()
        report.version = "9.8.7"
        report.startedAt = Timestamp(seconds: 1_790_000_000, nanoseconds: 5)
        report.degraded = [
            "root /x is missing: mount or restore it, or run: changes accept /x",
            "root /y is missing: mount or restore it, or run: changes accept /y", "something new",
        ]
        report.roots = [
            .init(path: Array("/srv/a\"\n".utf8) + [0xFF], state: .watched, directories: 17),
            .init(path: Array("/x".utf8), state: .missing, directories: 1),
        ]
        (report.directories, report.watches, report.watchLimit, report.polled) = (18, 17, 524_288, 1)
        report.overflows = 2
        report.log.owed = 4
        var figures = TrackerFigures(updated: Timestamp(seconds: 1_790_000_100, nanoseconds: 0), report: report)
        figures.unreadable = 3
        figures.oldestOwed = 1_500_000_000
        var changes = RootChanges(root: Array("/x".utf8))
        changes[.modified] = 5
        figures.counts.changes[changes.root] = changes
        figures.counts.delay.committed(through: 1, rows: 1, since: at(milliseconds: 0))
        figures.counts.delay.appended(through: 1, at: at(milliseconds: 180))
        return figures
    }

    private func text(_ figures: TrackerFigures) -> String { String(decoding: figures.exposition, as: UTF8.self) }

    @Test func `every figure has its line`() {
        let text = text(figures)
        for line in [
            "nfs_changes_up 1", "nfs_changes_updated_timestamp_seconds 1790000100",
            "nfs_changes_build_info{version=\"9.8.7\"} 1", "nfs_changes_start_timestamp_seconds 1790000000",
            "nfs_changes_recording 1", "nfs_changes_degraded_reasons{reason=\"missing\"} 2",
            "nfs_changes_degraded_reasons{reason=\"other\"} 1", "nfs_changes_degraded_reasons{reason=\"held\"} 0",
            "nfs_changes_walk_in_progress 0", "nfs_changes_walked_directories 18",
            "nfs_changes_roots{state=\"watched\"} 1", "nfs_changes_roots{state=\"held\"} 0",
            "nfs_changes_roots{state=\"missing\"} 1", "nfs_changes_directories 18", "nfs_changes_watches 17",
            "nfs_changes_watches_limit 524288", "nfs_changes_polled_directories 1",
            "nfs_changes_unreadable_directories 3", "nfs_changes_overflows_total 2",
            "nfs_changes_changes_total{root=\"/x\",kind=\"modified\"} 5",
            "nfs_changes_changes_total{root=\"/srv/a\\\"\\\\012\u{FFFD}\",kind=\"created\"} 0",
            "nfs_changes_log_delay_seconds_bucket{le=\"0.1\"} 0", "nfs_changes_log_delay_seconds_bucket{le=\"0.2\"} 1",
            "nfs_changes_log_delay_seconds_bucket{le=\"+Inf\"} 1", "nfs_changes_log_delay_seconds_sum 0.180",
            "nfs_changes_log_delay_seconds_count 1", "nfs_changes_log_owed_lines 4",
            "nfs_changes_log_oldest_owed_seconds 1.500",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)\n\(text)")
        }
        #expect(!text.contains("nfs_changes_store_bytes"))
    }

    @Test func `a walk shows how far it is`() {
        var walking = figures
        walking.report.phase = .comparing(directories: 7)
        #expect(text(walking).contains("\nnfs_changes_walk_in_progress 1\n"))
        #expect(text(walking).contains("\nnfs_changes_walked_directories 7\n"))
        // About to end.
        walking.report.phase = .comparing(directories: 18)
        #expect(text(walking).contains("\nnfs_changes_walk_in_progress 1\n"))
        walking.report.phase = .notRecording
        #expect(text(walking).contains("\nnfs_changes_recording 0\n"))
    }

    @Test func `a tracker that ends says so and nothing else`() {
        var ending = figures
        ending.isStopping = true
        #expect(text(ending).contains("\nnfs_changes_up 0\n"))
        #expect(!text(ending).contains("nfs_changes_directories"))
    }

    @Test(arguments: [
        ("not recording: disk full", DegradedKind.notRecording), ("log: 3 lines owed, cannot append", .log),
        ("stuck: tracker, for 45 s", .stuck), ("waiting for disk: changelog, for 45 s", .waitingForDisk),
        ("3 directories have no watch and are polled: sysctl", .polled),
        ("/srv has no watch and is polled for new roots: sysctl", .polled),
        ("root /a is missing: mount or restore it, or run: changes accept /a", .missing),
        ("mount point /a/b is missing: mount it, or run: changes accept /a/b", .missing),
        ("/a is held, another file system or directory is there: mount", .held),
        ("/a is on \(ForeignRoots.description) and is not tracked: \(ForeignRoots.remedy)", .foreign),
        ("/a cannot be read: roots in it stay unknown; see the journal", .unreadable),
        ("2 directories cannot be read: see the journal", .unreadable),
        ("metrics: not written to /x (No such file or directory): make it", .metrics), ("anything", .other),
    ])
    func `reasons have a kind that does not change with names`(_ reason: String, _ kind: DegradedKind) {
        #expect(DegradedKind(reason) == kind)
    }

    @Test func `roots beyond the limit are counted together`() {
        let pipeline = PipelineFigures()
        for number in 0..<(2 * PipelineFigures.mostRoots) {
            var changes = RootChanges(root: Array("/r\(number)".utf8))
            changes[.created] = 1
            pipeline.add([changes])
            pipeline.add([changes])
        }
        let counts = pipeline.snapshot.changes
        #expect(counts.count <= PipelineFigures.mostRoots + 1)
        #expect(counts.values.reduce(0) { $0 + $1[.created] } == Int64(4 * PipelineFigures.mostRoots))
        #expect(counts[Array("/r0".utf8)]?[.created] == 2)
    }
}

@Suite struct MetricsThreadTests {
    private func figures(_ isStopping: Bool) -> TrackerFigures {
        TrackerFigures(isStopping: isStopping, updated: .now, report: TrackerReport())
    }

    private func thread(in directory: [UInt8]) throws -> MetricsThread {
        try MetricsThread(directory: directory, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            figures($0)
        }
    }

    @Test func `a directory that is missing is a reason and none once it is there`() throws {
        let scratch = try Scratch()
        let directory = scratch.bytes + Array("/missing".utf8)
        let metrics = try thread(in: directory)
        metrics.start()
        #expect(eventually { metrics.reasons.first?.hasPrefix("metrics: not written to ") ?? false })
        try FileSystemLook.makeDirectory(directory)
        metrics.stop()
        #expect(eventually { metrics.reasons.isEmpty })
        let text = try OwnedDescriptor.open(MetricsThread.path(in: directory), flags: O_RDONLY).readToEnd()
        #expect(String(decoding: text, as: UTF8.self).contains("\nnfs_changes_up 0\n"))
    }

    @Test func `another directory takes the file along`() throws {
        let scratch = try Scratch()
        let other = try Scratch()
        let metrics = try thread(in: scratch.bytes)
        metrics.start()
        #expect(eventually { FileSystemLook.exists(MetricsThread.path(in: scratch.bytes)) })
        metrics.reconfigure(directory: other.bytes)
        #expect(eventually { FileSystemLook.exists(MetricsThread.path(in: other.bytes)) })
        #expect(eventually { !FileSystemLook.exists(MetricsThread.path(in: scratch.bytes)) })
        metrics.reconfigure(directory: nil)
        #expect(eventually { !FileSystemLook.exists(MetricsThread.path(in: other.bytes)) })
        metrics.stop()
        #expect(!FileSystemLook.exists(MetricsThread.path(in: other.bytes)))
    }

    @Test func `a directory that does not answer holds up no stop`() throws {
        let scratch = try Scratch()
        let gate = Gate()
        let metrics = try MetricsThread(
            directory: scratch.bytes, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { isStopping in
            gate.wait()
            return figures(isStopping)
        }
        metrics.start()
        let start = MonotonicTime.now
        metrics.stop()
        #expect(MonotonicTime.now - start < 2_000_000_000)
        gate.open()
    }

    /// Closed until it is opened.
    private final class Gate: Sendable {
        private let isOpen = Atomic(false)
        func wait() { while !isOpen.load(ordering: .acquiring) { usleep(1_000) } }
        func open() { isOpen.store(true, ordering: .releasing) }
    }
}
