import CLinux
import Glibc
public import SystemPackage

extension OwnedDescriptor {
    /// Opens a directory if something is mounted on it: if it shows anything else than what an unmount would leave.
    ///
    /// That is so where its device is not its parent's (btrfs subvolumes have one each, mounted or not), or where it is
    /// a mount of another directory of the same file system (a bind mount). A directory that is bound to itself does
    /// not count: systemd makes one of every path in a unit's `ReadWritePaths=` on which nothing is mounted. `/` counts.
    ///
    /// An automount point is mounted by this. While the descriptor is open, the mount stays (umount(8) says "target is
    /// busy"), but for a lazy unmount.
    ///
    /// - Returns: nil when the directory is there and nothing is mounted on it.
    /// - Throws: the errno of openat(2), statx(2) or of reading `/proc/self/mountinfo`; `ENOTSUP` where the kernel
    ///   cannot tell (before Linux 5.8).
    public static func openMountRoot(_ path: [UInt8]) throws(Errno) -> OwnedDescriptor? {
        let flags = O_PATH | O_DIRECTORY
        let directory = try OwnedDescriptor.open(path, flags: flags)
        let place = try MountPlace(of: directory.number)
        // Held until the end, as the directory is: the kernel gives the number of neither mount to another one.
        let above = try OwnedDescriptor.open(Array("..".utf8), flags: flags, at: directory.number)
        let parent = try MountPlace(of: above.number)
        if place.device != parent.device { return directory }
        guard place.isMountRoot else { return nil }
        if place.mountID == parent.mountID { return directory }  // The parent of "/" is "/".
        let file = try MountTable.open()
        let mounts = try MountTable.read(file.number)
        // A mount that is missing in the table was unmounted lazily in the meantime.
        guard let mount = mounts.entries.first(where: { $0.mountID == place.mountID }),
            let parentMount = mounts.entries.first(where: { $0.mountID == parent.mountID })
        else { return nil }
        if mount.isBoundToItself(in: parentMount) { return nil }
        return directory
    }
}

/// Where an open directory is among the mounts, by statx(2).
private struct MountPlace {
    let device: UInt64
    /// As in the mount table.
    let mountID: Int
    let isMountRoot: Bool

    init(of directory: CInt) throws(Errno) {
        var raw = statx()
        var empty = CChar(0)
        try systemCall { clinux_statx(directory, &empty, AT_EMPTY_PATH, UInt32(STATX_MNT_ID), &raw) }
        let mountRoot = UInt64(STATX_ATTR_MOUNT_ROOT)
        guard raw.stx_attributes_mask & mountRoot != 0, raw.stx_mask & UInt32(STATX_MNT_ID) != 0 else {
            throw .notSupported
        }
        device = UInt64(raw.stx_dev_major) << 32 | UInt64(raw.stx_dev_minor)
        mountID = Int(raw.stx_mnt_id)
        isMountRoot = raw.stx_attributes & mountRoot != 0
    }
}

extension MountEntry {
    /// Whether this mount shows the directory that is at its mount point without it.
    ///
    /// - Parameter parent: the mount that the directory above the mount point is in, of the same file system.
    func isBoundToItself(in parent: MountEntry) -> Bool {
        let slash = UInt8(ascii: "/")
        let above = parent.mountPoint == [slash] ? [] : parent.mountPoint
        guard mountPoint.starts(with: above) else { return false }
        let base = parent.root == [slash] ? [] : parent.root
        return root == base + mountPoint.dropFirst(above.count)
    }
}
