public import LinuxKernel

/// How the log is, for status and the watchdog.
public struct ChangelogState: Equatable, Sendable {
    public enum Health: Equatable, Sendable {
        case ok
        /// Lines (or, with none, the position) cannot be written for now. Nothing is lost: the store has them.
        case owed(lines: Int64, since: MonotonicTime, reason: ChangelogFailure)
    }

    public enum Activity: Equatable, Sendable {
        /// Waits for rows, or for the next attempt.
        case waiting
        /// In one step, a read of the store, an append or a sync, since then: long means that a disk hangs.
        case working(since: MonotonicTime)
        /// The thread has ended.
        case stopped
    }

    public var path: [UInt8]
    public var requireMount: [UInt8]?
    /// Every row up to this one is in the log.
    public var appendedSequence: Int64
    /// Every row up to this one is durably in the log, on the disk.
    public var syncedSequence: Int64
    /// Rows that are in the store and not in the log. Those after `countedThrough` are estimated from above: not every
    /// number is a line.
    public var owedLines: Int64
    /// Up to where what is owed was counted.
    public var countedThrough: Int64
    public var health: Health
    public var activity: Activity
    /// When the thread last began or ended a step.
    public var heartbeat: MonotonicTime
    /// The kernel's number of the thread, as under `/proc/self/task`.
    public var threadIdentifier: Int32

    /// How long the thread has been in its present step, in nanoseconds; 0 when it is in none.
    public func workingTime(at now: MonotonicTime) -> Int64 {
        if case .working(let since) = activity { max(0, now - since) } else { 0 }
    }
}

/// What is worth one message: a change of the log's health, never a repeated attempt.
public enum ChangelogTransition: Equatable, Sendable {
    /// It cannot be written, or cannot be for another reason than before.
    case failing(ChangelogFailure)
    /// It is written again and nothing is owed any more, after so many nanoseconds.
    case recovered(after: Int64)
}
