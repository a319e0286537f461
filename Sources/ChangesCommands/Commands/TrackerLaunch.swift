import ChangeStore
import Logging
import Offsite
import SystemdSupport
import TrackerDaemon
import Tracking

/// Runs the tracker until it is told to stop.
///
/// - Throws: `CommandFailure` when it cannot start.
func runTracker(_ settings: TrackSettings) throws {
    let level = settings.logLevel
    LoggingSystem.bootstrap { _ in makeLogHandler(level: level) }
    let tracker = TrackerProcess(
        settings: try trackerSettings(settings.configuration, emitExisting: settings.emitExisting),
        log: Logger(label: "changes")
    ) {
        try trackerSettings(try settings.source.load(), emitExisting: settings.emitExisting)
    }
    do throws(TrackerStartError) {
        try tracker.run()
    } catch {
        let status: ExitStatus =
            switch error.reason {
            case .alreadyRunning: .temporary
            case .newerStore: .configuration
            case .other: .inputOutput
            }
        throw CommandFailure(status, error.description)
    }
}

/// The configuration in the tracker's terms.
///
/// - Throws: `PatternError`, which the configuration's own checks have ruled out before.
private func trackerSettings(_ configuration: Configuration, emitExisting: Bool) throws -> TrackerSettings {
    TrackerSettings(
        engine: EngineSettings(
            roots: try configuration.watch.roots.map(RootPattern.init),
            exclude: try ExcludeList(patterns: configuration.watch.exclude),
            oneFileSystem: configuration.watch.oneFileSystem,
            pollInterval: configuration.watch.pollInterval.wholeNanoseconds, emitExisting: emitExisting,
            ownPaths: [configuration.log.path, configuration.store.directory]),
        logPath: configuration.log.path, requireMount: configuration.log.requireMount,
        stateDirectory: configuration.store.directory,
        retention: RetentionLimits(
            age: configuration.store.keep.wholeNanoseconds, size: configuration.store.maxSize,
            hardSize: configuration.store.maxSizeHard),
        metricsDirectory: configuration.metrics.textfileDirectory)
}
