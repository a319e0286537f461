import CLinux
import Glibc
public import SystemPackage

extension OwnedDescriptor {
    /// Opens a directory if it is the root of a mount: `STATX_ATTR_MOUNT_ROOT` of statx(2), since Linux 5.8.
    ///
    /// It recognises a bind mount of a file system's own directory as well, which comparing `st_dev` with the parent's
    /// does not. An automount point is mounted by this. While the descriptor is open, the mount stays
    /// (umount(8) says "target is busy"), but for a lazy unmount.
    ///
    /// - Returns: nil when the directory is there and nothing is mounted on it.
    /// - Throws: the errno of openat(2) or statx(2); `ENOTSUP` where the kernel cannot tell.
    public static func openMountRoot(_ path: [UInt8]) throws(Errno) -> OwnedDescriptor? {
        let directory = try OwnedDescriptor.open(path, flags: O_PATH | O_DIRECTORY)
        var raw = statx()
        var empty = CChar(0)
        try systemCall { clinux_statx(directory.number, &empty, AT_EMPTY_PATH, 0, &raw) }
        let mountRoot = UInt64(STATX_ATTR_MOUNT_ROOT)
        guard raw.stx_attributes_mask & mountRoot != 0 else { throw .notSupported }
        if raw.stx_attributes & mountRoot == 0 { return nil }
        return directory
    }
}
