import ChangeStore
import LinuxKernel
import Metrics

/// Everything that the tracker tells Prometheus.
struct TrackerFigures: Sendable {
    /// The process is on its end.
    var isStopping = false
    var updated: Timestamp
    var report: TrackerReport
    /// Directories that cannot be read.
    var unreadable = 0
    var counts = PipelineFigures.Counts()
    /// How long the oldest line that is owed has waited, in nanoseconds; 0 without any.
    var oldestOwed: Int64 = 0
    /// nil: it could not be read.
    var store: StoreFigures?

    /// Metrics of this kind, by the last part of their name.
    private static func metric(_ name: String, as kind: Metric.Kind = .gauge, _ help: String) -> Metric {
        Metric("nfs_changes_\(name)", kind, help)
    }

    /// The figures for node_exporter's textfile collector. Of a tracker that ends nothing is left but that it did.
    var exposition: [UInt8] {
        var text = Exposition()
        text.add(Self.metric("up", "1: the tracker runs; 0: it was stopped."), .flag(!isStopping))
        text.add(
            Self.metric("updated_timestamp_seconds", "When these figures were taken, in seconds since 1970."),
            Self.seconds(updated))
        text.add(
            Self.metric("build_info", "1, with the version as its label."),
            [MetricSample([MetricLabel("version", report.version)], .integer(1))])
        guard !isStopping else { return text.bytes }
        addHealth(to: &text)
        addTree(to: &text)
        addChanges(to: &text)
        addLog(to: &text)
        if let store { add(store, to: &text) }
        return text.bytes
    }

    private func addHealth(to text: inout Exposition) {
        text.add(
            Self.metric("start_timestamp_seconds", "When the tracker was started, in seconds since 1970."),
            Self.seconds(report.startedAt))
        text.add(
            Self.metric("recording", "1: changes are recorded; 0: the store cannot be written."),
            .flag(report.phase != .notRecording))
        let kinds = report.degraded.map(DegradedKind.init)
        text.add(
            Self.metric("degraded_reasons", "Reasons by kind that weaken the promise; changes status has their text."),
            DegradedKind.allCases.map { kind in
                MetricSample(
                    [MetricLabel("reason", kind.rawValue)], .integer(Int64(kinds.count { $0 == kind })))
            })
        var walk = (isUnderWay: false, done: report.directories)
        if case .comparing(let directories) = report.phase { walk = (true, directories) }
        text.add(
            Self.metric("walk_in_progress", "1: the walk of the start, or after a reload, is not over."),
            .flag(walk.isUnderWay))
        text.add(
            Self.metric("walked_directories", "Directories that this walk has compared; all of them when it is over."),
            .integer(Int64(walk.done)))
    }

    private func addTree(to text: inout Exposition) {
        text.add(
            Self.metric("roots", "Roots by state."),
            [TrackerReport.Root.State.watched, .held, .missing].map { state in
                MetricSample(
                    [MetricLabel("state", state.rawValue)], .integer(Int64(report.roots.count { $0.state == state })))
            })
        text.add(Self.metric("directories", "Directories that are tracked."), .integer(Int64(report.directories)))
        text.add(Self.metric("watches", "Directories with a watch."), .integer(Int64(report.watches)))
        text.add(
            Self.metric("watches_limit", "Watches that the tracker's user may have (fs.inotify.max_user_watches)."),
            report.watchLimit.map { .integer(Int64($0)) })
        text.add(
            Self.metric("polled_directories", "Directories without a watch, which are polled."),
            .integer(Int64(report.polled)))
        text.add(
            Self.metric("unreadable_directories", "Directories that cannot be read."), .integer(Int64(unreadable)))
        text.add(
            Self.metric("overflows_total", as: .counter, "Times that events were lost, and everything was walked."),
            .integer(report.overflows))
    }

    private func addChanges(to text: inout Exposition) {
        // All roots there are, so that the first change is an increase.
        var roots = counts.changes
        for root in report.roots.prefix(PipelineFigures.mostRoots) where roots[root.path] == nil {
            roots[root.path] = RootChanges(root: root.path)
        }
        let samples = roots.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { path, changes in
            ChangeKind.allCases.map { kind in
                MetricSample(
                    [
                        MetricLabel("root", path.isEmpty ? "other" : OctalEscapes.display(path)),
                        MetricLabel("kind", kind.word),
                    ], .integer(changes[kind]))
            }
        }
        text.add(Self.metric("changes_total", as: .counter, "Changes that were recorded, by root and kind."), samples)
        text.add(
            Self.metric("log_delay_seconds", as: .histogram, "From the event to the line in the log, for each change."),
            counts.delay.histogram)
    }

    private func addLog(to text: inout Exposition) {
        text.add(
            Self.metric("log_owed_lines", "Lines that are recorded and not in the log yet."), .integer(report.log.owed))
        text.add(
            Self.metric("log_oldest_owed_seconds", "How long the oldest of them has waited; 0 if none does."),
            .seconds(nanoseconds: oldestOwed))
    }

    private func add(_ store: StoreFigures, to text: inout Exposition) {
        text.add(Self.metric("store_bytes", "Size of the store's files."), .integer(store.bytes))
        text.add(
            Self.metric("history_bytes", "History in the store, as max_size counts it."), .integer(store.historyBytes))
        text.add(
            Self.metric("last_change_timestamp_seconds", "When the last change was recorded, in seconds since 1970."),
            store.lastChange.map(Self.seconds))
        func samples(_ value: (StoreFigures.ConsumerFigures) -> MetricValue?) -> [MetricSample] {
            store.consumers.compactMap { consumer in
                value(consumer).map { MetricSample([MetricLabel("consumer", consumer.name)], $0) }
            }
        }
        text.add(
            Self.metric("consumer_full_scan", "1: the consumer is given everything, next or now."),
            samples { .flag($0.isFullScan) })
        text.add(
            Self.metric(
                "consumer_pending_changes", "Changes that the consumer has not been given; absent in a full scan."),
            samples { $0.pendingChanges.map(MetricValue.integer) })
        text.add(
            Self.metric("consumer_oldest_pending_seconds", "How long the oldest of them has waited; 0 if none does."),
            samples { consumer in
                guard consumer.pendingChanges != nil else { return nil }
                return .seconds(
                    nanoseconds: consumer.oldestPending.map { updated.nanoseconds - $0.nanoseconds } ?? 0)
            })
    }

    private static func seconds(_ moment: Timestamp) -> MetricValue { .integer(moment.nanoseconds / 1_000_000_000) }
}
