/// What is special about a directory right now.
public struct NodeState: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// One of the roots: its name is its absolute path.
    public static let root = NodeState(rawValue: 1 << 0)
    /// Out of its place, with no parent, until it turns up somewhere or is removed.
    public static let detached = NodeState(rawValue: 1 << 1)
    /// Another file system, or of a root another inode, is where the store expects this one: what a walk misses
    /// here is not recorded as deleted.
    public static let held = NodeState(rawValue: 1 << 2)
    /// Has no watch because the limit was reached: polled.
    public static let polled = NodeState(rawValue: 1 << 3)
    /// Cannot be read or searched; told once.
    public static let unreadable = NodeState(rawValue: 1 << 4)
    /// Its removal was seen as an event.
    public static let removalSeen = NodeState(rawValue: 1 << 5)
    /// Waits in the queue of scans.
    public static let queued = NodeState(rawValue: 1 << 6)
    /// The queued scan covers everything below as well.
    public static let queuedDeep = NodeState(rawValue: 1 << 7)
    /// The queued scan comes after a gap in the events.
    public static let queuedGap = NodeState(rawValue: 1 << 8)
    /// A root that is not there now.
    public static let missing = NodeState(rawValue: 1 << 9)
    /// The queued scan puts what it finds into the index without a record.
    public static let queuedSilent = NodeState(rawValue: 1 << 11)
    /// On a remote or user-space file system, or across a mount with `one_file_system`: not entered.
    public static let notEntered = NodeState(rawValue: 1 << 10)
}
