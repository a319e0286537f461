public import LinuxKernel

/// Finds a stage that does not wake up for what is in its queue.
///
/// A stage that waits says so in its heartbeat, and cannot say that it should not be waiting. Whoever looks at it now
/// and then sees the queue: one that has something in it at look after look, while the heartbeat stands still, makes the
/// stage a busy one without progress. A state machine: it has no clock and no I/O.
public struct QueueWatch: Sendable {
    private struct Waiting {
        let lastProgress: MonotonicTime?
        let since: MonotonicTime
    }
    private var waiting: Waiting?

    public init() {}

    /// What a look at the stage sees, given whether there is something in its queue.
    public mutating func snapshot(
        _ heartbeat: Heartbeat.Snapshot, queueIsEmpty: Bool, at now: MonotonicTime
    ) -> Heartbeat.Snapshot {
        guard !heartbeat.isBusy, !queueIsEmpty else {
            waiting = nil
            return heartbeat
        }
        let known = waiting.flatMap { $0.lastProgress == heartbeat.lastProgress ? $0 : nil }
        let current = known ?? Waiting(lastProgress: heartbeat.lastProgress, since: now)
        waiting = current
        return Heartbeat.Snapshot(lastProgress: current.since, isBusy: true, thread: heartbeat.thread)
    }
}
