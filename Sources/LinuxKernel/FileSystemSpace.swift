import CLinux
import Glibc
public import SystemPackage

/// How full a file system is (statvfs(3)).
public struct FileSystemSpace: Equatable, Sendable {
    /// Bytes that an ordinary process may still write; what is reserved for root does not count.
    public var available: Int64
    /// Bytes in all.
    public var total: Int64
    /// Files that can still be made; nil where there is no such limit.
    public var availableFiles: Int64?

    public init(available: Int64, total: Int64, availableFiles: Int64? = nil) {
        self.available = available
        self.total = total
        self.availableFiles = availableFiles
    }

    /// - Parameter path: anything on the file system.
    /// - Throws: the errno of statvfs(3).
    public init(at path: [UInt8]) throws(Errno) {
        var information = statvfs()
        try withCPath(path) { (name) throws(Errno) in
            _ = try systemCall { clinux_statvfs(name, &information) }
        }
        let unit = Int64(information.f_frsize)
        available = Int64(clamping: information.f_bavail).multipliedReportingOverflow(by: unit).partialValue
        total = Int64(clamping: information.f_blocks).multipliedReportingOverflow(by: unit).partialValue
        availableFiles = information.f_files == 0 ? nil : Int64(clamping: information.f_favail)
    }
}
