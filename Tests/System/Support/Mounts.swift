import Glibc

/// A file system mounted for one test, unmounted with its owner.
final class Mounted {
    let path: Path
    private let image: Path?
    private var isMounted = true

    /// A tmpfs over `path`.
    init(tmpfsAt path: Path, size: String = "64m") throws {
        self.path = path
        image = nil
        try require(["mount", "-t", "tmpfs", "-o", "size=\(size),mode=755", "changes-test", path.string])
    }

    /// Another directory over `path`.
    init(directory: Path, at path: Path) throws {
        self.path = path
        image = nil
        try require(["mount", "--bind", directory.string, path.string])
    }

    /// A new file system in an image file, on a loop device.
    ///
    /// - Parameter options: more of the command that makes it.
    init(_ kind: FileSystemKind, at path: Path, image: Path, options: [String] = []) throws {
        self.path = path
        self.image = image
        try Disk.write(image, [])
        try Disk.truncate(image, to: kind.imageSize)
        try require(kind.makeCommand + options + [image.string])
        if !Disk.exists(path) { try Disk.makeDirectory(path) }
        try require(["mount", "-o", "loop", image.string, path.string])
    }

    func remount(_ options: String) throws {
        try require(["mount", "-o", "remount,\(options)", path.string])
    }

    /// Unmounts at once, whoever uses it (`MNT_DETACH`), or waits for it to be unused.
    func unmount(lazily: Bool = false) throws {
        guard isMounted else { return }
        if lazily {
            try require(["umount", "--lazy", path.string])
        } else {
            let done = wait(atMost: 10, every: 50) { (try? run(["umount", path.string]).isSuccess) == true }
            guard done else { throw CallFailed(call: "umount", path: path, errno: EBUSY) }
        }
        isMounted = false
    }

    deinit {
        if isMounted { _ = try? run(["umount", "--lazy", path.string]) }
        if let image { try? Disk.unlink(image) }
    }
}

/// The file systems that differ in what this project depends on.
enum FileSystemKind: String, CaseIterable, Sendable {
    /// Inodes of 128 bytes: timestamps of whole seconds and no birth time.
    case ext3
    case xfs
    case btrfs
    case tmpfs

    var imageSize: Int { self == .xfs ? 512 << 20 : 256 << 20 }

    var makeCommand: [String] {
        switch self {
        case .ext3: ["mkfs.ext3", "-q", "-F", "-I", "128"]
        case .xfs: ["mkfs.xfs", "-q", "-f"]
        case .btrfs: ["mkfs.btrfs", "-q", "-f"]
        case .tmpfs: []
        }
    }

    /// Mounts one over an existing directory.
    func mounted(at path: Path, image: Path) throws -> Mounted { try Mounted(self, at: path, image: image) }

    /// Mounts one in `scratch`.
    func mount(in scratch: Path) throws -> Mounted {
        let path = scratch / "mounted"
        if self == .tmpfs {
            try Disk.makeDirectory(path)
            return try Mounted(tmpfsAt: path, size: "256m")
        }
        return try Mounted(self, at: path, image: scratch / "image")
    }
}
