import CSystemd
import Glibc
import LinuxKernel
public import Logging

/// Logs to journald with structured fields: sd_journal_sendv(3).
///
/// Metadata keys become field names (`root` is ROOT, so `journalctl ROOT=/srv/nfs/a-backup` finds it). What journald
/// does not take goes to standard error.
public struct JournalLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let identifier: String
    private let send: @Sendable ([[UInt8]]) -> Bool
    private let otherwise: StandardErrorLogHandler

    /// - Parameter identifier: SYSLOG_IDENTIFIER, the name that journalctl shows and `-t` selects.
    public init(identifier: String = "changes", level: Logger.Level = .info) {
        self.init(
            identifier: identifier, level: level, send: Self.sendToJournal,
            otherwise: StandardErrorLogHandler(level: level))
    }

    init(
        identifier: String, level: Logger.Level, send: @escaping @Sendable ([[UInt8]]) -> Bool,
        otherwise: StandardErrorLogHandler
    ) {
        self.identifier = identifier
        logLevel = level
        self.send = send
        self.otherwise = otherwise
    }

    public func log(event: LogEvent) {
        let all = mergedMetadata(metadata, metadataProvider, event)
        if send(JournalEntry(event, metadata: all, identifier: identifier).fields) { return }
        var otherwise = otherwise
        otherwise.metadata = metadata
        otherwise.metadataProvider = metadataProvider
        otherwise.log(event: event)
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    @Sendable private static func sendToJournal(_ fields: [[UInt8]]) -> Bool {
        var bytes = fields.flatMap { $0 }
        return bytes.withUnsafeMutableBytes { bytes in
            withUnsafeTemporaryAllocation(of: iovec.self, capacity: fields.count) { vector in
                var offset = 0
                for (index, field) in fields.enumerated() {
                    vector.initializeElement(
                        at: index, to: iovec(iov_base: bytes.baseAddress! + offset, iov_len: field.count))
                    offset += field.count
                }
                return sd_journal_sendv(vector.baseAddress, CInt(fields.count)) >= 0
            }
        }
    }
}
