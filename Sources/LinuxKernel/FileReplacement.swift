import CLinux
import Glibc
public import SystemPackage

/// Puts `contents` in the place of the file `path`, so that a reader, or the next start after a power loss, finds
/// either the whole old file or the whole new one: a temporary file beside it, fsync(2), rename(2).
///
/// The first time also the directory is synced: an old version that comes back is one thing, a file that is gone
/// another. There must be one writer only; the temporary file is `path` with `.new` added.
///
/// - Parameter permissions: those of the new file, whatever the umask; nil: 0640 less the umask.
/// - Throws: the errno of the call that failed; the old file is then untouched.
public func replaceFile(
    _ path: [UInt8], with contents: [UInt8], permissions: mode_t? = nil
) throws(Errno) {
    let temporary = path + Array(".new".utf8)
    let file = try OwnedDescriptor.open(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
    var failure: Errno? = nil
    contents.withUnsafeBytes { failure = file.write($0).error }
    if let failure { throw failure }
    if let permissions { try systemCall { fchmod(file.number, permissions) } }
    try file.synchronize()
    let isFirst = try !fileExists(path)
    try withCPath(temporary) { (from) throws(Errno) in
        try withCPath(path) { (to) throws(Errno) in _ = try systemCall { rename(from, to) } }
    }
    if isFirst { try synchronizeDirectory(of: path) }
}

/// fsync(2) on the directory that holds `path`: its name is on the disk when this returns.
///
/// - Throws: the errno of openat(2) or fsync(2).
public func synchronizeDirectory(of path: [UInt8], at directory: CInt = AT_FDCWD) throws(Errno) {
    let lastSlash = path.lastIndex(of: UInt8(ascii: "/"))
    let parent = lastSlash.map { Array(path[...$0]) } ?? [UInt8(ascii: ".")]
    try OwnedDescriptor.open(parent, flags: O_RDONLY | O_DIRECTORY, at: directory).synchronize()
}

private func fileExists(_ path: [UInt8]) throws(Errno) -> Bool {
    do {
        _ = try withCPath(path) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD) }
        return true
    } catch .noSuchFileOrDirectory {
        return false
    }
}
