import ChangeStore
import Changelog
import Glibc
import LinuxKernel
public import Logging
import Synchronization
import SystemPackage
import SystemdSupport

/// The tracker as a process: starts its threads in order, answers signals and the service manager, stops them in order.
public final class TrackerProcess {
    private let log: Logger
    private let reload: @Sendable () throws -> TrackerSettings
    private var settings: TrackerSettings
    private let notifier: ServiceNotifier
    /// Rung when the notifier has something left to send.
    private let bell: Bell?
    private let readiness = Readiness()

    /// - Parameter reload: reads the settings anew, for SIGHUP.
    public init(
        settings: TrackerSettings, log: Logger, reload: @escaping @Sendable () throws -> TrackerSettings
    ) {
        self.settings = settings
        self.log = log
        self.reload = reload
        let bell = try? Bell()
        self.bell = bell
        notifier = ServiceNotifier(pause: 1_000_000_000) { bell?.wakeUp.signal() }
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// - Throws: `TrackerStartError` when it cannot start.
    public func run() throws(TrackerStartError) {
        // A reader of standard error that goes away must not take the tracker along.
        signal(SIGPIPE, SIG_IGN)
        // The store and the log tell names that not everybody may read.
        umask(0o027)
        StandardError.limitWaiting(milliseconds: 200)
        let signals = try systemPart("signalfd") { () throws(Errno) in try SignalQueue([SIGTERM, SIGINT, SIGHUP]) }
        let files = StoreFiles(directory: settings.stateDirectory)
        try prepare(files)
        let lock = try takeLock(files)
        let store = try openStore(files)
        let parts = try assemble(store, files)
        parts.metrics.start()
        parts.reader.start()
        parts.tracker.start(with: store)
        let control = startControl(parts)
        watch(signals, parts)
        stop(parts, control)
        withExtendedLifetime(lock) {}
    }

    /// The threads and what they share.
    struct Parts {
        let inbox: Inbox
        let reader: EventReader
        let tracker: TrackerThread
        let changelog: ChangelogSlot
        let checkpoint: CheckpointThread
        let board: StatusBoard
        let metrics: MetricsThread
    }

    // MARK: Starting

    private func prepare(_ files: StoreFiles) throws(TrackerStartError) {
        do throws(Errno) {
            try FileSystemLook.makeDirectory(files.directory)
        } catch {
            throw TrackerStartError(
                .other,
                "the state directory \(text(files.directory)) cannot be made (\(error)): "
                    + "make it, or name another one with --state")
        }
    }

    private func takeLock(_ files: StoreFiles) throws(TrackerStartError) -> FileLock {
        do throws(Errno) {
            return try FileLock(path: files.lock)
        } catch {
            guard error == .wouldBlock else {
                throw TrackerStartError(
                    .other, "the lock \(text(files.lock)) cannot be taken (\(error)): check its permissions")
            }
            throw TrackerStartError(
                .alreadyRunning,
                "another tracker runs on \(text(files.directory)): stop it, or name another state directory with --state"
            )
        }
    }

    private func openStore(_ files: StoreFiles) throws(TrackerStartError) -> Store {
        do throws(StoreError) {
            return try StoreKeeper.open(files, log: log)
        } catch {
            if case .newerSchema = error.reason { throw TrackerStartError(.newerStore, "\(error)") }
            throw TrackerStartError(.other, "\(error)")
        }
    }

    private func assemble(_ store: Store, _ files: StoreFiles) throws(TrackerStartError) -> Parts {
        let log = log
        let notifier = notifier
        let readiness = readiness
        let figures = PipelineFigures()
        let changelog = ChangelogSlot(settings: settings, log: log, figures: figures)
        let board = StatusBoard(
            stateDirectory: files.directory, log: { changelog.report }, changelogReasons: { changelog.reasons })
        changelog.onChange { notifier.status(board.sentence) }
        let instance: InotifyInstance
        do throws(Errno) {
            instance = try InotifyInstance()
        } catch {
            throw TrackerStartError(
                .other,
                "inotify is not to be had (\(error)): raise fs.inotify.max_user_instances with sysctl, or stop what uses them"
            )
        }
        do throws(Errno) {
            let inbox = try Inbox()
            let reader = try EventReader(instance: instance, inbox: inbox)
            let checkpoint = try CheckpointThread(files: files, log: log)
            let tracker = TrackerThread(
                inbox: inbox,
                shared: TrackerThread.Shared(
                    instance: instance, files: files, settings: settings, log: log, figures: figures,
                    onStatus: { status, changes in
                        board.update(status, changes: changes)
                        if status.walked != nil { notifier.extendTimeout(nanoseconds: 60_000_000_000) }
                        notifier.status(board.sentence)
                    },
                    onReady: {
                        readiness.note()
                        notifier.ready(status: board.sentence)
                    },
                    checkpoint: { checkpoint.wake() },
                    onCommit: { uuid, sequence, isGrowing in
                        changelog.wake(store: uuid, through: sequence, isGrowing: isGrowing)
                    },
                    onMounts: { changelog.retryNow() }, changelogPosition: { changelog.position }))
            let collector = FigureCollector(
                board: board, changelog: changelog, pipeline: figures, stateDirectory: files.directory)
            let metrics = try MetricsThread(directory: settings.metricsDirectory, log: log) {
                collector.figures(isStopping: $0)
            }
            board.addReasons { metrics.reasons }
            return Parts(
                inbox: inbox, reader: reader, tracker: tracker, changelog: changelog, checkpoint: checkpoint,
                board: board, metrics: metrics)
        } catch {
            throw TrackerStartError(.other, "the tracker's threads cannot be set up: \(error)")
        }
    }

    private func systemPart<Part: ~Copyable>(
        _ name: String, _ make: () throws(Errno) -> Part
    ) throws(TrackerStartError) -> Part {
        do throws(Errno) { return try make() } catch { throw TrackerStartError(.other, "\(name): \(error)") }
    }

    private func startControl(_ parts: Parts) -> ControlServer? {
        let board = parts.board
        let reader = parts.reader
        let inbox = parts.inbox
        do throws(ControlError) {
            return try ControlServer(
                stateDirectory: settings.stateDirectory, runtimeDirectory: runtimeDirectory
            ) { request, reply in
                switch request {
                case .status: reply(.ok(board.report.text))
                case .settle:
                    reader.passAfterDraining(
                        .settle { result in
                            switch result {
                            case .success(let unsettled): reply(.ok(unsettled.joined(separator: "\n")))
                            case .failure(let error): reply(.error(error.reason))
                            }
                        })
                case .accept(let path):
                    inbox.put(
                        .accept(path) { result in
                            switch result {
                            case .success(let done): reply(.ok(done))
                            case .failure(let error): reply(.error(error.reason))
                            }
                        })
                }
            }
        } catch {
            log.error(
                "no control socket: changes accept and verify index will not reach this tracker",
                metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// What systemd made for this service (systemd.exec(5), RuntimeDirectory=); nil without.
    private var runtimeDirectory: [UInt8]? {
        let given = ProcessContext.environmentVariable("RUNTIME_DIRECTORY")
        return given == ControlServer.runtimeDirectory ? given : nil
    }

    // MARK: Running

    /// Waits for signals, judges the pipeline, and pings the watchdog while it moves.
    private func watch(_ signals: borrowing SignalQueue, _ parts: Parts) {
        guard let poll = try? EventPoll(), (try? poll.add(signals.descriptor.number, for: .readable, tag: 0)) != nil
        else { return }
        var watchdog = Watchdog(interval: ServiceNotifier.watchdogInterval)
        let timer = try? Timer(period: watchdog.period)
        if let timer { try? poll.add(timer.timer.descriptor.number, for: .readable, tag: 1) }
        if let bell { try? poll.add(bell.wakeUp.descriptor.number, for: .readable, tag: 2) }
        var isOwing = false
        while true {
            guard let ready = try? poll.wait(milliseconds: isOwing ? 1_000 : nil) else { continue }
            if isOwing { isOwing = notifier.flush() }
            for (tag, _) in ready {
                if tag == 1 {
                    timer?.timer.clear()
                    watchdog.look(at: parts, notifier: notifier, log: log)
                    continue
                }
                if tag == 2 {
                    bell?.wakeUp.clear()
                    isOwing = true
                    continue
                }
                while let signal = signals.next() {
                    if signal != SIGHUP { return }
                    takeOverSettings(parts)
                }
            }
        }
    }

    /// A class, so that it can be optional and outlive the closure.
    private final class Bell: Sendable {
        let wakeUp: WakeUp
        init() throws(Errno) { wakeUp = try WakeUp() }
    }

    private final class Timer {
        let timer: PeriodicTimer
        init(period: Int64) throws(Errno) { timer = try PeriodicTimer(nanoseconds: period) }
    }

    private func takeOverSettings(_ parts: Parts) {
        if readiness.isReady { notifier.reloading(status: "rereading the configuration") }
        do {
            let new = try reload()
            if new.stateDirectory != settings.stateDirectory {
                log.warning("[store] directory is taken over by a restart only")
            }
            if new.retention != settings.retention {
                log.warning("[store] keep, max_size and max_size_hard are taken over by a restart only")
            }
            settings.logPath = new.logPath
            settings.requireMount = new.requireMount
            parts.changelog.reconfigure(new)
            parts.changelog.retryNow()
            parts.metrics.reconfigure(directory: new.metricsDirectory)
            parts.inbox.put(.reload(new.engine))
            log.notice("the configuration was read again")
        } catch {
            log.error("the configuration has errors: the old one stays in force", metadata: ["error": "\(error)"])
            if readiness.isReady { notifier.ready(status: parts.board.sentence) }
        }
    }

    /// Whether the start is over. Before that there is nothing to reload in the service manager's eyes, and a reload that
    /// fails must not end the start.
    private final class Readiness: Sendable {
        private let state = Atomic(false)
        var isReady: Bool { state.load(ordering: .acquiring) }
        func note() { state.store(true, ordering: .releasing) }
    }

    // MARK: Stopping

    private func stop(_ parts: Parts, _ control: ControlServer?) {
        notifier.stopping(status: "finishing")
        control?.stop()
        parts.reader.passAfterDraining(.stop)
        parts.tracker.join()
        parts.reader.stop()
        parts.checkpoint.stop()
        if !parts.changelog.stop(deadline: MonotonicTime.now.advanced(milliseconds: 1_000)) {
            log.warning("the log's disk does not answer: what is owed is appended after the next start")
        }
        parts.metrics.stop()
        log.info("stopped")
    }

    private func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
}
