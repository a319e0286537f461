import ChangeStore
import LinuxKernel
import Logging
import Offsite
import SystemPackage
import SystemdSupport

/// The worker as a service: waits for changes, lets them settle, copies them; failures are retried with exponential
/// backoff.
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
            watch = try StoreWatch(
                stateDirectory: configuration.store.directory, signals: stop.descriptor,
                includesConsumers: true)
        } catch {
            throw CommandFailure(.inputOutput, "waiting for changes: \(error)")
        }
        let connection = KeptConnection()
        let worker = try SyncWorker(
            configuration, destination, consumer: consumer,
            stop: WorkerStop(
                stop, windows: destination.windows, consumer: consumer), voice: voice, notifier: notifier,
            connection: connection)
        worker.figures.begin()
        defer {
            // What a person has to mend ends the service: that is told first.
            worker.announcer.finish(stop: stop)
            worker.figures.end()
        }
        var schedule = try schedule()
        notifier.ready(status: "waiting for changes")
        var pause = Self.firstPause
        // When changes that are not carried yet were noticed.
        var noticed: MonotonicTime?
        var resumed = SyncSwitch.lastResume(consumer)
        while !stop.isRequested() {
            worker.beat()
            var need = try need()
            if need == .nothing, schedule.due <= .now { need = .check }
            let isResumed = SyncSwitch.lastResume(consumer) != resumed
            if isResumed, need != .barred {
                resumed = SyncSwitch.lastResume(consumer)
                need = need == .nothing ? .check : .now
            }
            if need == .nothing || need == .barred {
                noticed = nil
                if !isInWindow() || SyncSwitch.isPaused(consumer) { connection.close() }
                if need == .nothing { verifyInQuietHours(worker, voice, notifier) }
                let left = (schedule.due - .now) / 1_000_000 + 1
                let isSooner = need == .nothing && left < Self.longestWait
                try rest(milliseconds: isSooner ? Int32(clamping: max(0, left)) : Self.longestWait, watch)
                continue
            }
            let since = noticed ?? .now
            noticed = since
            // A run for each change would be a login for each: they are collected for as long as a file has to settle.
            let left = need == .soon ? since.nanoseconds + settle - MonotonicTime.now.nanoseconds : 0
            if left > 0 {
                try rest(
                    milliseconds: Int32(clamping: min((left + 999_999) / 1_000_000, Int64(Self.longestWait))), watch)
                continue
            }
            noticed = nil
            notifier.status(need == .check ? "asking the destination" : "copying changes")
            do {
                let report = try worker.run(SyncOptions(), isCheck: need == .check)
                pause = Self.firstPause
                schedule.ended(isProven: report.doubts.isEmpty, now: .now)
                notifier.status(Self.status(report))
            } catch let failure as CommandFailure {
                if stop.isRequested() { break }
                // The window closed while it ran: what is left is carried in the next.
                guard isInWindow() else { continue }
                let isPassing = failure.status == .temporary || failure.status == .unavailable
                voice.say(failure.message, isPassing ? .warning : .error)
                // What nobody but a person can mend ends the service: a restart would only hide it.
                guard isPassing else { throw CommandFailure(failure.status, "") }
                let jittered = pause / 2 + Int64.random(in: 0...pause / 2)
                notifier.status("retrying in \(jittered / 1_000_000_000) s: \(failure.message)")
                try wait(nanoseconds: jittered, watch, worker)
                pause = min(pause * 2, Self.longestPause)
            }
        }
        notifier.stopping(status: "stopping")
    }

    private static func status(_ report: SyncReport) -> String {
        var text = report.doubts.first.map { "not proven: \($0)" } ?? "up to date"
        if report.waiting > 0 { text += "; \(counted(report.waiting, "path")) postponed" }
        if report.quarantined > 0 { text += "; \(counted(report.quarantined, "path")) quarantined" }
        if report.heldDeletions > 0 { text += "; \(counted(report.heldDeletions, "deletion")) held" }
        if report.heldOverwrites > 0 { text += "; \(counted(report.heldOverwrites, "overwritten file")) held" }
        return text
    }

    private var settle: Int64 { destination.settle.wholeNanoseconds }

    private enum Need {
        /// Nothing may be carried or asked now, or there is no index yet.
        case barred
        case nothing
        /// The destination is to be asked whether all is well.
        case check
        /// Something changed.
        case soon
        /// Something has waited for long enough.
        case now
    }

    /// Whether there is something to carry that may be carried.
    private func need() throws -> Need {
        guard isInWindow() else { return .barred }
        do throws(StoreError) {
            if SyncSwitch.isPaused(consumer) { return .barred }
            let reader = try StoreReader(stateDirectory: configuration.store.directory)
            guard case .at(let cursor) = try consumer.standing(in: reader) else {
                return try reader.isBaselineDone ? .now : .barred
            }
            let due = [
                try consumer.workCount(.waiting).nextDue, try consumer.workCount(.quarantined).nextDue,
            ].compactMap { $0 }.min()
            if let due, due <= .now { return .now }
            return try reader.lastSequence > cursor ? .soon : .nothing
        } catch {
            if [.notFound, .busy].contains(error.reason) { return .barred }
            throw failure(of: error, in: configuration.store.directory)
        }
    }

    /// A success that is young need not be proven again at once.
    private func schedule() throws -> CheckSchedule {
        let record = try consumerRecord(destination.name, in: configuration.store.directory)
        let age =
            record.lastFailure == nil ? record.lastSuccess.map { Timestamp.now.nanoseconds - $0.nanoseconds } : nil
        return CheckSchedule(interval: destination.checkInterval.wholeNanoseconds, age: age, now: .now)
    }

    private func isInWindow() -> Bool { destination.windows.isOpen() }

    /// Once a day, when nothing is pending, a part of all files is compared by content.
    private func verifyInQuietHours(_ worker: SyncWorker, _ voice: SyncVoice, _ notifier: ServiceNotifier) {
        guard destination.verifyShare > 0, isInWindow() else { return }
        let today = Array("\(Timestamp.now.nanoseconds / 86_400_000_000_000)".utf8)
        do {
            // From the day after the first run on.
            guard let last = try consumer.note(Self.verifiedNote) else {
                return try consumer.setNote(Self.verifiedNote, today)
            }
            guard last != today, case .at = try consumer.standing(in: worker.reader()) else { return }
            notifier.status("comparing a part of the copy")
            let found = try worker.verification().run(.sampleOnly(percent: destination.verifyShare))
            let drifts = found.drifts
            try consumer.setNote(Self.verifiedNote, today)
            // A sample that is well says nothing of what a whole verification found.
            let known = try CopyExamination.drift(
                in: ConsumerRecord(name: destination.name, stateDirectory: worker.context.stateDirectory))
            try CopyExamination.noteDrift(max(drifts.count, Int(known ?? 0)), in: consumer)
            for drift in drifts.prefix(10) {
                voice.say("differs (\(drift.kind.rawValue)): \(TerminalText.of(drift.path))", .warning)
            }
            if !drifts.isEmpty {
                voice.say(
                    "\(counted(drifts.count, "file of a sample differs", plural: "files of a sample differ")): run `changes verify \(destination.name) --repair`",
                    .warning)
            }
            notifier.status("waiting for changes")
        } catch SyncFailure.interrupted {
            // The next idle moment, in the next window.
        } catch {
            voice.say("comparing a part of the copy: \(error)", .warning)
            // Not again and again on one day.
            try? consumer.setNote(Self.verifiedNote, today)
        }
    }

    /// The note with the day on which a part was compared last, counted from 1970.
    private static let verifiedNote = "verified-day"

    private func wait(nanoseconds: Int64, _ watch: StoreWatch, _ worker: SyncWorker) throws {
        let resumed = SyncSwitch.lastResume(consumer)
        let end = MonotonicTime.now.nanoseconds + nanoseconds
        while !stop.isRequested() {
            let left = end - MonotonicTime.now.nanoseconds
            if left <= 0 || SyncSwitch.lastResume(consumer) != resumed { return }
            worker.beat()
            try rest(milliseconds: Int32(clamping: min((left + 999_999) / 1_000_000, 10_000)), watch)
        }
    }

    /// Waits for something to happen.
    private func rest(milliseconds: Int32, _ watch: StoreWatch) throws {
        do throws(Errno) { _ = try watch.wait(atMost: milliseconds) } catch {
            throw CommandFailure(.inputOutput, "waiting for changes: \(error)")
        }
    }
}
