import CLinux
import Glibc
import Synchronization
public import SystemPackage

/// Descriptor 2, which the process was given and never closes.
public enum StandardError {
    private static let number: CInt = 2

    /// Writes `bytes`, up to PIPE_BUF of them with one write(2), so that lines of several threads do not mix in a pipe or
    /// a terminal.
    ///
    /// What the kernel does not take is lost: there is nowhere to say so.
    public static func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var room = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            guard poll(&room, 1, patience.load(ordering: .relaxed)) > 0 else { return }
            // A pipe that is ready has room for this much (pipe(7)), and write(2) does not block.
            let piece = Array(rest.prefix(Int(PIPE_BUF)))
            rest = rest.dropFirst(piece.count)
            guard (try? systemCall { Glibc.write(number, piece, piece.count) }) != nil else { return }
        }
    }

    /// Milliseconds that a pipe or terminal is waited for which nobody reads; -1: for ever.
    private static let patience = Atomic<CInt>(-1)

    /// From now on a reader that does not read holds up nobody who writes for long: what he would have to wait for is
    /// lost instead. For services, which have more to do than to tell.
    public static func limitWaiting(milliseconds: CInt) { patience.store(milliseconds, ordering: .relaxed) }

    /// - Throws: the errno of statx(2); `EBADF` when the process was started without one.
    public static func status() throws(Errno) -> FileStatus { try FileStatus.of(descriptor: number) }
}

extension FileStatus {
    /// The file system's device number as stat(2)'s `st_dev` has it, which is what other programs print.
    public var encodedDevice: UInt64 {
        UInt64(gnu_dev_makedev(UInt32(truncatingIfNeeded: device >> 32), UInt32(truncatingIfNeeded: device)))
    }
}
