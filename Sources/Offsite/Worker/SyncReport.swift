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
    public var firstQuarantined: QuarantinedPath?
    public var heldDeletions = 0
    public var heldOverwrites = 0
    /// The row up to which the destination is now the source's equal.
    public var cursor: Int64 = 0

    public init() {}
}

/// A path that fails by itself.
public struct QuarantinedPath: Equatable, Sendable {
    /// Absolute.
    public let path: [UInt8]
    /// What rsync says of it.
    public let reason: String
}

/// What a run tells while it goes on.
public enum SyncEvent: Sendable {
    /// Everything is carried: why.
    case fullPass(String, isContinued: Bool)
    case batch(BatchReport)
    /// So many renamed directories were built at their new places from what was there.
    case renamed(Int, RsyncStatistics)
    /// So much was deleted before anything is sent.
    case roomMade(deleted: Int)
    /// Nothing is deleted until somebody allows it: how many, and why.
    case deletionsHeld(Int64, String)
    /// So many paths of a batch failed by themselves.
    case quarantined(Int, first: QuarantinedPath)
    /// So many files lost the links to their other names on the way, and got them back.
    case relinked(Int)
    /// Existing files are not overwritten until somebody allows it: how many, and why.
    case overwritesHeld(Int64, String)
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
    public var heldOverwrites: Int64 = 0
    /// When the first of what waits is due.
    public var nextDue: Timestamp?
    /// How much room the destination has; nil where it cannot be asked.
    public var room: FileSystemSpace?

    /// Reasons why nobody can say that the copy is whole, though all that is known was copied.
    public var doubts: [String] = []

    public init() {}

    /// The destination has what the source has, but for what is still being written.
    public var isComplete: Bool { quarantined == 0 && heldDeletions == 0 && heldOverwrites == 0 }
    /// The same, and proven.
    public var isSuccess: Bool { isComplete && doubts.isEmpty }

    /// What it lacks or has too much.
    public var shortfall: String {
        var parts: [String] = []
        if quarantined > 0 { parts.append("\(quarantined) \(quarantined == 1 ? "path is" : "paths are") quarantined") }
        if heldDeletions > 0 {
            parts.append("\(heldDeletions) \(heldDeletions == 1 ? "deletion is" : "deletions are") held")
        }
        if heldOverwrites > 0 {
            parts.append("\(heldOverwrites) overwritten \(heldOverwrites == 1 ? "file is" : "files are") held")
        }
        return parts.joined(separator: "; ")
    }
}
