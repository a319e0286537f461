import CLinux
import Glibc
public import SystemPackage

extension OwnedDescriptor {
    /// Opens a file or directory as a reference only (`O_PATH`), through symlinks.
    ///
    /// - Throws: the errno of openat(2).
    public static func openReference(_ path: [UInt8], isDirectory: Bool) throws(Errno) -> OwnedDescriptor {
        try open(path, flags: O_PATH | (isDirectory ? O_DIRECTORY : 0))
    }
}

/// Opens what something can be mounted on, and makes it with the directories above it where it is missing.
///
/// No symlink is followed on the way.
///
/// - Parameter path: relative to the working directory.
/// - Throws: the errno of openat2(2) or mkdirat(2): `ELOOP` for a symlink, `EROFS` where it is missing in a directory that
///   is read-only.
public func makeMountPoint(_ path: [UInt8], isDirectory: Bool) throws(Errno) -> OwnedDescriptor {
    let parts = path.split(separator: UInt8(ascii: "/"))
    guard let last = parts.last else { throw .invalidArgument }
    var held = try OwnedDescriptor.openDirectory([], access: .look)
    for part in isDirectory ? parts[...] : parts.dropLast() {
        let name = Array(part)
        do throws(Errno) {
            held = try OwnedDescriptor.openDirectory(name, at: held.number, access: .look)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            try withCPath(name) { (name) throws(Errno) in _ = try systemCall { mkdirat(held.number, name, 0o755) } }
            held = try OwnedDescriptor.openDirectory(name, at: held.number, access: .look)
        }
    }
    if isDirectory { return held }
    let name = Array(last)
    do throws(Errno) {
        return try .open(name, flags: O_PATH | O_NOFOLLOW, at: held.number)
    } catch {
        guard error == .noSuchFileOrDirectory else { throw error }
        _ = try OwnedDescriptor.open(name, flags: O_CREAT | O_EXCL | O_WRONLY, mode: 0o444, at: held.number)
        return try .open(name, flags: O_PATH | O_NOFOLLOW, at: held.number)
    }
}

/// symlink(2).
///
/// - Throws: its errno.
public func makeSymlink(_ path: [UInt8], to target: [UInt8]) throws(Errno) {
    try withCPath(target) { (target) throws(Errno) in
        try withCPath(path) { (path) throws(Errno) in _ = try systemCall { symlink(target, path) } }
    }
}
