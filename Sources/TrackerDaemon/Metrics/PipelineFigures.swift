import LinuxKernel
import Metrics
import Synchronization

/// What the tracker's threads count for its metrics, from the start of the process on.
final class PipelineFigures: Sendable {
    struct Counts: Sendable {
        /// By root; those of further roots stand under the empty path.
        var changes: [[UInt8]: RootChanges] = [:]
        var delay = DelayMeter()
    }
    private let counts = Mutex(Counts())

    /// Roots that are counted by themselves: Prometheus keeps some series for each.
    static let mostRoots = 250

    func add(_ changes: [RootChanges]) {
        counts.withLock { counts in
            for change in changes {
                let isKnown = counts.changes[change.root] != nil || counts.changes.count < Self.mostRoots
                let root = isKnown ? change.root : []
                counts.changes[root, default: RootChanges(root: root)].add(change)
            }
        }
    }

    /// Rows up to `sequence` are about to be handed to the log.
    ///
    /// - Parameter since: when the first event of these changes was read.
    func committed(through sequence: Int64, rows: Int64, since: MonotonicTime) {
        counts.withLock { $0.delay.committed(through: sequence, rows: rows, since: since) }
    }

    /// The lines of the rows up to `sequence` are in the log.
    func appended(through sequence: Int64) {
        let now = MonotonicTime.now
        counts.withLock { $0.delay.appended(through: sequence, at: now) }
    }

    var snapshot: Counts { counts.withLock { $0 } }
}

/// Measures how long changes take from the event to the line in the log. Each change counts from the first event of those
/// that were recorded with it, so that a delay is never shown too short.
struct DelayMeter: Sendable {
    private struct Commit {
        var through: Int64
        var rows: Int64
        let since: MonotonicTime
    }
    /// Commits whose lines are not in the log yet, in order.
    private var waiting: [Commit] = []
    private(set) var histogram = DurationHistogram()

    /// Those that wait beyond this number are taken together: a log that is away for days costs no memory.
    private static let mostWaiting = 1_024

    /// Since when the oldest change waits; nil when none does.
    var oldest: MonotonicTime? { waiting.map(\.since).min() }

    mutating func committed(through sequence: Int64, rows: Int64, since: MonotonicTime) {
        // The numbers of another store begin anew.
        if let last = waiting.last, last.through >= sequence { waiting = [] }
        if waiting.count < Self.mostWaiting {
            waiting.append(Commit(through: sequence, rows: rows, since: since))
        } else {
            waiting[waiting.count - 1].through = sequence
            waiting[waiting.count - 1].rows += rows
        }
    }

    mutating func appended(through sequence: Int64, at now: MonotonicTime) {
        let written = waiting.prefix { $0.through <= sequence }
        for commit in written { histogram.add(nanoseconds: now - commit.since, count: commit.rows) }
        waiting.removeFirst(written.count)
    }
}
