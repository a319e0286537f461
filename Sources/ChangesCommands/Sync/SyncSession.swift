import ChangeStore
import LinuxKernel
import Logging
import Offsite
import SystemPackage
import TrackerDaemon
import Tracking

/// Runs the worker of one destination or of several: once, or for ever.
struct SyncSession {
    let configuration: Configuration
    let destinations: [DestinationSettings]
    let options: SyncOptions
    let showsProgress: Bool

    /// Copies what is pending, one destination after the other.
    ///
    /// - Throws: `CommandFailure` with the worst that happened, which is what later tries do not mend; each destination has
    ///   had its turn then.
    func once() throws {
        let stop = try stopSignal()
        var statuses: [ExitStatus] = []
        for destination in destinations {
            if stop.isRequested() { throw CommandFailure(SyncFailure.interrupted, destination.name) }
            let voice = SyncVoice(destination.name, isOnTerminal: showsProgress)
            do {
                let lock = try lockConsumer(destination.name, in: configuration.store.directory)
                let consumer = try openConsumer(destination.name, in: configuration.store.directory)
                let worker = try SyncWorker(
                    configuration, destination, consumer: consumer, stop: WorkerStop(stop, consumer: consumer),
                    voice: voice, notifier: nil)
                if !options.dryRun { worker.figures.begin() }
                defer {
                    worker.announcer.finish(stop: stop)
                    worker.figures.end()
                }
                let report = try worker.run(options)
                withExtendedLifetime(lock) {}
                if !report.isSuccess { statuses.append(report.isComplete ? .temporary : .failure) }
            } catch let failure as CommandFailure {
                voice.say(failure.message, failure.status == .temporary ? .warning : .error)
                statuses.append(failure.status)
            }
        }
        if let worst = statuses.first(where: { $0 != .temporary }) ?? statuses.first { throw CommandFailure(worst, "") }
    }

    /// Goes on until a signal comes.
    func watch() throws {
        let stop = try stopSignal()
        guard destinations.count == 1, let destination = destinations.first else {
            throw CommandFailure(
                .usage,
                "--watch takes one destination: run one service for each (nfs-offsite-sync@NAME.service), so that one that "
                    + "hangs holds up no other")
        }
        let lock = try lockConsumer(destination.name, in: configuration.store.directory)
        let consumer = try openConsumer(destination.name, in: configuration.store.directory)
        try SyncLoop(configuration: configuration, destination: destination, consumer: consumer, stop: stop)()
        withExtendedLifetime(lock) {}
    }

    private func stopSignal() throws -> SignalStop {
        do throws(Errno) { return SignalStop(try Interruptions()) } catch {
            throw CommandFailure(.inputOutput, "signalfd: \(error)")
        }
    }
}

/// The signals that end this process, for a transfer to end with it.
final class SignalStop: StopSignal {
    let interruptions: Interruptions

    init(_ interruptions: Interruptions) { self.interruptions = interruptions }

    var descriptor: CInt { interruptions.descriptor }

    func isRequested() -> Bool {
        while interruptions.next() != nil {}
        return interruptions.received != nil
    }
}
