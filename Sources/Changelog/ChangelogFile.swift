import Glibc
import LinuxKernel
import SystemPackage

/// One open generation of the log: the regular file that had the log's name when it was opened.
struct ChangelogFile: ~Copyable {
    /// Tells a file from every other, also from one that got the same inode number later.
    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
        let born: Timestamp

        init(_ status: FileStatus) {
            device = status.device
            inode = status.inode
            born = status.born
        }
    }

    let descriptor: OwnedDescriptor
    let identity: Identity

    /// Opens or creates the log.
    ///
    /// With `requireMount`, the file is reached through a descriptor of that directory, taken before it is checked:
    /// a mount that goes away in between cannot turn into a file written below the empty mount point.
    /// `O_RDWR`, because an append has to know whether the last byte is a newline; `O_NONBLOCK`, because opening a
    /// FIFO for writing would wait for a reader.
    static func open(path: [UInt8], requireMount: [UInt8]?) throws(ChangelogFailure) -> ChangelogFile {
        var base: OwnedDescriptor? = nil
        var name = path
        if let requireMount {
            base = try openMount(requireMount)
            name = relative(path, to: requireMount) ?? path
        }
        do throws(Errno) {
            let descriptor = try openFile(name, at: base?.number ?? AT_FDCWD)
            let status = try FileStatus.of(descriptor: descriptor.number)
            if status.type == .file { return ChangelogFile(descriptor: descriptor, identity: Identity(status)) }
        } catch {
            throw ChangelogFailure(.append, error, path: path)
        }
        throw ChangelogFailure(.append, .notRegularFile, path: path)
    }

    private static func openFile(_ name: [UInt8], at directory: CInt) throws(Errno) -> OwnedDescriptor {
        let flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK
        do throws(Errno) {
            return try OwnedDescriptor.open(name, flags: flags, at: directory)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
        let created = try OwnedDescriptor.open(name, flags: flags | O_CREAT, mode: 0o640, at: directory)
        // Where the tracker may write a directory but not read it, the name becomes durable with the file system's
        // next commit instead.
        try? synchronizeDirectory(of: name, at: directory)
        return created
    }

    /// Bytes.
    borrowing func size() throws(Errno) -> Int64 { try FileStatus.of(descriptor: descriptor.number).size }

    /// Whether `path`, resolved anew, still names this file.
    borrowing func isStill(at path: [UInt8]) throws(Errno) -> Bool {
        do throws(Errno) {
            let status = try withCPath(path) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD) }
            return Identity(status) == identity
        } catch .noSuchFileOrDirectory {
            return false
        } catch .notDirectory {
            return false
        }
    }

    /// The longest torn line that is looked at, in bytes: a path of PATH_MAX bytes, each of them escaped, four times.
    private static let longestTornLine = 64 * 1024

    /// What stands between the last newline and `size`, the end of the file: empty where the last line is whole.
    borrowing func tornLine(before size: Int64) throws(Errno) -> [UInt8] {
        let newline = UInt8(ascii: "\n")
        // Nearly always one byte shows it.
        if size == 0 { return [] }
        if try descriptor.read(at: size - 1, count: 1) == [newline] { return [] }
        let start = max(0, size - Int64(Self.longestTornLine))
        let tail = try descriptor.read(at: start, count: Int(size - start))
        return Array(tail[(tail.lastIndex(of: newline).map { $0 + 1 } ?? 0)...])
    }

    private static func openMount(_ directory: [UInt8]) throws(ChangelogFailure) -> OwnedDescriptor {
        do throws(Errno) {
            if let opened = try OwnedDescriptor.openMountRoot(directory) { return opened }
        } catch {
            if error != .noSuchFileOrDirectory && error != .notDirectory {
                throw ChangelogFailure(.append, error, path: directory)
            }
        }
        throw ChangelogFailure(.append, .notMounted, path: directory)
    }

    /// `path` relative to `directory`, nil when it is not below it by its components.
    static func relative(_ path: [UInt8], to directory: [UInt8]) -> [UInt8]? {
        let slash = UInt8(ascii: "/")
        var prefix = directory[...]
        while prefix.last == slash { prefix.removeLast() }
        guard path.starts(with: prefix), path.count > prefix.count, path[prefix.count] == slash else { return nil }
        let rest = path[prefix.count...].drop { $0 == slash }
        return rest.isEmpty ? nil : Array(rest)
    }
}
