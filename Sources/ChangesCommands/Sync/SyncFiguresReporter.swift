import ChangeStore
import LinuxKernel
import Offsite

/// Collects a destination's figures, and hands them to Prometheus where that is configured: after each run, and about
/// twice a minute while a worker lives, whatever it is doing.
final class SyncFiguresReporter {
    private let settings: MetricsSettings
    private let destination: String
    private let leastFree: (Int64) -> Int64
    private let stateDirectory: [UInt8]
    private let scope: SourceScope
    private let stop: any StopSignal
    private let tell: (String) -> Void
    /// A connection of its own: it is used in the middle of what others do with theirs.
    private var consumer: Consumer?
    private var worker: WorkerRecord
    /// The service has a record of its own, and did not end by itself.
    private var isGuest = false
    /// Somebody else may be the destination's worker before that.
    private var hasBegun = false

    /// As the last run found it, also one of a worker before this one.
    var room: FileSystemSpace?
    private static let roomNote = "room"
    private var lastRun: (succeeded: Bool, took: Duration)?
    private var census: (counts: PendingCensus, at: MonotonicTime, cost: Int64)?
    private var push: BackgroundPush?
    private var next = MonotonicTime(nanoseconds: 0)
    /// What did not work the last time, as this process told it and as it is noted in the consumer's file.
    private var told: [Outlet: String] = [:]
    private var noted: [Outlet: String] = [:]

    /// Milliseconds between two publications.
    private static let interval: Int64 = 30_000
    /// Counting what is pending takes at most this part of the time.
    private static let censusShare: Int64 = 100

    /// Where figures go. The raw value is the key of the note with why they do not get there; none: they do.
    enum Outlet: String, CaseIterable {
        case gateway = "push-failure"
        case textfile = "textfile-failure"
        /// Of `ping_url`.
        case ping = "ping-failure"
    }

    /// - Parameters:
    ///   - endsAfterRun: the worker does one run.
    ///   - tell: gets what does not work, once each, for people.
    init(
        _ settings: MetricsSettings, _ destination: DestinationSettings, stateDirectory: [UInt8], scope: SourceScope,
        endsAfterRun: Bool, stop: any StopSignal, tell: @escaping (String) -> Void
    ) {
        self.settings = settings
        self.destination = destination.name
        leastFree = destination.leastFree(of:)
        self.stateDirectory = stateDirectory
        self.scope = scope
        self.stop = stop
        self.tell = tell
        worker = WorkerRecord(process: ProcessContext.identifier, endsAfterRun: endsAfterRun, started: .now)
    }

    /// The worker does one run.
    var endsAfterRun: Bool { worker.endsAfterRun }

    private func show() {
        if !isGuest { worker.write(destination, in: stateDirectory) }
    }

    // MARK: Life

    /// Shows that a worker lives, from now on. The caller holds the destination's lock.
    func begin() {
        hasBegun = true
        consumer = try? Consumer(name: destination, stateDirectory: stateDirectory)
        if worker.endsAfterRun, let service = WorkerRecord(destination, in: stateDirectory) {
            // A run by hand does not stand for the service that died.
            isGuest = !service.endsAfterRun && !service.hasEnded
        }
        show()
        room = (try? consumer?.note(Self.roomNote)).flatMap { $0 }.flatMap { note in
            let numbers = String(decoding: note, as: UTF8.self).split(separator: " ").compactMap { Int64($0) }
            return numbers.count == 2 ? FileSystemSpace(available: numbers[0], total: numbers[1]) : nil
        }
        for outlet in Outlet.allCases {
            let note = (try? consumer?.note(outlet.rawValue)).flatMap { $0 }
            noted[outlet] = note.map { String(decoding: $0, as: UTF8.self) }
        }
        next = worker.endsAfterRun ? MonotonicTime.now.advanced(milliseconds: Self.interval) : .now
    }

    /// Shows that it ends by itself.
    func end() {
        guard hasBegun else { return }
        worker.hasEnded = true
        show()
    }

    /// Publishes when it is time to. To be called about once a second, in the middle of whatever is done: it waits for no
    /// gateway.
    func tick() {
        guard hasBegun else { return }
        pollPush()
        guard MonotonicTime.now >= next else { return }
        publish(waits: false)
    }

    // MARK: Figures

    /// When a run last was a success.
    var lastSuccess: Timestamp? {
        (try? ConsumerRecord(name: destination, stateDirectory: stateDirectory))?.lastSuccess
    }

    /// How the run ended that began at `start`.
    func noteRun(succeeded: Bool, since start: MonotonicTime) {
        lastRun = (succeeded, .nanoseconds(MonotonicTime.now - start))
        census = nil
        try? consumer?.setNote(Self.roomNote, room.map { Array("\($0.available) \($0.total)".utf8) })
    }

    /// What is known now; what cannot be read is left out.
    private func figures() -> SyncFigures {
        let record = try? ConsumerRecord(name: destination, stateDirectory: stateDirectory)
        var figures = SyncFigures(job: settings.job, destination: destination, lastSuccess: record?.lastSuccess)
        switch lastRun {
        case (true, let took)?: figures.recordSuccess(at: record?.lastSuccess ?? .now, took: took)
        case (false, let took)?: figures.recordFailure(took: took)
        case nil:
            if record?.lastFailure != nil {
                figures.recordEarlier(.failure)
            } else if record?.lastSuccess != nil {
                figures.recordEarlier(.success)
            }
        }
        if let counts = countPending() {
            figures.pendingPaths = counts.paths
            figures.pendingBytes = counts.bytes
            let age = counts.oldest.map { max(0, Timestamp.now.nanoseconds - $0.nanoseconds) } ?? 0
            figures.oldestPending = .nanoseconds(age)
        }
        if let record {
            figures.quarantinedPaths = record.work[.quarantined]?.count ?? 0
            figures.heldDeletions = record.work[.heldDeletion]?.count ?? 0
            figures.heldOverwrites = record.work[.heldOverwrite]?.count ?? 0
            figures.driftPaths = CopyExamination.drift(in: record)
            figures.orphanPaths = OrphanList.count(record.notes)
            figures.firstCopy = record.cursor != nil ? .complete : record.fullPass != nil ? .underWay : .notBegun
        }
        figures.availableBytes = room?.available
        figures.sizeBytes = room?.total
        figures.minFreeBytes = room.map { leastFree($0.total) }
        figures.heartbeat = .now
        // Nobody misses one that ends by itself, but for the service that it does not stand for.
        figures.endsAfterRun = endsAfterRun && !isGuest
        return figures
    }

    private func countPending() -> PendingCensus? {
        let now = MonotonicTime.now
        if let census, now - census.at < census.cost * Self.censusShare { return census.counts }
        guard let consumer, let reader = try? StoreReader(stateDirectory: stateDirectory),
            let counts = try? PendingCensus(consumer, in: reader, scope: scope)
        else { return nil }
        census = (counts, now, MonotonicTime.now - now)
        return counts
    }

    // MARK: Publishing

    /// - Parameter waits: for the gateway's answer: 10 seconds at most.
    func publish(waits: Bool) {
        guard hasBegun else { return }
        next = MonotonicTime.now.advanced(milliseconds: Self.interval)
        show()
        guard settings.textfileDirectory != nil || settings.pushgateway != nil else { return }
        let figures = figures()
        if let gateway = settings.pushgateway {
            let gateway = MetricsPush(gateway: gateway)
            if waits {
                push = nil
                let failure = gateway.push(figures, stop: stop)
                if failure != .interrupted { note(.gateway, failure) }
            } else if push == nil {
                do throws(MetricsFailure) { push = try gateway.start(figures) } catch { note(.gateway, error) }
            }
        }
        writeTextfile(figures)
    }

    private func pollPush() {
        guard case .ended(let failure)? = push?.poll() else { return }
        push = nil
        note(.gateway, failure)
    }

    private func writeTextfile(_ figures: SyncFigures) {
        guard let directory = settings.textfileDirectory else { return }
        var figures = figures
        if settings.pushgateway != nil { figures.isPushFailing = noted[.gateway] != nil }
        note(.textfile, MetricsTextfile(directory: directory).write(figures))
    }

    /// Remembers how a ping ended, which was told already.
    func notePing(_ failure: String?) {
        guard hasBegun, failure != noted[.ping] else { return }
        noted[.ping] = failure
        try? consumer?.setNote(Outlet.ping.rawValue, failure.map { Array($0.utf8) })
    }

    /// Remembers how a publication ended, and tells of it where that is news.
    private func note(_ outlet: Outlet, _ failure: MetricsFailure?) {
        let text = failure?.description
        if text != told[outlet] {
            told[outlet] = text
            tell(text ?? "metrics get where they belong again")
        }
        guard text != noted[outlet] else { return }
        noted[outlet] = text
        try? consumer?.setNote(outlet.rawValue, text.map { Array($0.utf8) })
    }
}
