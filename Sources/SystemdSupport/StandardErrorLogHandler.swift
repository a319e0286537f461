import LinuxKernel
public import Logging

/// Logs to standard error, one line an event: `level: message key=value …`, control characters escaped.
///
/// No time: a terminal's user knows it, and whatever collects the output of a service stamps it.
public struct StandardErrorLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let write: @Sendable ([UInt8]) -> Void

    public init(level: Logger.Level = .info) {
        self.init(level: level, write: StandardError.write)
    }

    init(level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void) {
        logLevel = level
        self.write = write
    }

    public func log(event: LogEvent) {
        let text = LogText.line(event.message.description, mergedMetadata(metadata, metadataProvider, event))
        write(Array("\(event.level): \(text)\n".utf8))
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}
