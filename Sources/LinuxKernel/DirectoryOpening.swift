import CLinux
import Glibc
public import SystemPackage

/// How a directory is to be opened.
public enum DirectoryAccess: Sendable {
    /// Enough for looking at names in it (`O_PATH`): needs no read permission on the directory itself.
    case look
    /// For listing its entries: needs read permission.
    case list
}

extension OwnedDescriptor {
    /// Longest piece handed to one openat2(2): PATH_MAX (4096) counts the NUL.
    private static let longestPiece = 4_000

    /// Opens a directory by a path that must not pass through any symlink (`RESOLVE_NO_SYMLINKS`).
    ///
    /// A path longer than PATH_MAX is walked in steps. An empty path opens `directory` itself anew.
    ///
    /// - Parameters:
    ///   - path: bytes, `/`-separated, relative to `directory`, or absolute.
    ///   - directory: an open directory, or `AT_FDCWD`.
    /// - Throws: the errno of openat2(2): `ELOOP` for a symlink on the way, `ENOTDIR`, `ENOENT`, `EACCES`, …
    public static func openDirectory(
        _ path: [UInt8], at directory: CInt = AT_FDCWD, access: DirectoryAccess
    ) throws(Errno) -> OwnedDescriptor {
        if path.count <= longestPiece { return try step(path, at: directory, access: access) }
        var rest = path[...]
        var held: OwnedDescriptor? = nil
        while rest.count > longestPiece {
            guard let slash = rest.prefix(longestPiece).lastIndex(of: UInt8(ascii: "/")), slash > rest.startIndex
            else { throw .fileNameTooLong }
            held = try step(Array(rest[..<slash]), at: held?.number ?? directory, access: .look)
            rest = rest[(slash + 1)...]
        }
        return try step(Array(rest), at: held?.number ?? directory, access: access)
    }

    private static func step(
        _ path: [UInt8], at directory: CInt, access: DirectoryAccess
    ) throws(Errno) -> OwnedDescriptor {
        let flags = UInt64(O_DIRECTORY | O_CLOEXEC | (access == .look ? O_PATH : O_RDONLY))
        let number = try withCPath(path.isEmpty ? [UInt8(ascii: ".")] : path) { (name) throws(Errno) in
            try systemCall { clinux_openat2(directory, name, flags, UInt64(RESOLVE_NO_SYMLINKS)) }
        }
        return OwnedDescriptor(owning: number)
    }

    /// Opens the entry `name` (NUL-terminated) of an open directory as a directory, not following a symlink.
    ///
    /// - Throws: the errno of openat2(2).
    public static func openDirectory(
        entry name: UnsafePointer<CChar>, of directory: CInt, access: DirectoryAccess
    ) throws(Errno) -> OwnedDescriptor {
        let flags = UInt64(O_DIRECTORY | O_CLOEXEC | (access == .look ? O_PATH : O_RDONLY))
        let number = try systemCall {
            clinux_openat2(directory, name, flags, UInt64(RESOLVE_NO_SYMLINKS))
        }
        return OwnedDescriptor(owning: number)
    }
}

extension OwnedDescriptor {
    /// Opens the entry `name` (NUL-terminated) of an open directory, whatever it is, as a reference only (`O_PATH`),
    /// not following a symlink.
    ///
    /// - Throws: the errno of openat2(2).
    public static func openEntry(_ name: UnsafePointer<CChar>, of directory: CInt) throws(Errno) -> OwnedDescriptor {
        let flags = UInt64(O_PATH | O_NOFOLLOW | O_CLOEXEC)
        return OwnedDescriptor(owning: try systemCall { clinux_openat2(directory, name, flags, 0) })
    }
}

/// A directory that was opened by its path, and what it turned out to be.
public struct OpenDirectory: ~Copyable {
    public let descriptor: OwnedDescriptor
    public let status: FileStatus

    /// Opens an absolute path through no symlink.
    ///
    /// - Throws: as `OwnedDescriptor.openDirectory`, or the errno of statx(2).
    public init(_ path: [UInt8], access: DirectoryAccess) throws(Errno) {
        let opened = try OwnedDescriptor.openDirectory(path, access: access)
        status = try FileStatus.of(descriptor: opened.number)
        descriptor = opened
    }
}
