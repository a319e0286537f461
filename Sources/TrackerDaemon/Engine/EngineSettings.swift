public import Tracking

/// What the engine is told about what to track. A reload replaces it as a whole.
public struct EngineSettings: Sendable {
    public var roots: [RootPattern]
    public var exclude: ExcludeList
    /// Mount points below a root are not entered.
    public var oneFileSystem: Bool
    /// How often directories without a watch are walked, in nanoseconds.
    public var pollInterval: Int64
    /// The first walk of a new store is recorded like any other.
    public var emitExisting: Bool
    /// The tracker's own directories and files, absolute: never tracked, wherever they are.
    public var ownPaths: [[UInt8]]

    public init(
        roots: [RootPattern], exclude: ExcludeList, oneFileSystem: Bool, pollInterval: Int64, emitExisting: Bool,
        ownPaths: [[UInt8]]
    ) {
        self.roots = roots
        self.exclude = exclude
        self.oneFileSystem = oneFileSystem
        self.pollInterval = pollInterval
        self.emitExisting = emitExisting
        self.ownPaths = ownPaths
    }
}
