import CLinux
import Glibc
public import SystemPackage

/// A lock that dies with its holder: flock(2) on a file of its own, whatever ends the process.
public struct FileLock: ~Copyable, Sendable {
    /// A process that gets it holds the lock as well, until it ends.
    public let descriptor: OwnedDescriptor

    /// Takes the lock without waiting.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to `directory`.
    ///   - directory: an open directory.
    /// - Throws: `EWOULDBLOCK` when another process holds it; the errno of openat(2) or flock(2) otherwise.
    public init(path: [UInt8], at directory: CInt = AT_FDCWD) throws(Errno) {
        let file = try OwnedDescriptor.open(
            path, flags: O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o640, at: directory)
        try systemCall { flock(file.number, LOCK_EX | LOCK_NB) }
        descriptor = file
    }
}
