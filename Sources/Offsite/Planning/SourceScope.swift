public import ChangeStore
import LinuxKernel
import SystemPackage

/// Which paths a destination carries.
public struct SourceScope: Sendable {
    /// Absolute.
    public let source: [UInt8]
    /// Says of a path relative to the source whether patterns leave it out, itself or with one of its parents.
    public let isExcluded: @Sendable (_ path: [UInt8], _ isDirectory: Bool?) -> Bool

    public init(source: [UInt8], isExcluded: @escaping @Sendable ([UInt8], Bool?) -> Bool) {
        self.source = source
        self.isExcluded = isExcluded
    }

    /// The path relative to the source; nil when it is not carried.
    public func relative(_ path: [UInt8], isDirectory: Bool?) -> [UInt8]? {
        guard path.count > source.count + 1, path[source.count] == UInt8(ascii: "/"), path.starts(with: source) else {
            return nil
        }
        let relative = Array(path[(source.count + 1)...])
        if Self.isReserved(relative) { return nil }
        return isExcluded(relative, isDirectory) ? nil : relative
    }

    /// Whether the source is this directory or lies in it, so that there is something to look for in it.
    func isAbove(_ path: [UInt8]) -> Bool {
        path == source || RenameMap.rest(of: source, below: path) != nil
    }

    /// Whether a root or mount point bears on what is carried: it is in the source and not left out, or around it.
    public func concerns(_ place: [UInt8]) -> Bool { isAbove(place) || relative(place, isDirectory: true) != nil }

    /// Names that are this program's own at a destination, or DSM's: neither sent nor deleted.
    static let reservedNames: Set<[UInt8]> = Set(
        [".nfs-changes-partial", ".nfs-changes-restore", "@eaDir", "@tmp", "#recycle", "#snapshot", "@sharesnap"].map {
            Array($0.utf8)
        })
    private static let ownDirectory = Array(DestinationMarker.directory.utf8)

    static func isReserved(_ path: [UInt8]) -> Bool {
        path.withUnsafeBufferPointer { bytes in
            var isFirst = true
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
                defer { start = end + 1 }
                guard end > start else { continue }
                let component = bytes[start..<end]
                if isFirst, component.elementsEqual(ownDirectory) { return true }
                isFirst = false
                // Nearly every name is told apart by its first byte.
                if "@#.".utf8.contains(component[start]), reservedNames.contains(Array(component)) { return true }
            }
            return isFirst
        }
    }

    public func absolute(_ path: [UInt8]) -> [UInt8] { source + [UInt8(ascii: "/")] + path }
}

/// The roots of the index as they are on the disk now.
public struct RootCheck: Sendable {
    /// Roots that cannot be relied on: missing, on another file system, or another directory. Absolute paths.
    public let away: [[UInt8]]
    /// Roots that are what the index means.
    public let present: [[UInt8]]

    /// Looks at each root.
    public init(_ roots: [RootIdentity]) {
        var away: [[UInt8]] = []
        var present: [[UInt8]] = []
        for root in roots { if Self.isPresent(root) { present.append(root.path) } else { away.append(root.path) } }
        self.away = away
        self.present = present
    }

    /// Whether a path is one of the roots that are away, or below one.
    public func isAway(_ path: [UInt8]) -> Bool {
        away.contains { root in
            path.starts(with: root) && (path.count == root.count || path[root.count] == UInt8(ascii: "/"))
        }
    }

    private static func isPresent(_ root: RootIdentity) -> Bool {
        guard let opened = try? OpenDirectory(root.path, access: .look) else { return false }
        guard opened.status.inode == root.inode, opened.status.born == root.born else { return false }
        return (try? FileSystemIdentity(of: opened.descriptor.number))?.key == root.fileSystem
    }
}
