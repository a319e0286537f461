public import LinuxKernel

/// What is known of one destination, for Prometheus. What is nil is not known, and is left out.
///
/// The last success cannot be set by itself: only a success moves it, so a failure never looks like one.
public struct SyncFigures: Equatable, Sendable {
    /// How a run ended, with its number in `offsite_sync_last_status`.
    public enum Status: Int64, Sendable {
        /// The destination has everything that the run was for; also when there was nothing to do.
        case success = 0
        /// Anything else: failed, stopped, or held back.
        case failure = 1
    }

    /// How far the copy of everything is that a destination begins with, with its number in `offsite_first_copy`.
    public enum FirstCopy: Int64, Sendable {
        case notBegun = 0
        case underWay = 1
        case complete = 2
    }

    /// The values of the two labels.
    public let job: String
    public let destination: String

    /// When a run last ended well.
    public private(set) var lastSuccess: Timestamp?
    /// How long the last run took, however it ended.
    public private(set) var lastDuration: Duration?
    public private(set) var lastStatus: Status?

    /// Paths that changed and are not yet copied, quarantined ones left out.
    public var pendingPaths: Int64?
    /// Bytes of their content.
    public var pendingBytes: Int64?
    /// Since when the oldest of them waits; zero when none does.
    public var oldestPending: Duration?
    /// Paths that failed by themselves and are tried again slowly.
    public var quarantinedPaths: Int64?
    /// Deletions that wait for `--allow-deletes`.
    public var heldDeletions: Int64?
    /// Overwritten files that wait for `--allow-overwrites`.
    public var heldOverwrites: Int64?
    /// Bytes that the receiving user can still write to the destination's file system.
    public var availableBytes: Int64?
    /// Bytes of that file system in all.
    public var sizeBytes: Int64?
    /// Bytes below which nothing more is copied there (`min_free`).
    public var minFreeBytes: Int64?
    /// Paths in which the last verification found source and destination to differ.
    public var driftPaths: Int64?
    /// Paths at the destination that are not copied any more.
    public var orphanPaths: Int64?

    public var firstCopy: FirstCopy?
    /// When the worker last showed that it lives: when these figures were taken.
    public var heartbeat: Timestamp?
    /// The worker ends with its run (`--once`), so that its silence afterwards means nothing.
    public var endsAfterRun: Bool?
    /// The last push was refused, or did not get there; nil where nothing is pushed.
    public var isPushFailing: Bool?

    /// - Parameter lastSuccess: as an earlier process left it. Without it the textfile has no last success until the
    ///   next, and an alert for an old one cannot fire.
    public init(job: String, destination: String, lastSuccess: Timestamp? = nil) {
        self.job = job
        self.destination = destination
        self.lastSuccess = lastSuccess
    }

    /// A run ended well at `moment`.
    public mutating func recordSuccess(at moment: Timestamp, took duration: Duration) {
        lastSuccess = moment
        lastDuration = duration
        lastStatus = .success
    }

    /// A run ended in any other way. The last success stays what it was.
    public mutating func recordFailure(took duration: Duration) {
        lastDuration = duration
        lastStatus = .failure
    }

    /// How the last run ended, as an earlier process left it, which did not leave how long it took.
    public mutating func recordEarlier(_ status: Status) { lastStatus = status }
}
