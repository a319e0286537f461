import LinuxKernel

/// Times at which an idle worker asks its destination whether all is well: every so often while it is, and with
/// exponential backoff after a run that proved nothing.
struct CheckSchedule {
    private let interval: Int64
    private(set) var due: MonotonicTime
    private var pause = CheckSchedule.firstPause

    /// Nanoseconds after a run that proved nothing, doubled with each that follows, at most the other.
    private static let firstPause: Int64 = 30_000_000_000
    private static let longestPause: Int64 = 900_000_000_000

    /// - Parameters:
    ///   - interval: nanoseconds.
    ///   - age: nanoseconds since the last run that was a success; nil: there was none, or one failed since.
    init(interval: Int64, age: Int64?, now: MonotonicTime) {
        self.interval = interval
        let left = age.map { max(0, interval - max(0, $0)) } ?? 0
        due = MonotonicTime(nanoseconds: now.nanoseconds + left)
    }

    /// A run is over.
    ///
    /// - Parameter isProven: what it found is all there is, good or bad.
    mutating func ended(isProven: Bool, now: MonotonicTime) {
        let wait = isProven ? interval : min(interval, pause)
        due = MonotonicTime(nanoseconds: now.nanoseconds.addingReportingOverflow(wait).partialValue)
        pause = isProven ? Self.firstPause : min(pause * 2, Self.longestPause)
    }
}
