import ChangeStore
import LinuxKernel
import Offsite

/// Collects a destination's figures after each run, and hands them to Prometheus where that is configured.
final class SyncFiguresReporter {
    private let settings: MetricsSettings
    private let destination: String
    private let leastFree: (Int64) -> Int64
    private let stop: any StopSignal
    /// As the last run found it.
    var room: FileSystemSpace?

    init(_ settings: MetricsSettings, _ destination: DestinationSettings, stop: any StopSignal) {
        self.settings = settings
        self.destination = destination.name
        leastFree = destination.leastFree(of:)
        self.stop = stop
    }

    /// What is known now; what cannot be read is left out.
    ///
    /// - Parameter succeeded: how the run ended that began at `start`.
    func figures(
        _ consumer: Consumer, _ context: SyncContext, succeeded: Bool, since start: MonotonicTime
    ) -> SyncFigures {
        let record = try? ConsumerRecord(name: destination, stateDirectory: context.stateDirectory)
        var figures = SyncFigures(job: settings.job, destination: destination, lastSuccess: record?.lastSuccess)
        let duration = Duration.nanoseconds(MonotonicTime.now - start)
        if succeeded {
            figures.recordSuccess(at: record?.lastSuccess ?? .now, took: duration)
        } else {
            figures.recordFailure(took: duration)
        }
        if let reader = try? StoreReader(stateDirectory: context.stateDirectory),
            let pending = try? PendingCensus(consumer, in: reader, scope: context.scope)
        {
            figures.pendingPaths = pending.paths
            figures.pendingBytes = pending.bytes
            let age = pending.oldest.map { max(0, Timestamp.now.nanoseconds - $0.nanoseconds) } ?? 0
            figures.oldestPending = .nanoseconds(age)
        }
        figures.quarantinedPaths = try? consumer.workCount(.quarantined).count
        figures.heldDeletions = try? consumer.workCount(.heldDeletion).count
        figures.heldOverwrites = try? consumer.workCount(.heldOverwrite).count
        figures.availableBytes = room?.available
        figures.sizeBytes = room?.total
        figures.minFreeBytes = room.map { leastFree($0.total) }
        figures.driftPaths = (try? CopyExamination.drift(in: consumer)).flatMap { $0 }.map(Int64.init)
        figures.orphanPaths = (try? OrphanList.count(in: consumer)).flatMap { $0 }
        return figures
    }

    /// - Returns: what did not work, for people.
    func publish(_ figures: SyncFigures) -> [String] {
        var problems: [String] = []
        if let directory = settings.textfileDirectory,
            let failure = MetricsTextfile(directory: directory).write(figures)
        {
            problems.append("\(failure)")
        }
        if let gateway = settings.pushgateway,
            let failure = MetricsPush(gateway: gateway).push(figures, stop: stop)
        {
            problems.append("\(failure)")
        }
        return problems
    }
}
