import Changelog
import LinuxKernel
import Logging
import Synchronization
import SystemPackage

/// The changelog's writer for the store that is in use: a store that was set aside takes its writer along.
final class ChangelogSlot: Sendable {
    private struct Current {
        var settings: TrackerSettings
        var store: String?
        var writer: ChangelogWriter?
        /// Why there is no writer.
        var failure: String?
    }
    private let current: Mutex<Current>
    private let log: Logger
    private let figures: PipelineFigures
    private let listener = Mutex<@Sendable () -> Void>({})

    init(settings: TrackerSettings, log: Logger, figures: PipelineFigures) {
        current = Mutex(Current(settings: settings))
        self.log = log
        self.figures = figures
    }

    /// Rows up to `sequence` are committed in the store with this UUID.
    ///
    /// - Parameter isGrowing: a new directory is among those since the last call.
    func wake(store: String, through sequence: Int64, isGrowing: Bool) {
        let writer = current.withLock { current -> ChangelogWriter? in
            if current.store != store || current.writer == nil { open(store, &current) }
            return current.writer
        }
        writer?.wake(through: sequence, isGrowing: isGrowing)
    }

    private func open(_ store: String, _ current: inout Current) {
        current.store = store
        let stateDirectory = current.settings.stateDirectory
        let log = log
        let listener = listener.withLock { $0 }
        let figures = figures
        if let former = ChangelogPosition.ofAnotherStore(than: store, in: stateDirectory) {
            log.critical(
                "the store is a new one: what changed between the last line of the log and its baseline is not in the log",
                metadata: [
                    "former": "\(former.store)", "store": "\(store)",
                    "remedy": "whatever consumes the log has to compare everything once",
                ])
        }
        do throws(Errno) {
            current.writer = try ChangelogWriter(
                ChangelogSettings(
                    path: current.settings.logPath, requireMount: current.settings.requireMount,
                    stateDirectory: stateDirectory, store: store, firstPosition: 0),
                source: { try ChangelogFeed(stateDirectory: stateDirectory) },
                onAppend: { figures.appended(through: $0) },
                onStateChange: { transition in
                    switch transition {
                    case .failing(let failure):
                        log.error(
                            "the log cannot be written; what is owed is appended later",
                            metadata: ["error": "\(failure)"])
                    case .recovered: log.notice("the log is written again, and nothing is owed")
                    }
                    listener()
                })
            current.failure = nil
        } catch {
            if current.failure == nil {
                log.error("the log's position cannot be kept in the state directory", metadata: ["errno": "\(error)"])
            }
            current.failure = "log: its position cannot be kept in the state directory (\(error))"
        }
    }

    func reconfigure(_ settings: TrackerSettings) {
        let writer = current.withLock { current in
            current.settings = settings
            return current.writer
        }
        writer?.reconfigure(path: settings.logPath, requireMount: settings.requireMount)
    }

    /// What kept the log from being written may be gone.
    func retryNow() { current.withLock { $0.writer }?.retryNow() }

    /// Has `body` called when the log's health changes. Before the first `wake`.
    func onChange(_ body: @escaping @Sendable () -> Void) { listener.withLock { $0 = body } }

    /// What is wrong with the log, with its remedy.
    var reasons: [String] {
        let (writer, failure) = current.withLock { ($0.writer, $0.failure) }
        var reasons = failure.map { [$0] } ?? []
        if case .owed(let lines, _, let reason)? = writer?.state.health {
            reasons.append(
                lines > 0 ? "log: \(lines) \(lines == 1 ? "line" : "lines") owed, \(reason)" : "log: \(reason)")
        }
        return reasons
    }

    /// Where the log stands.
    var report: TrackerReport.Log {
        let (settings, state) = current.withLock { ($0.settings, $0.writer?.state) }
        var report = TrackerReport.Log()
        report.path = settings.logPath
        report.position = state?.syncedSequence ?? 0
        if case .owed(let lines, _, _)? = state?.health { report.owed = lines }
        return report
    }

    /// Rows that are not in the log yet, and since when they cannot be written; nil: nothing is in their way.
    var debt: (lines: Int64, since: MonotonicTime?) {
        guard let state = current.withLock({ $0.writer })?.state else { return (0, nil) }
        if case .owed(_, let since, _) = state.health { return (state.owedLines, since) }
        return (state.owedLines, nil)
    }

    /// Up to where every row is durably in the log.
    var position: Int64 { current.withLock { $0.writer }?.state.syncedSequence ?? 0 }

    var heartbeat: Heartbeat.Snapshot {
        guard let state = current.withLock({ $0.writer })?.state else {
            return Heartbeat.Snapshot(lastProgress: nil, isBusy: false, thread: 0)
        }
        var isBusy = false
        if case .working = state.activity { isBusy = true }
        return Heartbeat.Snapshot(lastProgress: state.heartbeat, isBusy: isBusy, thread: state.threadIdentifier)
    }

    /// Appends what is there and ends.
    ///
    /// - Returns: false when the disk did not answer in time.
    func stop(deadline: MonotonicTime) -> Bool {
        current.withLock { $0.writer }?.drainAndStop(deadline: deadline) ?? true
    }
}
