import ChangeStore
import LinuxKernel
import Logging
import Offsite
import SystemPackage
import SystemdSupport
import TrackerDaemon
import Tracking

/// One run for one destination, with everything that is known on this side of it.
struct SyncWorker {
    private let configuration: Configuration
    private let destination: DestinationSettings
    private let consumer: Consumer
    private let voice: SyncVoice
    private let figures: SyncFiguresReporter
    let context: SyncContext

    /// - Throws: `CommandFailure` when a pattern cannot be used.
    init(
        _ configuration: Configuration, _ destination: DestinationSettings, consumer: Consumer,
        stop: any StopSignal, voice: SyncVoice, notifier: ServiceNotifier?
    ) throws {
        self.configuration = configuration
        self.destination = destination
        self.consumer = consumer
        self.voice = voice
        let state = configuration.store.directory
        let figures = SyncFiguresReporter(configuration.metrics, destination, stop: stop)
        self.figures = figures
        let scope = SourceScope(source: destination.source, isExcluded: try Self.exclusion(destination))
        context = SyncContext(
            stateDirectory: state, consumer: consumer, machine: MachineIdentity.own, scope: scope, stop: stop,
            settle: { try settleIfRunning(in: state, stop: stop) { notifier?.ping() } }, tell: { voice.tell($0) },
            heartbeat: { notifier?.ping() }, progress: voice.isOnTerminal ? { voice.showProgress($0) } : nil,
            planned: { voice.show($0) }, roomFound: { figures.room = $0 })
    }

    /// - Throws: `CommandFailure`.
    func run(_ options: SyncOptions) throws -> SyncReport {
        let start = MonotonicTime.now
        do {
            if SyncSwitch.isPaused(consumer) { return sayPaused() }
            let report = try SyncRun(destination, context: context, options: options).run()
            if !options.dryRun { try conclude(report, start) }
            voice.summarize(report, dryRun: options.dryRun)
            return report
        } catch SyncFailure.interrupted {
            if SyncSwitch.isPaused(consumer) { return sayPaused() }
            throw CommandFailure(SyncFailure.interrupted)
        } catch {
            let failure =
                switch error {
                case let failure as SyncFailure: CommandFailure(failure)
                case let error as StoreError: ChangesCommands.failure(of: error, in: configuration.store.directory)
                case let failure as CommandFailure: failure
                default: throw error
                }
            if !options.dryRun {
                try? consumer.noteFailure(failure.message, at: .now)
                tell(figures.figures(consumer, context, succeeded: false, since: start))
            }
            throw failure
        }
    }

    /// What it was about goes on when the pause ends.
    private func sayPaused() -> SyncReport {
        voice.say("paused: `changes sync resume \(destination.name)` ends that", .notice)
        return SyncReport()
    }

    func reader() throws(StoreError) -> StoreReader { try StoreReader(stateDirectory: context.stateDirectory) }

    /// A copy that lacks something, or has too much, is no success, though nothing failed.
    private func conclude(_ report: SyncReport, _ start: MonotonicTime) throws {
        if report.isComplete {
            try consumer.noteSuccess(at: .now)
        } else {
            try consumer.noteFailure(report.shortfall, at: .now)
        }
        tell(figures.figures(consumer, context, succeeded: report.isComplete, since: start))
    }

    /// A push that fails is no failure of the copy.
    private func tell(_ figures: SyncFigures) {
        for problem in self.figures.publish(figures) { voice.say(problem, .warning) }
    }

    /// What `include` and `exclude` leave out: a path, or one of the directories that it lies in.
    private static func exclusion(
        _ destination: DestinationSettings
    ) throws -> @Sendable ([UInt8], Bool?) -> Bool {
        guard !destination.exclude.isEmpty else { return { _, _ in false } }
        // As in gitignore(5): a later pattern wins, and `!` takes back.
        let patterns = destination.exclude + destination.include.map { [UInt8(ascii: "!")] + $0 }
        let list: ExcludeList
        do throws(PatternError) { list = try ExcludeList(patterns: patterns) } catch {
            throw CommandFailure(.configuration, "\(destination.name): \(error)")
        }
        return { path, isDirectory in
            for parent in BatchPlan.parents(of: path) where list.excludes(path: parent, isDirectory: true) {
                return true
            }
            return list.excludes(path: path, isDirectory: isDirectory)
        }
    }
}

/// Has the tracker record what happened before; without one the store is what the last one left.
///
/// - Parameter heartbeat: called about once a second: it is the tracker that may take long, not this process.
/// - Throws: `CommandFailure`: `temporary` when it cannot tell; `SyncFailure.interrupted`.
private func settleIfRunning(in directory: [UInt8], stop: any StopSignal, heartbeat: () -> Void) throws {
    let reply: ControlReply
    do throws(ControlError) {
        reply = try ControlClient.request(.settle, stateDirectory: directory, timeout: .seconds(3_600)) {
            heartbeat()
            return !stop.isRequested()
        }
    } catch {
        if stop.isRequested() { throw SyncFailure.interrupted }
        if case .notRunning = error { return }
        throw CommandFailure(.temporary, "the tracker does not answer: \(error)")
    }
    if case .error(let reason) = reply {
        throw CommandFailure(.temporary, "the tracker cannot record what happened: \(reason)")
    }
}
