import Glibc
import LinuxKernel

/// What lstat(2) and readlink(2) say of one path.
struct ListedEntry: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64
    var mode: UInt32
    var owner: UInt32
    var group: UInt32
    var size: Int64
    var links: UInt64
    var deviceNumber: UInt64
    var modified: Timestamp
    var changed: Timestamp
    var target: [UInt8]?

    /// What all names of one inode share.
    struct Inode: Hashable, Sendable {
        let device: UInt64
        let number: UInt64
    }

    var identity: Inode { Inode(device: device, number: inode) }
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }

    init(_ status: stat, target: [UInt8]?) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = status.st_mode
        owner = status.st_uid
        group = status.st_gid
        size = Int64(status.st_size)
        links = UInt64(status.st_nlink)
        deviceNumber = UInt64(status.st_rdev)
        modified = Timestamp(seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec))
        changed = Timestamp(seconds: Int64(status.st_ctim.tv_sec), nanoseconds: Int64(status.st_ctim.tv_nsec))
        self.target = target
    }
}

/// Every path of some trees with what it is: one of the two oracles of these tests, and independent of the
/// product's code. All calls are relative to the parent's descriptor, so a path's length is no limit.
struct Listing: Sendable {
    private(set) var entries: [Path: ListedEntry] = [:]
    let takenAt: Timestamp
    private var blocks: [ListedEntry.Inode: Int] = [:]

    /// Bytes on the disk: those of an inode once, however many names it has.
    var diskUsage: Int { blocks.values.reduce(0, +) * 512 }

    /// Lists the trees at `roots`, the roots' own entries included; one that does not exist has none.
    ///
    /// - Parameter skips: names that are left out with what is below them, like the tracker's own exclusions.
    init(_ roots: [Path], skipping skips: (Path) -> Bool = { _ in false }) throws {
        takenAt = .now
        for root in roots {
            var status = stat()
            guard root.withCString({ lstat($0, &status) }) == 0 else { continue }
            try add(root, name: root, at: AT_FDCWD, status, skips)
        }
    }

    init(entries: [Path: ListedEntry], takenAt: Timestamp) {
        self.entries = entries
        self.takenAt = takenAt
    }

    private mutating func add(
        _ path: Path, name: Path, at directory: Int32, _ status: stat, _ skips: (Path) -> Bool
    ) throws {
        var entry = ListedEntry(status, target: nil)
        if status.st_mode & S_IFMT == S_IFLNK { entry.target = Self.target(name, at: directory) }
        entries[path] = entry
        blocks[entry.identity] = Int(status.st_blocks)
        guard entry.isDirectory else { return }
        let opened = name.withCString { openat(directory, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard opened != -1, let stream = fdopendir(opened) else {
            throw CallFailed(call: "openat", path: path, errno: errno)
        }
        defer { closedir(stream) }
        for child in Disk.names(in: stream) {
            let childPath = path / child
            if skips(childPath) { continue }
            var status = stat()
            // Gone between readdir and here: as if listed a moment later.
            guard child.withCString({ fstatat(opened, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else { continue }
            try add(childPath, name: child, at: opened, status, skips)
        }
    }

    private static func target(_ name: Path, at directory: Int32) -> [UInt8]? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = name.withCString { readlinkat(directory, $0, buffer.baseAddress!, buffer.count) }
            return count < 0 ? nil : buffer[..<count].map(UInt8.init(bitPattern:))
        }
    }
}
