import Glibc
import LinuxKernel
public import Logging

/// The log handler for where this process runs: journald with fields when standard error leads there, else plain
/// lines on standard error.
///
/// `sd_journal_sendv` reports success where no journald runs, so it can't be asked.
public func makeLogHandler(level: Logger.Level = .info) -> any LogHandler {
    makeJournalLogHandler(level: level) ?? StandardErrorLogHandler(level: level)
}

/// The one for journald; nil where standard error leads elsewhere.
public func makeJournalLogHandler(level: Logger.Level = .info) -> (any LogHandler)? {
    if let variable = getenv("JOURNAL_STREAM"), let status = try? StandardError.status(),
        JournalStream(String(cString: variable))?.isSame(as: status) == true
    {
        return JournalLogHandler(level: level)
    }
    return nil
}

/// The value of `JOURNAL_STREAM` (systemd.exec(5)): device and inode of the socket to journald that the service
/// manager made, in decimal with a colon between them.
///
/// It is inherited by children whose output was redirected since, hence the comparison.
struct JournalStream: Equatable {
    let device: UInt64
    let inode: UInt64

    init?(_ value: String) {
        let parts = value.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1]) else { return nil }
        self.device = device
        self.inode = inode
    }

    func isSame(as status: FileStatus) -> Bool { status.encodedDevice == device && status.inode == inode }
}
