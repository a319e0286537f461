public import LinuxKernel

/// What one batch did.
public struct BatchReport: Equatable, Sendable {
    /// Paths that were sent or compared.
    public var paths = 0
    public var deleted = 0
    /// Names whose inode was there already under another name.
    public var linked = 0
    public var statistics = RsyncStatistics()
    public var seconds: Double = 0
    public var postponed = 0
    public var quarantined = 0
    public var heldDeletions = 0
    /// The row up to which the destination is now the source's equal.
    public var cursor: Int64 = 0

    public init() {}
}

/// What a run tells while it goes on.
public enum SyncEvent: Sendable {
    /// Everything is carried: why.
    case fullPass(String, isContinued: Bool)
    case batch(BatchReport)
    /// Nothing is deleted until somebody allows it: how many, and why.
    case deletionsHeld(Int64, String)
    case quarantined(path: [UInt8], reason: String)
    /// Something that an administrator should know and that stops nothing.
    case notice(String)
}

/// What a run did.
public struct SyncReport: Equatable, Sendable {
    public var batches = 0
    public var paths = 0
    public var deleted = 0
    public var statistics = RsyncStatistics()
    /// What is left for later.
    public var waiting: Int64 = 0
    public var quarantined: Int64 = 0
    public var heldDeletions: Int64 = 0
    /// When the first of what waits is due.
    public var nextDue: Timestamp?
    /// There is more in the history than was carried.
    public var isMore = false

    public init() {}
}
