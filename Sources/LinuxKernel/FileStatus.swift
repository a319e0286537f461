import CLinux
import Glibc
public import SystemPackage

/// The type of a directory entry: the `S_IFMT` bits of its mode.
public enum FileType: UInt8, Sendable, CaseIterable {
    case file = 0
    case directory
    case symlink
    case fifo
    case socket
    case characterDevice
    case blockDevice

    @inlinable
    public init(mode: UInt16) {
        switch UInt32(mode) & 0o170000 {
        case 0o040000: self = .directory
        case 0o120000: self = .symlink
        case 0o010000: self = .fifo
        case 0o140000: self = .socket
        case 0o020000: self = .characterDevice
        case 0o060000: self = .blockDevice
        default: self = .file
        }
    }
}

/// What statx(2) says of one inode, in this project's units.
public struct FileStatus: Equatable, Sendable {
    /// Type and permission bits, as `st_mode`.
    public var mode: UInt16
    public var owner: UInt32
    public var group: UInt32
    public var linkCount: UInt32
    /// Bytes.
    public var size: Int64
    public var inode: UInt64
    /// `major << 32 | minor` of the file system. Not stable across reboots: never stored.
    public var device: UInt64
    /// `major << 32 | minor` of a device node; 0 for everything else.
    public var deviceNumber: UInt64
    public var modified: Timestamp
    public var changed: Timestamp
    /// The birth time; 0 where the file system keeps none.
    public var born: Timestamp
    /// Something is mounted there (`STATX_ATTR_MOUNT_ROOT`, Linux 5.8).
    public var isMountRoot: Bool
    /// At least a mebibyte of it takes no room on the disk.
    public var hasHoles: Bool

    @inlinable
    public var type: FileType { FileType(mode: mode) }
    @inlinable
    public var isDirectory: Bool { mode & 0o170000 == 0o040000 }

    public init(
        mode: UInt16, owner: UInt32, group: UInt32, linkCount: UInt32, size: Int64, inode: UInt64, device: UInt64,
        deviceNumber: UInt64 = 0, modified: Timestamp, changed: Timestamp, born: Timestamp,
        isMountRoot: Bool = false, hasHoles: Bool = false
    ) {
        self.mode = mode
        self.owner = owner
        self.group = group
        self.linkCount = linkCount
        self.size = size
        self.inode = inode
        self.device = device
        self.deviceNumber = deviceNumber
        self.modified = modified
        self.changed = changed
        self.born = born
        self.isMountRoot = isMountRoot
        self.hasHoles = hasHoles
    }
}

extension FileStatus {
    init(_ raw: statx) {
        mode = raw.stx_mode
        owner = raw.stx_uid
        group = raw.stx_gid
        linkCount = raw.stx_nlink
        size = Int64(truncatingIfNeeded: raw.stx_size)
        inode = raw.stx_ino
        device = UInt64(raw.stx_dev_major) << 32 | UInt64(raw.stx_dev_minor)
        deviceNumber = UInt64(raw.stx_rdev_major) << 32 | UInt64(raw.stx_rdev_minor)
        modified = Timestamp(seconds: raw.stx_mtime.tv_sec, nanoseconds: Int64(raw.stx_mtime.tv_nsec))
        changed = Timestamp(seconds: raw.stx_ctime.tv_sec, nanoseconds: Int64(raw.stx_ctime.tv_nsec))
        born =
            raw.stx_mask & UInt32(STATX_BTIME) == 0
            ? Timestamp(nanoseconds: 0)
            : Timestamp(seconds: raw.stx_btime.tv_sec, nanoseconds: Int64(raw.stx_btime.tv_nsec))
        isMountRoot = raw.stx_attributes & UInt64(STATX_ATTR_MOUNT_ROOT) != 0
        // Blocks of 512 bytes (statx(2)).
        hasHoles = raw.stx_blocks < 1 << 50 && size - Int64(raw.stx_blocks) * 512 >= 1 << 20
    }

    /// The status of the entry `name` (NUL-terminated) of the open `directory`, never following a symlink
    /// and never mounting an autofs.
    ///
    /// - Throws: the errno of statx(2); `ENOENT` when there is no such entry.
    public static func of(_ name: UnsafePointer<CChar>, in directory: CInt) throws(Errno) -> FileStatus {
        try look(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)
    }

    /// The status of what `descriptor` has open.
    ///
    /// - Throws: the errno of statx(2).
    public static func of(descriptor: CInt) throws(Errno) -> FileStatus {
        try withUnsafePointer(to: CChar(0)) { (empty) throws(Errno) in
            try look(descriptor, empty, AT_EMPTY_PATH)
        }
    }

    private static func look(_ directory: CInt, _ name: UnsafePointer<CChar>, _ flags: CInt) throws(Errno) -> FileStatus
    {
        var raw = statx()
        try systemCall { clinux_statx(directory, name, flags, UInt32(STATX_BASIC_STATS | STATX_BTIME), &raw) }
        return FileStatus(raw)
    }
}
