import ChangeStore
import LinuxKernel
import Offsite
import SystemPackage
import SystemdSupport

/// The worker as a service: waits for changes, lets them settle, carries them; after a failure the same again, later and
/// later.
struct SyncLoop {
    let configuration: Configuration
    let destination: DestinationSettings
    let consumer: Consumer
    let stop: SignalStop

    /// Nanoseconds after a failure, doubled with each that follows, at most the other.
    private static let firstPause: Int64 = 5_000_000_000
    private static let longestPause: Int64 = 900_000_000_000
    /// Milliseconds between looks at what no event tells of: the pause switch, windows, what is due.
    private static let longestWait: Int32 = 10_000

    func callAsFunction() throws {
        let notifier = ServiceNotifier()
        let voice = SyncVoice(destination.name, isOnTerminal: false)
        let watch: StoreWatch
        do throws(Errno) {
            watch = try StoreWatch(stateDirectory: configuration.store.directory, signals: stop.descriptor)
        } catch {
            throw CommandFailure(.inputOutput, "waiting for changes: \(error)")
        }
        let worker = try SyncWorker(
            configuration, destination, consumer: consumer, stop: stop, voice: voice, notifier: notifier)
        notifier.ready(status: "waiting for changes")
        var pause = Self.firstPause
        while !stop.isRequested() {
            notifier.ping()
            guard try isDue() else {
                try rest(milliseconds: Self.longestWait, watch, notifier)
                continue
            }
            notifier.status("carrying changes")
            do {
                let report = try worker.run(SyncOptions())
                pause = Self.firstPause
                notifier.status(Self.status(report))
            } catch let failure as CommandFailure {
                if stop.isRequested() { break }
                voice.say(failure.message)
                // What nobody but a person can mend ends the service: a restart would only hide it.
                guard failure.status == .temporary || failure.status == .unavailable else { throw failure }
                let jittered = pause / 2 + Int64.random(in: 0...pause / 2)
                notifier.status("trying again in \(jittered / 1_000_000_000) s: \(failure.message)")
                try wait(nanoseconds: jittered, watch, notifier)
                pause = min(pause * 2, Self.longestPause)
            }
        }
        notifier.stopping(status: "stopping")
    }

    private static func status(_ report: SyncReport) -> String {
        var text = "up to date"
        if report.waiting > 0 { text += "; \(report.waiting) paths wait" }
        if report.quarantined > 0 { text += "; \(report.quarantined) paths set aside" }
        if report.heldDeletions > 0 { text += "; \(report.heldDeletions) deletions wait for --allow-deletes" }
        return text
    }

    /// There is something to carry, and it may be carried now.
    private func isDue() throws -> Bool {
        guard isInWindow() else { return false }
        do throws(StoreError) {
            if try consumer.note(SyncSwitch.pauseNote) != nil { return false }
            let reader = try StoreReader(stateDirectory: configuration.store.directory)
            guard case .at(let cursor) = try consumer.standing(in: reader) else { return try reader.isBaselineDone }
            if try reader.lastSequence > cursor { return true }
            let due = [
                try consumer.workCount(.waiting).nextDue, try consumer.workCount(.quarantined).nextDue,
            ].compactMap { $0 }.min()
            return due.map { $0 <= .now } ?? false
        } catch {
            if [.notFound, .busy].contains(error.reason) { return false }
            throw failure(of: error, in: configuration.store.directory)
        }
    }

    private func isInWindow() -> Bool {
        if destination.windows.isEmpty { return true }
        let seconds = Timestamp.now.nanoseconds / 1_000_000_000
        let local = CivilTime(clockSeconds: seconds + Int64(LocalTime.secondsAheadOfUTC(at: seconds)))
        let minute = local.hour * 60 + local.minute
        return destination.windows.contains { $0.contains(minute: minute) }
    }

    private func wait(nanoseconds: Int64, _ watch: StoreWatch, _ notifier: ServiceNotifier) throws {
        let end = MonotonicTime.now.nanoseconds + nanoseconds
        while !stop.isRequested() {
            let left = end - MonotonicTime.now.nanoseconds
            if left <= 0 { return }
            notifier.ping()
            try rest(milliseconds: Int32(clamping: min((left + 999_999) / 1_000_000, 10_000)), watch, notifier)
        }
    }

    /// Waits for something to happen.
    private func rest(milliseconds: Int32, _ watch: StoreWatch, _ notifier: ServiceNotifier) throws {
        do throws(Errno) { _ = try watch.wait(atMost: milliseconds) } catch {
            throw CommandFailure(.inputOutput, "waiting for changes: \(error)")
        }
    }
}
