import CLinux
import Glibc
public import SystemPackage

/// Descriptor 2, which the process was given and never closes.
public enum StandardError {
    private static let number: CInt = 2

    /// Writes `bytes` with one write(2), so that lines of several threads do not mix in a pipe or a terminal.
    ///
    /// What the kernel does not take at once is lost: there is nowhere to say so.
    public static func write(_ bytes: [UInt8]) {
        _ = try? systemCall { Glibc.write(number, bytes, bytes.count) }
    }

    /// - Throws: the errno of statx(2); `EBADF` when the process was started without one.
    public static func status() throws(Errno) -> FileStatus { try FileStatus.of(descriptor: number) }
}

extension FileStatus {
    /// The file system's device number as stat(2)'s `st_dev` has it, which is what other programs print.
    public var encodedDevice: UInt64 {
        UInt64(gnu_dev_makedev(UInt32(truncatingIfNeeded: device >> 32), UInt32(truncatingIfNeeded: device)))
    }
}
