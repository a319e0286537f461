import CLinux
import Glibc
public import SystemPackage

/// A file descriptor with one owner, closed when the owner goes.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, for a call that only borrows it.
    public let number: CInt

    /// Takes over an open descriptor.
    @inlinable
    public init(owning number: CInt) { self.number = number }

    @inlinable
    deinit { _ = Glibc.close(number) }

    /// Closes it before the end of its scope.
    @inlinable
    public consuming func close() {}
}

extension OwnedDescriptor {
    /// Opens a file. `path` is bytes without NUL.
    ///
    /// - Parameters:
    ///   - flags: the `O_*` flags of open(2); `O_CLOEXEC` is always added.
    ///   - mode: the permissions of a file that `O_CREAT` makes, less the umask.
    /// - Throws: the errno of openat(2).
    public static func open(
        _ path: [UInt8], flags: CInt, mode: mode_t = 0o640, at directory: CInt = AT_FDCWD
    ) throws(Errno) -> OwnedDescriptor {
        let number = try withCPath(path) { (name) throws(Errno) in
            try systemCall { Glibc.openat(directory, name, flags | O_CLOEXEC, mode) }
        }
        return OwnedDescriptor(owning: number)
    }

    /// A file in memory with this content, read from its beginning (memfd_create(2)).
    ///
    /// - Throws: the errno of memfd_create(2) or write(2): `ENOMEM`, `ENOSPC`.
    public static func memoryFile(_ content: [UInt8]) throws(Errno) -> OwnedDescriptor {
        let file = OwnedDescriptor(owning: try systemCall { memfd_create("list", CUnsignedInt(MFD_CLOEXEC)) })
        var failure: Errno?
        content.withUnsafeBytes { failure = file.write($0).error }
        if let failure { throw failure }
        _ = try systemCall { lseek(file.number, 0, SEEK_SET) }
        return file
    }

    /// From now on a call that would wait ends with `EAGAIN` instead: FIONBIO of ioctl(2).
    ///
    /// - Throws: the errno of ioctl(2).
    public borrowing func setNonBlocking() throws(Errno) {
        var on: CInt = 1
        try systemCall { clinux_ioctl(number, UInt(FIONBIO), &on) }
    }

    /// Writes all of `bytes` in as many write(2) calls as it takes.
    ///
    /// - Returns: how many bytes went out, which is fewer than asked only together with the error that stopped it.
    public borrowing func write(_ bytes: UnsafeRawBufferPointer) -> (written: Int, error: Errno?) {
        var done = 0
        while done < bytes.count {
            do throws(Errno) {
                done += try systemCall { Glibc.write(number, bytes.baseAddress! + done, bytes.count - done) }
            } catch {
                return (done, error)
            }
        }
        return (done, nil)
    }

    /// Reads the rest of the file from the current offset.
    ///
    /// - Throws: the errno of read(2).
    public borrowing func readToEnd() throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try systemCall { Glibc.read(number, &chunk, chunk.count) }
            if count == 0 { return all }
            all.append(contentsOf: chunk[..<count])
        }
    }

    /// Up to `count` bytes from `offset` on, whatever the file's own offset is (one pread(2)); fewer at the end.
    ///
    /// - Throws: the errno of pread(2).
    public borrowing func read(at offset: Int64, count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let length = try systemCall { pread(number, &bytes, count, off_t(offset)) }
        return Array(bytes[..<length])
    }

    /// What one read(2) gives: of a pipe or socket, what is there or what comes first.
    ///
    /// - Returns: empty at the end.
    /// - Throws: the errno of read(2).
    public borrowing func read(atMost count: Int) throws(Errno) -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: count)
        let length = try systemCall { Glibc.read(number, &chunk, count) }
        return Array(chunk[..<length])
    }

    /// Bytes that can be read from a pipe, asked at either end (`FIONREAD`, pipe(7)); 0 where that cannot be told.
    public borrowing func unreadBytes() -> Int {
        var bytes: CInt = 0
        return clinux_ioctl(number, UInt(FIONREAD), &bytes) == 0 ? Int(bytes) : 0
    }

    /// fdatasync(2): the data, and what is needed to read it back, are on the disk when this returns.
    public borrowing func synchronizeData() throws(Errno) {
        try systemCall { fdatasync(number) }
    }

    /// fsync(2).
    public borrowing func synchronize() throws(Errno) {
        try systemCall { fsync(number) }
    }
}

/// Calls `body` with `path` as a NUL-terminated string.
///
/// - Throws: `invalidArgument` when the path holds a NUL, which no file name can; what `body` throws.
public func withCPath<Result>(
    _ path: [UInt8], _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
) throws(Errno) -> Result {
    guard !path.contains(0) else { throw .invalidArgument }
    let terminated = [CChar](unsafeUninitializedCapacity: path.count + 1) { buffer, count in
        let bytes = UnsafeMutableRawBufferPointer(buffer)
        bytes.copyBytes(from: path)
        bytes[path.count] = 0
        count = path.count + 1
    }
    return try terminated.withUnsafeBufferPointer { (buffer) throws(Errno) in try body(buffer.baseAddress!) }
}
