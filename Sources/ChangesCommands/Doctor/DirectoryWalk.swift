import LinuxKernel
import SystemPackage
import Tracking

/// Counts the directories that the tracker would watch, and the other entries in them, for a limited time.
struct DirectoryWalk {
    private static let mostDirectories = 1_000_000
    private static let mostMilliseconds: Int64 = 5_000

    private let exclude: ExcludeList
    /// Mount points that are not entered.
    private let closed: Set<[UInt8]>
    private let end = MonotonicTime.now.advanced(milliseconds: mostMilliseconds)
    private(set) var count = DirectoryCount(directories: 0, entries: 0)

    init(exclude: ExcludeList, mounts: MountTable, oneFileSystem: Bool) {
        self.exclude = exclude
        closed = Set(
            mounts.entries.filter { oneFileSystem || FileSystemKinds.isForeign($0.fileSystemType) }.map(\.mountPoint))
    }

    /// Adds a root and all that is below it.
    mutating func count(_ root: [UInt8]) {
        let lister = DirectoryLister()
        var waiting = [root]
        while let path = waiting.popLast() {
            if count.directories >= Self.mostDirectories || MonotonicTime.now > end {
                count.isComplete = false
                return
            }
            guard let directory = try? OwnedDescriptor.openDirectory(path, access: .list) else {
                // No directory after all, gone, or without the read permission that a watch needs.
                continue
            }
            count.directories += 1
            let relative = Array(path.dropFirst(root.count + 1))
            var entries = 0
            try? lister.list(directory.number) { name, length, _, isDirectory in
                let bytes = UnsafeBufferPointer(
                    start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: length)
                if exclude.excludes(name: bytes, isDirectory: isDirectory, parentPath: { relative }) { return }
                entries += 1
                // Where the file system does not say, opening it tells.
                guard isDirectory != false, !bytes.elementsEqual(".zfs".utf8) else { return }
                let child = path + [UInt8(ascii: "/")] + bytes
                if !closed.contains(child) { waiting.append(child) }
            }
            count.entries = (count.entries ?? 0) + entries
        }
    }
}
