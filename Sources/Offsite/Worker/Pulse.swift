import LinuxKernel

/// What a run does between two steps of work that waits for no other program: it tells that it moves, at most once a
/// second, and ends when that was asked for.
final class Pulse {
    private let stop: any StopSignal
    private let heartbeat: () -> Void
    private var next = MonotonicTime(nanoseconds: 0)
    /// From then on every step ends the work.
    private var isOver = false

    private static let interval: Int64 = 1_000

    init(stop: any StopSignal, heartbeat: @escaping () -> Void) {
        self.stop = stop
        self.heartbeat = heartbeat
    }

    /// Cheap enough for every path.
    ///
    /// - Throws: `SyncFailure.interrupted`.
    func callAsFunction() throws(SyncFailure) {
        if isOver { throw .interrupted }
        let now = MonotonicTime.now
        guard now >= next else { return }
        next = now.advanced(milliseconds: Self.interval)
        heartbeat()
        isOver = stop.isRequested()
        if isOver { throw .interrupted }
    }
}
