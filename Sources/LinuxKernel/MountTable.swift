import CLinux
import Glibc
public import SystemPackage

/// The mounts that this process sees: `/proc/self/mountinfo` at one moment.
public struct MountTable: Equatable, Sendable {
    /// In the kernel's order.
    public let entries: [MountEntry]

    public init(_ entries: [MountEntry]) { self.entries = entries }

    /// Parses the text of a mountinfo file. Lines that are not as proc(5) says are left out.
    public init(text: some Collection<UInt8>) {
        entries = text.split(separator: UInt8(ascii: "\n")).compactMap { MountEntry(line: $0) }
    }

    /// Opens `/proc/self/mountinfo`.
    ///
    /// After each change of the table the descriptor is ready once for `EPOLLPRI`, with `EPOLLERR` as well (proc(5));
    /// a change since the opening counts. So: open, add to an `EventPoll`, read, and read again after each event.
    ///
    /// - Throws: the errno of openat(2).
    public static func open() throws(Errno) -> OwnedDescriptor {
        try .open(Array("/proc/self/mountinfo".utf8), flags: O_RDONLY)
    }

    /// Reads the whole table, from the start, whatever was read before.
    ///
    /// The kernel hands it out a page at a time. A mount that comes or goes in between may be missing from the result,
    /// and is an event of the descriptor.
    ///
    /// - Parameter descriptor: an open mountinfo file, whose offset is neither used nor moved.
    /// - Throws: the errno of pread(2).
    public static func read(_ descriptor: CInt) throws(Errno) -> MountTable {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try systemCall { pread(descriptor, &chunk, chunk.count, off_t(text.count)) }
            if count == 0 { return MountTable(text: text) }
            text += chunk[..<count]
        }
    }
}

extension MountTable {
    /// The mounts at `path` or below it, in the kernel's order; also those that another mount hides.
    ///
    /// - Parameter path: absolute, without a slash at the end but for `/`.
    public func mountPoints(under path: [UInt8]) -> [MountEntry] {
        entries.filter { covers(path, $0.mountPoint) }
    }

    /// The mount in which `path` is, if no symlink is on the way: the one that a lookup of it ends in.
    ///
    /// Neither the longest mount point nor the last line is always right, since mounts are hidden by later ones above
    /// them and are moved. So this goes down the tree of mounts as a lookup does. nil where nothing is mounted above
    /// `path` (in a chroot that is no mount point).
    ///
    /// - Parameter path: absolute, without a slash at the end but for `/`.
    public func entry(covering path: [UInt8]) -> MountEntry? {
        var children: [Int: [MountEntry]] = [:]
        var known: Set<Int> = []
        for entry in entries { known.insert(entry.mountID) }
        var top: MountEntry?
        for entry in entries where covers(entry.mountPoint, path) {
            if entry.parentID != entry.mountID && known.contains(entry.parentID) {
                children[entry.parentID, default: []].append(entry)
            } else if top.map({ $0.mountPoint.count <= entry.mountPoint.count }) ?? true {
                top = entry
            }
        }
        guard var current = top else { return nil }
        // Of two mounts on the same one, the lookup meets the upper first. Each is left behind for good: no endless
        // loop, whatever the numbers in the table say.
        while let met = children.removeValue(forKey: current.mountID)?.min(by: {
            $0.mountPoint.count < $1.mountPoint.count
        }) {
            current = met
        }
        return current
    }

    /// Whether `path` is `directory` or below it.
    private func covers(_ directory: [UInt8], _ path: [UInt8]) -> Bool {
        if directory.count <= 1 { return path.first == UInt8(ascii: "/") }
        return path.starts(with: directory)
            && (path.count == directory.count || path[directory.count] == UInt8(ascii: "/"))
    }
}

/// One difference between two mount tables.
public enum MountChange: Hashable, Sendable {
    case mounted(MountEntry)
    case unmounted(MountEntry)
    /// The same mount with other options (a remount), at another place or on another parent (`mount --move`).
    case changed(from: MountEntry, to: MountEntry)
}

extension MountTable {
    /// What is different since `old`: what is gone first, then what is new or changed, each in the kernel's order.
    ///
    /// Mounts are told apart by their number. The kernel reuses it, so the same file system unmounted and mounted again
    /// at the same place between two readings may show no difference; its watches' `IN_UNMOUNT` does.
    public func difference(from old: MountTable) -> [MountChange] {
        let before = Dictionary(old.entries.map { ($0.mountID, $0) }, uniquingKeysWith: { $1 })
        let after = Dictionary(entries.map { ($0.mountID, $0) }, uniquingKeysWith: { $1 })
        var changes: [MountChange] = []
        for entry in old.entries where after[entry.mountID].map({ !$0.isSameMount(as: entry) }) ?? true {
            changes.append(.unmounted(entry))
        }
        for entry in entries {
            guard let previous = before[entry.mountID], entry.isSameMount(as: previous) else {
                changes.append(.mounted(entry))
                continue
            }
            if previous != entry { changes.append(.changed(from: previous, to: entry)) }
        }
        return changes
    }
}

extension MountEntry {
    /// Whether an entry with the same number is still the same mount. A mount's file system and the directory of it
    /// that it shows never change.
    fileprivate func isSameMount(as other: MountEntry) -> Bool {
        device == other.device && root == other.root && fileSystemType == other.fileSystemType
    }
}
