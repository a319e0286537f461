public import LinuxKernel

/// Decides which runs a dead man's switch is told of. A state machine: it has no clock and no I/O.
///
/// A worker that goes on for ever may run every half minute: a switch is told once a minute at most, but at once when a
/// run ends otherwise than the one before. A start is always followed by a result, for a switch takes one without for a run
/// that hangs; and it is told again every hour of a long run, which so does not look like one.
public struct PingPolicy: Sendable {
    /// Milliseconds between two runs that are told.
    private static let interval: Int64 = 60_000
    /// Milliseconds between two starts of one run.
    private static let repetition: Int64 = 3_600_000

    private var lastTold: MonotonicTime?
    private var lastSuccess: Bool?
    /// When the run that is under way, and was told of, is told of again.
    private var again: MonotonicTime?

    public init() {}

    /// A run begins.
    ///
    /// - Parameter isCheck: it most likely has nothing to do.
    /// - Returns: whether to tell.
    public mutating func begins(isCheck: Bool, now: MonotonicTime) -> Bool {
        let isDue = lastTold.map { now >= $0.advanced(milliseconds: Self.interval) } ?? true
        guard isDue, !isCheck else { return false }
        lastTold = now
        again = now.advanced(milliseconds: Self.repetition)
        return true
    }

    /// A run is under way.
    ///
    /// - Returns: whether to tell once more that it began.
    public mutating func goesOn(now: MonotonicTime) -> Bool {
        guard let due = again, now >= due else { return false }
        again = now.advanced(milliseconds: Self.repetition)
        return true
    }

    /// A run has ended.
    ///
    /// - Returns: whether to tell.
    public mutating func ended(succeeded: Bool, now: MonotonicTime) -> Bool {
        let isDue =
            again != nil || succeeded != lastSuccess
            || lastTold.map { now >= $0.advanced(milliseconds: Self.interval) } ?? true
        again = nil
        lastSuccess = succeeded
        if isDue { lastTold = now }
        return isDue
    }
}
