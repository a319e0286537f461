import CLinux
import Glibc
public import SystemPackage

/// A copy of a mount, or of a part of it, with what is mounted below: a bind mount that is not attached yet
/// (open_tree(2), Linux 5.2).
public struct MountCopy: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// Copies what an open file or directory of the calling thread's namespace is.
    ///
    /// - Throws: the errno of open_tree(2).
    public init(of file: CInt, recursive: Bool) throws(Errno) {
        descriptor = OwnedDescriptor(owning: try systemCall { clinux_clone_mounts(file, "", recursive ? 1 : 0) })
    }

    /// What a mount forbids, in the numbers of mount_setattr(2).
    public struct Restrictions: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let readOnly = Restrictions(rawValue: UInt64(CLINUX_MOUNT_ATTR_RDONLY.rawValue))
        public static let noSetUser = Restrictions(rawValue: UInt64(CLINUX_MOUNT_ATTR_NOSUID.rawValue))
        public static let noDevices = Restrictions(rawValue: UInt64(CLINUX_MOUNT_ATTR_NODEV.rawValue))
    }

    /// Restricts the copy and every mount below it, and attaches it to what `target` is open on.
    ///
    /// - Throws: the errno of mount_setattr(2), move_mount(2), or of what stands in for the first before Linux 5.12.
    public consuming func attach(to target: CInt, _ restrictions: Restrictions) throws(Errno) {
        var isRestricted = true
        do throws(Errno) {
            try systemCall { clinux_set_mount_attributes(descriptor.number, restrictions.rawValue) }
        } catch {
            guard error == .noFunction else { throw error }
            isRestricted = false
        }
        try systemCall { clinux_attach_mounts(descriptor.number, target) }
        if !isRestricted { try restrictAttached(restrictions) }
    }

    /// Restricts each mount by a remount of its own: before Linux 5.12.
    ///
    /// The table gives no path that a rename could not turn, meanwhile, into another one, so each mount is opened through
    /// no symlink. One that cannot be reached because another is mounted on it, or that the old root hides, is out of the
    /// program's reach as well; nothing else may be left out.
    private borrowing func restrictAttached(_ restrictions: Restrictions) throws(Errno) {
        let path = try descriptor.currentPath()
        let file = try MountTable.open()
        let table = try MountTable.read(file.number)
        for entry in table.mountPoints(under: path) {
            let flags = UInt64(O_PATH | O_CLOEXEC)
            let place = try withCPath(entry.mountPoint) { (name) throws(Errno) in
                try systemCall { clinux_openat2(AT_FDCWD, name, flags, UInt64(RESOLVE_NO_SYMLINKS)) }
            }
            let mounted = OwnedDescriptor(owning: place)
            try systemCall {
                mount(nil, "/proc/self/fd/\(mounted.number)", nil, restrictions.remountFlags, nil)
            }
        }
    }
}

extension MountCopy.Restrictions {
    /// For mount(2); what they leave out is what a bind mount of Linux has without being asked.
    fileprivate var remountFlags: UInt {
        var flags = MS_REMOUNT | MS_BIND
        if contains(.readOnly) { flags |= MS_RDONLY }
        if contains(.noSetUser) { flags |= MS_NOSUID }
        if contains(.noDevices) { flags |= MS_NODEV }
        return UInt(flags)
    }
}

extension OwnedDescriptor {
    /// Where the open file is now, as `/proc/self/fd` says.
    ///
    /// - Throws: the errno of readlink(2).
    public borrowing func currentPath() throws(Errno) -> [UInt8] {
        try readLink(Array("/proc/self/fd/\(number)".utf8))
    }
}

/// What a symlink holds: readlink(2).
///
/// - Throws: the errno of readlink(2): `EINVAL` for what is no symlink; `ENAMETOOLONG` for one of more than 4,095 bytes.
public func readLink(_ path: [UInt8]) throws(Errno) -> [UInt8] {
    var target = [CChar](repeating: 0, count: 4_096)
    let count = try withCPath(path) { (name) throws(Errno) in
        try systemCall { readlink(name, &target, target.count) }
    }
    guard count < target.count else { throw .fileNameTooLong }
    return target[..<count].map(UInt8.init(bitPattern:))
}
