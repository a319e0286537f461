import CLinux
import Glibc

/// A system call that a test made and that failed.
struct CallFailed: Error, CustomStringConvertible {
    let call: String
    let path: Path
    let errno: Int32

    var description: String { "\(call) \(path): \(String(cString: strerror(errno)))" }
}

/// The system calls that tests make on files, by path.
enum Disk {
    @discardableResult
    static func check(_ call: String, _ path: Path, _ body: (UnsafePointer<CChar>) -> Int32) throws -> Int32 {
        try path.withCString { name in
            while true {
                let result = body(name)
                if result != -1 { return result }
                let code = Glibc.errno
                if code != EINTR { throw CallFailed(call: call, path: path, errno: code) }
            }
        }
    }

    static func makeDirectory(_ path: Path, mode: mode_t = 0o755) throws {
        try check("mkdir", path) { mkdir($0, mode) }
    }

    static func removeDirectory(_ path: Path) throws { try check("rmdir", path) { rmdir($0) } }
    static func unlink(_ path: Path) throws { try check("unlink", path) { Glibc.unlink($0) } }

    static func unlink(_ path: Path, ifThere: Bool) throws {
        if !ifThere || exists(path) { try unlink(path) }
    }

    static func rename(_ old: Path, _ new: Path) throws {
        try check("rename", old) { name in new.withCString { Glibc.rename(name, $0) } }
    }

    /// renameat2(2) with `RENAME_EXCHANGE` (linux/fs.h: 2).
    static func exchange(_ one: Path, _ other: Path) throws {
        try check("renameat2", one) { name in
            other.withCString { Glibc.renameat2(AT_FDCWD, name, AT_FDCWD, $0, 2) }
        }
    }

    static func link(_ existing: Path, _ new: Path) throws {
        try check("link", existing) { name in new.withCString { Glibc.link(name, $0) } }
    }

    static func symlink(_ target: Path, at path: Path) throws {
        try check("symlink", path) { name in target.withCString { Glibc.symlink($0, name) } }
    }

    static func makeFIFO(_ path: Path) throws { try check("mkfifo", path) { mkfifo($0, 0o600) } }
    static func changeMode(_ path: Path, _ mode: mode_t) throws { try check("chmod", path) { chmod($0, mode) } }

    static func changeOwner(_ path: Path, _ owner: uid_t, _ group: gid_t) throws {
        try check("lchown", path) { lchown($0, owner, group) }
    }

    /// Sets the time of modification and leaves that of access.
    static func setModified(_ path: Path, seconds: Int, nanoseconds: Int = 0) throws {
        let omit = timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)  // UTIME_OMIT, sys/stat.h
        let times = [omit, timespec(tv_sec: seconds, tv_nsec: nanoseconds)]
        try check("utimensat", path) { utimensat(AT_FDCWD, $0, times, AT_SYMLINK_NOFOLLOW) }
    }

    static func truncate(_ path: Path, to size: Int) throws {
        try check("truncate", path) { Glibc.truncate($0, size) }
    }

    static func setAttribute(_ path: Path, _ name: String, _ value: [UInt8]) throws {
        try check("setxattr", path) { lsetxattr($0, name, value, value.count, 0) }
    }

    static func exists(_ path: Path) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0
    }

    static func status(_ path: Path) throws -> stat {
        var status = stat()
        try check("lstat", path) { lstat($0, &status) }
        return status
    }

    /// What a symlink points to.
    static func linkTarget(_ path: Path) throws -> Path {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try check("readlink", path) { Int32(readlink($0, &buffer, buffer.count)) }
        return Path(buffer[..<Int(count)].map(UInt8.init(bitPattern:)))
    }

    /// Opens, calls `body` with the descriptor and closes.
    static func withOpen<Result>(
        _ path: Path, _ flags: Int32, mode: mode_t = 0o644, _ body: (Int32) throws -> Result
    ) throws -> Result {
        let descriptor = try check("open", path) { open($0, flags | O_CLOEXEC, mode) }
        defer { close(descriptor) }
        return try body(descriptor)
    }

    /// Writes the file anew: truncated if it exists, made if not.
    static func write(_ path: Path, _ content: [UInt8] = Array("x".utf8)) throws {
        try withOpen(path, O_WRONLY | O_CREAT | O_TRUNC) { try put(content, to: $0, path) }
    }

    static func append(_ path: Path, _ content: [UInt8]) throws {
        try withOpen(path, O_WRONLY | O_APPEND) { try put(content, to: $0, path) }
    }

    static func put(_ content: [UInt8], to descriptor: Int32, _ path: Path) throws {
        guard Glibc.write(descriptor, content, content.count) == content.count else {
            throw CallFailed(call: "write", path: path, errno: Glibc.errno)
        }
    }

    /// The whole file, from byte `offset` on.
    static func read(_ path: Path, from offset: Int = 0) throws -> [UInt8] {
        try withOpen(path, O_RDONLY) { descriptor in
            var status = stat()
            fstat(descriptor, &status)
            var content: [UInt8] = []
            content.reserveCapacity(max(0, Int(status.st_size) - offset))
            var chunk = [UInt8](repeating: 0, count: 1 << 18)
            lseek(descriptor, offset, SEEK_SET)
            while true {
                let count = Glibc.read(descriptor, &chunk, chunk.count)
                if count < 0 { throw CallFailed(call: "read", path: path, errno: Glibc.errno) }
                if count == 0 { return content }
                content.append(contentsOf: chunk[..<count])
            }
        }
    }

    /// Removes whatever `path` names, with everything below it; paths may grow longer than PATH_MAX.
    static func removeTree(_ path: Path) throws {
        try check("rm -r", path) { removeTree($0, at: AT_FDCWD) }
    }

    private static func removeTree(_ name: UnsafePointer<CChar>, at directory: Int32) -> Int32 {
        if unlinkat(directory, name, 0) == 0 { return 0 }
        guard errno == EISDIR || errno == EPERM else { return errno == ENOENT ? 0 : -1 }
        let opened = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened != -1, let stream = fdopendir(opened) else { return -1 }
        defer { closedir(stream) }
        for entry in names(in: stream) {
            let code = entry.withCString { removeTree($0, at: opened) }
            if code == -1 { return -1 }
        }
        return unlinkat(directory, name, AT_REMOVEDIR)
    }

    /// The names in an open directory but `.` and `..`.
    static func names(of directory: Path) throws -> [Path] {
        try withOpen(directory, O_RDONLY | O_DIRECTORY) { descriptor in
            let stream = fdopendir(dup(descriptor))!
            defer { closedir(stream) }
            return names(in: stream)
        }
    }

    static func names(in stream: OpaquePointer) -> [Path] {
        var names: [Path] = []
        while let entry = readdir(stream) {
            let field = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let start = field.assumingMemoryBound(to: UInt8.self)
            let name = UnsafeBufferPointer(start: start, count: strlen(field.assumingMemoryBound(to: CChar.self)))
            if name[0] == 0x2E && (name.count == 1 || (name.count == 2 && name[1] == 0x2E)) { continue }
            names.append(Path(name))
        }
        return names
    }
}

/// A directory of its own for one test, gone with it.
final class Scratch {
    let path: Path

    /// Made below `TMPDIR`, or `/tmp`; others may pass through it.
    init() throws {
        var name = Array((Self.place + "/changes-test.XXXXXX").utf8CString)
        guard mkdtemp(&name) != nil else { throw CallFailed(call: "mkdtemp", path: Path(Self.place), errno: errno) }
        let resolved = realpath(name, nil)!
        defer { free(resolved) }
        path = Path(UnsafeBufferPointer(start: resolved, count: strlen(resolved)).map(UInt8.init(bitPattern:)))
        try Disk.changeMode(path, 0o755)
    }

    /// A plain `swift test` runs in memory where there is enough: a disk makes every lane wait for the syncs of the others.
    private static let place: String = {
        if let named = Scale.environment("TMPDIR") { return named }
        let memory = "/dev/shm"
        var room = statfs()
        guard !Scale.isThorough, statfs(memory, &room) == 0, room.f_bavail * UInt(room.f_bsize) >= 4 << 30,
            access(memory, W_OK) == 0
        else { return "/tmp" }
        return memory
    }()

    deinit {
        if Scale.environment("CHANGES_TEST_KEEP") != nil { return }
        for mount in mountsBelow { _ = try? run(["umount", "--lazy", mount.string]) }
        try? Disk.removeTree(path)
    }

    /// What a failed test left mounted, innermost first: removing the tree must not reach into it.
    private var mountsBelow: [Path] {
        guard let table = try? Disk.read("/proc/self/mounts") else { return [] }
        return table.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x20)
            return fields.count > 1 ? Path(fields[1]) : nil
        }.filter { $0.isBelow(path) }.reversed()
    }
}
