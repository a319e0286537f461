import CLinux
import Glibc
public import SystemPackage

/// Simple questions and acts about paths, for the edges of the program.
public enum FileSystemLook {
    /// Whether there is anything at the path (not following a symlink at its end).
    public static func exists(_ path: [UInt8]) -> Bool {
        (try? withCPath(path) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD) }) != nil
    }

    /// What tells a file from another one that takes its name, as long as one of them is open.
    public struct Identity: Equatable, Sendable {
        public let device: UInt64
        public let inode: UInt64
    }

    /// Which file stands at the path (not following a symlink at its end); nil where there is none.
    public static func identity(of path: [UInt8]) -> Identity? {
        let status = try? withCPath(path) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD) }
        return status.map { Identity(device: $0.device, inode: $0.inode) }
    }

    /// Bytes of the file at the path; nil where there is none.
    public static func size(of path: [UInt8]) -> Int64? {
        (try? withCPath(path) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD) })?.size
    }

    /// The path with the symlinks in it resolved, but for its last component (realpath(3) of the rest); as it is where
    /// that cannot be told.
    public static func withResolvedParent(_ path: [UInt8]) -> [UInt8] {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return path }
        let parent: [UInt8]? = try? withCPath(Array(path[..<slash])) { (name) throws(Errno) in
            guard let resolved = realpath(name, nil) else { return nil }
            defer { free(resolved) }
            return UnsafeBufferPointer(start: resolved, count: strlen(resolved)).map(UInt8.init(bitPattern:))
        }
        return parent.map { ($0 == [UInt8(ascii: "/")] ? [] : $0) + path[slash...] } ?? path
    }

    /// The path with every symlink in it resolved (realpath(3)).
    ///
    /// - Throws: the errno of realpath(3).
    public static func resolved(_ path: [UInt8]) throws(Errno) -> [UInt8] {
        try withCPath(path) { (name) throws(Errno) in
            guard let resolved = realpath(name, nil) else { throw Errno(rawValue: Glibc.errno) }
            defer { free(resolved) }
            return [UInt8](UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
        }
    }

    /// What a symlink holds, cut at 4,096 bytes; nil for anything else.
    public static func linkTarget(_ path: [UInt8]) -> [UInt8]? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = try? withCPath(path) { (name) throws(Errno) in
            try systemCall { readlink(name, &buffer, buffer.count) }
        }
        return count.map { buffer[..<$0].map(UInt8.init(bitPattern:)) }
    }

    /// Why this process may not write to a file or make names in a directory, by its effective user (faccessat(2));
    /// nil when it may. Follows symlinks.
    public static func refusalToWrite(_ path: [UInt8]) -> Errno? { refusal(of: W_OK, path) }

    /// Why this process may not read a file, in the same way.
    public static func refusalToRead(_ path: [UInt8]) -> Errno? { refusal(of: R_OK, path) }

    private static func refusal(of access: CInt, _ path: [UInt8]) -> Errno? {
        do throws(Errno) {
            try withCPath(path) { (name) throws(Errno) in
                _ = try systemCall { faccessat(AT_FDCWD, name, access, AT_EACCESS) }
            }
            return nil
        } catch {
            return error
        }
    }

    /// Makes a directory; one that is there already is no error.
    ///
    /// - Throws: the errno of mkdir(2).
    public static func makeDirectory(_ path: [UInt8], mode: mode_t = 0o750) throws(Errno) {
        do throws(Errno) {
            try withCPath(path) { (name) throws(Errno) in _ = try systemCall { mkdir(name, mode) } }
        } catch  where error == .fileExists {
            return
        } catch {
            throw error
        }
    }

    /// Removes a file; one that is not there is no error.
    ///
    /// - Throws: the errno of unlink(2).
    public static func remove(_ path: [UInt8]) throws(Errno) {
        do throws(Errno) {
            try withCPath(path) { (name) throws(Errno) in _ = try systemCall { unlink(name) } }
        } catch {
            if error != .noSuchFileOrDirectory { throw error }
        }
    }

    /// Renames a file.
    ///
    /// - Throws: the errno of rename(2).
    public static func rename(_ from: [UInt8], to: [UInt8]) throws(Errno) {
        try withCPath(from) { (from) throws(Errno) in
            try withCPath(to) { (to) throws(Errno) in _ = try systemCall { Glibc.rename(from, to) } }
        }
    }

    /// Gives a file one more name.
    ///
    /// - Throws: the errno of link(2).
    public static func link(_ path: [UInt8], to name: [UInt8]) throws(Errno) {
        try withCPath(path) { (path) throws(Errno) in
            try withCPath(name) { (name) throws(Errno) in _ = try systemCall { Glibc.link(path, name) } }
        }
    }

    /// The names in a directory, `.` and `..` apart; empty when it cannot be listed.
    public static func names(in path: [UInt8]) -> [[UInt8]] {
        var names: [[UInt8]] = []
        guard let directory = try? OwnedDescriptor.openDirectory(path, access: .list) else { return [] }
        let lister = DirectoryLister()
        try? lister.list(directory.number) { name, length, _, _ in
            names.append([UInt8](UnsafeRawBufferPointer(start: name, count: length)))
        }
        return names
    }
}

extension FileSystemLook {
    /// Makes a directory that only this user can read, with a name that nobody can foresee (mkdtemp(3)), in `$TMPDIR`,
    /// or where that cannot be used in /tmp or /run.
    ///
    /// - Parameter longest: bytes that its path may have.
    /// - Throws: the errno of mkdtemp(3); `ENAMETOOLONG` when every path would be too long.
    public static func makeTemporaryDirectory(prefix: [UInt8], longest: Int = .max) throws(Errno) -> [UInt8] {
        let chosen = ProcessContext.environmentVariable("TMPDIR").flatMap { $0.first == UInt8(ascii: "/") ? $0 : nil }
        var failure = Errno.fileNameTooLong
        for place in (chosen.map { [$0] } ?? []) + ["/tmp", "/run"].map({ Array($0.utf8) }) {
            let template = place + [UInt8(ascii: "/")] + prefix + Array(".XXXXXX".utf8)
            if template.count > longest { continue }
            var name = template.map(CChar.init(bitPattern:)) + [0]
            if mkdtemp(&name) != nil { return name.dropLast().map(UInt8.init(bitPattern:)) }
            failure = Errno(rawValue: Glibc.errno)
        }
        throw failure
    }

    /// Makes a directory and what is missing above it.
    ///
    /// - Parameter path: absolute.
    /// - Returns: what was made, the topmost first.
    /// - Throws: the errno of mkdir(2).
    @discardableResult
    public static func makeDirectories(_ path: [UInt8], mode: mode_t = 0o755) throws(Errno) -> [[UInt8]] {
        var made: [[UInt8]] = []
        for end in path.indices where end > 0 && (path[end] == UInt8(ascii: "/") || end == path.count - 1) {
            let part = path[end] == UInt8(ascii: "/") ? Array(path[..<end]) : path
            do throws(Errno) {
                try withCPath(part) { (name) throws(Errno) in _ = try systemCall { mkdir(name, mode) } }
                made.append(part)
            } catch  where error == .fileExists {
                continue
            } catch {
                // One that is there may lie on a file system that is read-only, or below what this user may not write to.
                guard exists(part) else { throw error }
            }
        }
        return made
    }

    /// Removes an empty directory.
    ///
    /// - Throws: the errno of rmdir(2).
    public static func removeEmptyDirectory(_ path: [UInt8]) throws(Errno) {
        try withCPath(path) { (name) throws(Errno) in _ = try systemCall { rmdir(name) } }
    }

    /// Removes a directory of this program's own with everything in it, or a file; nothing there is no error. Symlinks
    /// are removed, not followed.
    ///
    /// - Throws: the errno of the call that failed.
    public static func removeTree(_ path: [UInt8]) throws(Errno) {
        do throws(Errno) {
            try remove(path)
            return
        } catch {
            // EISDIR on Linux; POSIX has EPERM (unlink(2)).
            guard error == .isDirectory || error == .notPermitted else { throw error }
        }
        for name in names(in: path) { try removeTree(path + [UInt8(ascii: "/")] + name) }
        try withCPath(path) { (name) throws(Errno) in _ = try systemCall { rmdir(name) } }
    }
}
