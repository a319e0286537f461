import LinuxKernel

/// A failure that lasts, and when to try again: after 0.25 s, then twice as long each time, at most every 5 s.
struct ChangelogTrouble: Equatable, Sendable {
    private static let firstDelay: Int64 = 250
    private static let longestDelay: Int64 = 5_000

    private(set) var failure: ChangelogFailure
    /// When the first of the failures in a row happened.
    let since: MonotonicTime
    private(set) var retryAt: MonotonicTime
    private var delay = firstDelay

    init(_ failure: ChangelogFailure, at now: MonotonicTime) {
        self.failure = failure
        since = now
        retryAt = now.advanced(milliseconds: Self.firstDelay)
    }

    mutating func again(_ failure: ChangelogFailure, at now: MonotonicTime) {
        self.failure = failure
        delay = min(delay * 2, Self.longestDelay)
        retryAt = now.advanced(milliseconds: delay)
    }

    /// Something changed that may have ended the trouble: the next attempt is due now.
    mutating func retryNow(_ now: MonotonicTime) {
        retryAt = now
        delay = Self.firstDelay
    }
}

extension ChangelogTrouble? {
    mutating func note(_ failure: ChangelogFailure, at now: MonotonicTime) {
        if self == nil { self = ChangelogTrouble(failure, at: now) } else { self!.again(failure, at: now) }
    }
}
