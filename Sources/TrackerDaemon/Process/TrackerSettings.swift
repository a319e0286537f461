public import ChangeStore

/// Everything that the tracker is told at its start or by a reload.
public struct TrackerSettings: Sendable {
    public var engine: EngineSettings
    /// The log, absolute.
    public var logPath: [UInt8]
    /// A directory that must be a mount point for the log to be written.
    public var requireMount: [UInt8]?
    public var stateDirectory: [UInt8]
    public var retention: RetentionLimits
    /// The directory of node_exporter's textfile collector; nil: no metrics are written.
    public var metricsDirectory: [UInt8]?

    public init(
        engine: EngineSettings, logPath: [UInt8], requireMount: [UInt8]?, stateDirectory: [UInt8],
        retention: RetentionLimits, metricsDirectory: [UInt8]? = nil
    ) {
        self.engine = engine
        self.logPath = logPath
        self.requireMount = requireMount
        self.stateDirectory = stateDirectory
        self.retention = retention
        self.metricsDirectory = metricsDirectory
    }
}

/// Why the tracker could not start, as a sentence that says what to do.
public struct TrackerStartError: Error, CustomStringConvertible, Sendable {
    public enum Reason: Sendable {
        /// Another tracker runs on the state directory.
        case alreadyRunning
        /// A newer version of this program wrote the store.
        case newerStore
        case other
    }
    public let reason: Reason
    public let description: String

    init(_ reason: Reason = .other, _ description: String) {
        self.reason = reason
        self.description = description
    }
}
