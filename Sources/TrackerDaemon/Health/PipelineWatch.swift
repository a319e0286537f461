public import LinuxKernel

/// Decides whether the service manager's watchdog may be told that the pipeline moves.
///
/// A stage with work that shows no progress for `limit` is stuck, and stops the pings; the watchdog then ends the
/// process and starts another. The pings go on where a restart would help nobody:
/// - the stage's thread is in uninterruptible sleep: it waits for a disk, cannot be killed, and its successor would
///   walk everything only to wait for the same disk;
/// - the stage is expendable: the rest does its work without it.
///
/// Both are findings, for the status and the journal. A state machine: it has no clock, no thread and no I/O.
public struct PipelineWatch: Sendable {
    /// Whether the promise of completeness needs a stage.
    public enum Importance: Sendable {
        /// The reader, the tracker, the store.
        case essential
        /// The changelog: a hung backup disk must stop nothing else, and what is owed is appended later.
        case expendable
    }

    /// One stage as it is now.
    public struct Stage: Sendable {
        public let name: String
        public let importance: Importance
        public let heartbeat: Heartbeat.Snapshot

        public init(name: String, importance: Importance, heartbeat: Heartbeat.Snapshot) {
            self.name = name
            self.importance = importance
            self.heartbeat = heartbeat
        }
    }

    /// How often to call `judge`, in nanoseconds: a quarter of the watchdog's interval.
    ///
    /// The service manager recommends half (sd_watchdog_enabled(3)), for a ping that always goes. This one may be held
    /// back by a single unlucky look, a thread caught between two waits for its disk. With a quarter, it takes three
    /// bad looks in a row until the interval is over.
    public let period: Int64

    /// How long a busy stage may show no progress, in nanoseconds: half of the watchdog's interval.
    ///
    /// A stage reports after each batch, many times a second, so with the unit's 60 seconds this is a hundred times
    /// what it should take, also on a disk that is merely slow. It is short enough that a stuck tracker is ended within
    /// one and a half intervals: the last ping comes at most `limit` after the last progress, the end one interval later.
    public let limit: Int64

    private var lastLook: MonotonicTime?
    /// Nothing before this moment counts as a lack of progress.
    private var amnesty = MonotonicTime(nanoseconds: .min / 2)

    /// - Parameter watchdogInterval: nanoseconds, as `ServiceNotifier.watchdogInterval`.
    public init(watchdogInterval: Int64) {
        period = max(watchdogInterval / 4, 1)
        limit = max(watchdogInterval / 2, 1)
    }

    /// Looks at all stages.
    ///
    /// - Parameter waitsForDisk: whether the thread with this number is in uninterruptible sleep; asked only for
    ///   essential stages that show no progress.
    public mutating func judge(
        _ stages: [Stage], at now: MonotonicTime, waitsForDisk: (_ thread: Int32) -> Bool
    ) -> Verdict {
        // When this look comes late, the whole process did not run (SIGSTOP, a frozen control group, a paused virtual
        // machine), its stages neither: they get a full limit from here.
        if let lastLook, now - lastLook > 2 * period { amnesty = now }
        lastLook = now
        return Verdict(
            findings: stages.compactMap { stage in
                guard stage.heartbeat.isBusy, let lastProgress = stage.heartbeat.lastProgress else { return nil }
                guard now - max(lastProgress, amnesty) > limit else { return nil }
                let cause: Finding.Cause =
                    switch stage.importance {
                    case .expendable: .expendable
                    case .essential: waitsForDisk(stage.heartbeat.thread) ? .waitingForDisk : .stuck
                    }
                return Finding(stage: stage.name, cause: cause, nanoseconds: now - lastProgress)
            })
    }
}

extension PipelineWatch {
    /// A stage that has shown no progress for too long.
    public struct Finding: Equatable, Sendable {
        public enum Cause: Sendable {
            case stuck
            case waitingForDisk
            case expendable
        }
        public let stage: String
        public let cause: Cause
        /// Since its last progress.
        public let nanoseconds: Int64
    }

    public struct Verdict: Equatable, Sendable {
        public let findings: [Finding]

        /// Whether `WATCHDOG=1` may be sent.
        public var mayPing: Bool { !findings.contains { $0.cause == .stuck } }
    }
}

extension PipelineWatch.Finding: CustomStringConvertible {
    /// For the status line, such as `waiting for disk: tracker, for 45 s`.
    public var description: String {
        let seconds = nanoseconds / 1_000_000_000
        return switch cause {
        case .stuck: "stuck: \(stage), for \(seconds) s"
        case .waitingForDisk, .expendable: "waiting for disk: \(stage), for \(seconds) s"
        }
    }
}
