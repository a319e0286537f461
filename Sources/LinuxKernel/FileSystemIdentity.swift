import CLinux
import Glibc
public import SystemPackage

/// Which file system a directory is on, in a form that survives reboots and device renumbering.
///
/// ext4's `f_fsid` is its UUID folded to 64 bits (fs/ext4/super.c), btrfs' is the UUID mixed with the subvolume
/// (fs/btrfs/super.c) and ZFS' is the dataset's GUID (zfs_vfsops.c): all stable, and the same on every kernel
/// version, which `FS_IOC_GETFSUUID` (6.9 on) would not be. XFS makes its `f_fsid` from the device number
/// (fs/xfs/xfs_super.c), so its UUID is asked for.
public struct FileSystemIdentity: Hashable, Sendable {
    /// The magic number of statfs(2) in hexadecimal, a dash, and the UUID or `f_fsid` in hexadecimal.
    public let key: String
    /// The magic number of statfs(2).
    public let magic: UInt64

    /// A remote or user-space file system: its changes by others raise no inotify event, and a look can hang.
    public var isForeign: Bool {
        [
            UInt64(CLINUX_NFS_SUPER_MAGIC.rawValue), UInt64(CLINUX_FUSE_SUPER_MAGIC.rawValue),
            UInt64(CLINUX_AUTOFS_SUPER_MAGIC.rawValue), UInt64(CLINUX_SMB2_SUPER_MAGIC.rawValue),
            UInt64(CLINUX_CIFS_SUPER_MAGIC.rawValue),
        ].contains(magic)
    }

    /// Stores through a shared mapping leave the times of the file alone: file systems in memory have no
    /// `page_mkwrite` (mm/shmem.c, fs/ramfs).
    public var hasTimelessMappings: Bool {
        [UInt64(CLINUX_TMPFS_MAGIC.rawValue), UInt64(CLINUX_RAMFS_MAGIC.rawValue)].contains(magic)
    }

    /// - Parameter descriptor: any open file or directory of it; `O_PATH` will do.
    /// - Throws: the errno of fstatfs(2).
    public init(of descriptor: CInt) throws(Errno) {
        var information = statfs()
        try systemCall { fstatfs(descriptor, &information) }
        magic = UInt64(UInt32(truncatingIfNeeded: information.f_type))
        let folded = withUnsafeBytes(of: information.f_fsid) { $0.loadUnaligned(as: UInt64.self) }
        var identity = String(folded, radix: 16)
        if magic == UInt64(CLINUX_XFS_SUPER_MAGIC.rawValue), let uuid = Self.xfsUUID(of: descriptor) { identity = uuid }
        key = String(magic, radix: 16) + "-" + identity
    }

    /// The UUID of an XFS, or nil when it cannot be opened for the question.
    private static func xfsUUID(of descriptor: CInt) -> String? {
        let dot: [UInt8] = [UInt8(ascii: ".")]
        guard
            let opened = try? OwnedDescriptor.open(dot, flags: O_RDONLY | O_DIRECTORY, at: descriptor)
        else { return nil }
        var geometry = clinux_xfs_geometry()
        guard clinux_ioctl(opened.number, clinux_xfs_fsgeometry, &geometry) == 0 else { return nil }
        return withUnsafeBytes(of: geometry.uuid) { bytes in
            bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        }
    }
}
