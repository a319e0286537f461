import CLinux
import Glibc
public import SystemPackage

/// An inotify instance (inotify(7)): non-blocking, closed on exec.
public struct Inotify: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    /// - Throws: the errno of inotify_init1(2): `EMFILE` when the user's `max_user_instances` are used up.
    public init() throws(Errno) {
        descriptor = OwnedDescriptor(owning: try systemCall { inotify_init1(CInt(0o2004000)) })
    }

    /// Watches the open directory for `mask`, or replaces the mask of the watch it has.
    ///
    /// The watch is added through `/proc/self/fd/N`, so it is on the directory that was verified, whatever its
    /// name is now. `IN_DONT_FOLLOW` would refuse that link; `IN_EXCL_UNLINK` would hide writes through a name
    /// that was unlinked: both stay out of the mask.
    ///
    /// - Returns: the watch descriptor; the same number for a directory that is watched already.
    /// - Throws: the errno of inotify_add_watch(2): `ENOSPC` when `max_user_watches` is reached, `EACCES` without
    ///   read permission.
    public borrowing func watch(directory: CInt, for mask: InotifyMask) throws(Errno) -> WatchDescriptor {
        var path = InlinePath()
        path.setDescriptorLink(directory)
        return WatchDescriptor(
            rawValue: try path.withPointer { (name) throws(Errno) in
                try systemCall { inotify_add_watch(descriptor.number, name, mask.rawValue) }
            })
    }

    /// Ends a watch. One that the kernel has ended itself is no error (`EINVAL`).
    public borrowing func remove(_ watch: WatchDescriptor) {
        _ = inotify_rm_watch(descriptor.number, watch.rawValue)
    }

    /// Whether nothing waits to be read (`FIONREAD`, inotify(7)).
    public borrowing func isEmpty() -> Bool {
        var bytes: CInt = 0
        return clinux_ioctl(descriptor.number, UInt(FIONREAD), &bytes) != 0 || bytes == 0
    }

    /// Reads as many whole events as fit into `buffer`.
    ///
    /// - Returns: the number of bytes filled; 0 when the queue is empty.
    /// - Throws: the errno of read(2), `EAGAIN` apart.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        do {
            return try systemCall { Glibc.read(descriptor.number, buffer.baseAddress, buffer.count) }
        } catch {
            if error == .wouldBlock { return 0 }
            throw error
        }
    }
}

/// A watch descriptor: the kernel's number for a watched inode in one inotify instance.
public struct WatchDescriptor: RawRepresentable, Hashable, Sendable {
    public let rawValue: CInt
    @inlinable
    public init(rawValue: CInt) { self.rawValue = rawValue }
}

/// The bits of an inotify mask (inotify(7)).
public struct InotifyMask: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let modify = InotifyMask(rawValue: 0x0000_0002)
    public static let attributes = InotifyMask(rawValue: 0x0000_0004)
    public static let closeWrite = InotifyMask(rawValue: 0x0000_0008)
    public static let movedFrom = InotifyMask(rawValue: 0x0000_0040)
    public static let movedTo = InotifyMask(rawValue: 0x0000_0080)
    public static let create = InotifyMask(rawValue: 0x0000_0100)
    public static let delete = InotifyMask(rawValue: 0x0000_0200)
    public static let deleteSelf = InotifyMask(rawValue: 0x0000_0400)
    public static let moveSelf = InotifyMask(rawValue: 0x0000_0800)

    public static let unmounted = InotifyMask(rawValue: 0x0000_2000)
    public static let queueOverflow = InotifyMask(rawValue: 0x0000_4000)
    public static let ignored = InotifyMask(rawValue: 0x0000_8000)
    public static let onlyDirectory = InotifyMask(rawValue: 0x0100_0000)
    /// Adds to the mask of a watch that exists instead of replacing it.
    public static let addToMask = InotifyMask(rawValue: 0x2000_0000)
    public static let isDirectory = InotifyMask(rawValue: 0x4000_0000)
}

/// A NUL-terminated path of at most 31 bytes on the stack: one watch is added for each directory of a walk.
private struct InlinePath {
    private var bytes: InlineArray<32, UInt8> = .init(repeating: 0)

    mutating func setDescriptorLink(_ number: CInt) {
        let prefix: StaticString = "/proc/self/fd/"
        var length = prefix.utf8CodeUnitCount
        for index in 0..<length { bytes[index] = prefix.utf8Start[index] }
        var divisor: CInt = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes[length] = UInt8(ascii: "0") + UInt8(number / divisor % 10)
            length += 1
            divisor /= 10
        }
        bytes[length] = 0
    }

    func withPointer<Result>(_ body: (UnsafePointer<CChar>) throws(Errno) -> Result) throws(Errno) -> Result {
        try withUnsafeBytes(of: bytes) { (raw) throws(Errno) in
            try body(raw.baseAddress!.assumingMemoryBound(to: CChar.self))
        }
    }
}
