import CLinux
import Glibc
public import SystemPackage

/// What of a file can be set beside its content.
public enum FileAttributes {
    /// Sets the time of modification, in whole seconds, through no symlink.
    ///
    /// - Throws: the errno of utimensat(2).
    public static func setModified(_ path: [UInt8], seconds: Int) throws(Errno) {
        // UTIME_OMIT (sys/stat.h), which is no constant to Swift.
        let times = [timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2), timespec(tv_sec: seconds, tv_nsec: 0)]
        try withCPath(path) { (name) throws(Errno) in
            _ = try systemCall { utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// The time of modification, in whole seconds of any year.
    ///
    /// - Throws: the errno of lstat(2).
    public static func modifiedSeconds(_ path: [UInt8]) throws(Errno) -> Int {
        var status = stat()
        try withCPath(path) { (name) throws(Errno) in _ = try systemCall { lstat(name, &status) } }
        return status.st_mtim.tv_sec
    }

    /// Sets an extended attribute.
    ///
    /// - Throws: the errno of lsetxattr(2).
    public static func set(_ name: String, of path: [UInt8], to value: [UInt8]) throws(Errno) {
        try withCPath(path) { (path) throws(Errno) in
            _ = try systemCall { lsetxattr(path, name, value, value.count, 0) }
        }
    }
}
