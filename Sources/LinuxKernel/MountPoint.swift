import CLinux
import Glibc
public import SystemPackage

extension OwnedDescriptor {
    /// Whether the open directory is the root of a mount: `STATX_ATTR_MOUNT_ROOT` of statx(2), since Linux 5.8.
    ///
    /// It tells a bind mount of a file system's own directory apart as well, which comparing `st_dev` with the
    /// parent's does not.
    ///
    /// - Throws: the errno of statx(2); `ENOTSUP` where the kernel cannot tell.
    public borrowing func isMountRoot() throws(Errno) -> Bool {
        var raw = statx()
        var empty = CChar(0)
        try systemCall { clinux_statx(number, &empty, AT_EMPTY_PATH, 0, &raw) }
        let mountRoot = UInt64(STATX_ATTR_MOUNT_ROOT)
        guard raw.stx_attributes_mask & mountRoot != 0 else { throw .notSupported }
        return raw.stx_attributes & mountRoot != 0
    }
}
