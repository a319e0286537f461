import ChangeStore
import LinuxKernel
import Logging
import Offsite
import SystemPackage
import SystemdSupport
import Tracking

/// One run for one destination, with everything that is known on this side of it.
struct SyncWorker {
    private let configuration: Configuration
    private let destination: DestinationSettings
    private let consumer: Consumer
    private let voice: SyncVoice
    let figures: SyncFiguresReporter
    let announcer: RunAnnouncer
    let proof: SourceProof
    /// Shows that this process moves, and publishes its figures when it is time to. Called about once a second.
    let beat: () -> Void
    /// Kept from one run to the next; nil: each logs in anew.
    private let connection: KeptConnection?
    let context: SyncContext

    /// - Parameter notifier: that of a worker that goes on for ever.
    /// - Throws: `CommandFailure` when a pattern cannot be used.
    init(
        _ configuration: Configuration, _ destination: DestinationSettings, consumer: Consumer,
        stop: any StopSignal, voice: SyncVoice, notifier: ServiceNotifier?, connection: KeptConnection? = nil
    ) throws {
        self.configuration = configuration
        self.destination = destination
        self.consumer = consumer
        self.voice = voice
        self.connection = connection
        let state = configuration.store.directory
        let scope = SourceScope(source: destination.source, isExcluded: try Self.exclusion(destination))
        let figures = SyncFiguresReporter(
            configuration.metrics, destination, stateDirectory: state, scope: scope,
            endsAfterRun: notifier == nil, stop: stop
        ) { voice.say($0, .warning) }
        let announcer = RunAnnouncer(
            destination, isWatching: notifier != nil, tell: { voice.say($0, .warning) }, note: { figures.notePing($0) })
        let beat = {
            notifier?.ping()
            figures.tick()
            announcer.tick()
        }
        let proof = SourceProof(stateDirectory: state, scope: scope, stop: stop, heartbeat: beat)
        (self.figures, self.announcer, self.beat, self.proof) = (figures, announcer, beat, proof)
        context = SyncContext(
            stateDirectory: state, consumer: consumer, machine: MachineIdentity.own, scope: scope, stop: stop,
            settle: { try proof.settle() }, tell: { voice.tell($0) }, heartbeat: beat,
            progress: voice.isOnTerminal ? { voice.showProgress($0) } : nil,
            planned: { voice.show($0) }, roomFound: { figures.room = $0 })
    }

    /// - Parameter isCheck: nothing is known to be pending: a success is worth no line.
    /// - Throws: `CommandFailure`.
    func run(_ options: SyncOptions, isCheck: Bool = false) throws -> SyncReport {
        let start = MonotonicTime.now
        do {
            if SyncSwitch.isPaused(consumer) { return sayPaused() }
            if !options.dryRun {
                try noteFirstRun()
                announcer.begin(isCheck: isCheck)
            }
            var report = try copyPending(options)
            report.doubts = try proof.doubts(in: reader())
            if !options.dryRun { try conclude(report, start) }
            if !isCheck || report.batches > 0 || !report.isSuccess {
                voice.summarize(report, dryRun: options.dryRun)
            }
            return report
        } catch SyncFailure.interrupted {
            if SyncSwitch.isPaused(consumer) { return sayPaused() }
            throw CommandFailure(SyncFailure.interrupted, destination.name)
        } catch {
            let failure =
                switch error {
                case let failure as SyncFailure: CommandFailure(failure, destination.name)
                case let error as StoreError: ChangesCommands.failure(of: error, in: configuration.store.directory)
                case let failure as CommandFailure: failure
                default: throw error
                }
            if !options.dryRun { try? noteEnd(failure.message, start) }
            throw failure
        }
    }

    /// On a connection that was kept a failure may be that one's own: it is lost, or the destination is not what it was.
    /// Then everything is asked anew on another.
    private func copyPending(_ options: SyncOptions) throws -> SyncReport {
        let isKept = connection?.isOpen ?? false
        func run() throws -> SyncReport {
            try SyncRun(destination, context: context, options: options, connection: connection).run()
        }
        do { return try run() } catch {
            connection?.close()
            guard isKept, let failure = error as? SyncFailure, Self.mayBeConnections(failure) else { throw error }
            return try run()
        }
    }

    private static func mayBeConnections(_ failure: SyncFailure) -> Bool {
        switch failure {
        case .foreignMarker, .rsync(.later, _, _, _), .rsync(.misplaced, _, _, _): true
        default: false
        }
    }

    /// What it was about goes on when the pause ends.
    private func sayPaused() -> SyncReport {
        voice.say("paused until `changes sync resume \(destination.name)`", .notice)
        figures.publish(waits: !isWatching)
        var report = SyncReport()
        report.doubts = ["it is paused"]
        return report
    }

    private var isWatching: Bool { !figures.endsAfterRun }

    /// - Throws: `StoreError`, `SyncFailure`.
    func verification() throws -> CopyVerification {
        try CopyVerification(
            destination, context: context, heldPlaces: { [self] in try proof.places(in: reader()).map(\.path) })
    }

    func reader() throws(StoreError) -> StoreReader { try StoreReader(stateDirectory: context.stateDirectory) }

    /// The note with the moment of the first run, in nanoseconds since 1970: from when on a success is missed.
    static let firstRunNote = "first-run"

    private func noteFirstRun() throws(StoreError) {
        guard try consumer.note(Self.firstRunNote) == nil else { return }
        try consumer.setNote(Self.firstRunNote, Array("\(Timestamp.now.nanoseconds)".utf8))
    }

    /// A copy that lacks something, or has too much, or of which nobody knows, is no success, though nothing failed.
    private func conclude(_ report: SyncReport, _ start: MonotonicTime) throws {
        // What it lacks is told by itself; why that is not all stands first.
        let reasons = report.doubts + (report.isComplete ? [] : [report.shortfall])
        try noteEnd(
            reasons.isEmpty ? nil : reasons.joined(separator: "; "), isShortfall: report.doubts.isEmpty, start, report)
    }

    /// The note that the last run failed for nothing but paths that are quarantined or held.
    static let shortfallNote = "shortfall"

    /// - Parameters:
    ///   - failure: why the run is no success; nil: it is one.
    ///   - isShortfall: for nothing but what is quarantined or held.
    private func noteEnd(
        _ failure: String?, isShortfall: Bool = false, _ start: MonotonicTime, _ report: SyncReport = SyncReport()
    ) throws(StoreError) {
        let note: [UInt8]? = failure != nil && isShortfall ? [1] : nil
        if try consumer.note(Self.shortfallNote) != note { try consumer.setNote(Self.shortfallNote, note) }
        if let failure {
            try consumer.noteFailure(failure, at: .now)
        } else {
            try consumer.noteSuccess(at: .now)
        }
        figures.noteRun(succeeded: failure == nil, since: start)
        // A push that fails is no failure of the copy.
        figures.publish(waits: !isWatching)
        guard announcer.isWanted else { return }
        announcer.end(
            RunAnnouncer.Ending(
                reason: failure, took: .nanoseconds(MonotonicTime.now - start), report: report,
                lastSuccess: figures.lastSuccess))
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
