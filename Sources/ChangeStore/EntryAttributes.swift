public import LinuxKernel

/// What the index remembers of an inode, and a difference in which is a change.
public struct EntryAttributes: Equatable, Sendable {
    /// Type and permission bits, as `st_mode`.
    public var mode: UInt16
    public var owner: UInt32
    public var group: UInt32
    public var linkCount: UInt32
    /// Bytes.
    public var size: Int64
    /// `major << 32 | minor` of a device node, 0 otherwise.
    public var deviceNumber: UInt64
    public var modified: Timestamp
    public var changed: Timestamp
    /// How the entry joins another file system to the one of its directory.
    public var boundary: FileSystemBoundary
    /// The inode changed so shortly before it was looked at that a later change might carry the same timestamp.
    public var isRacy: Bool

    public var type: FileType { FileType(mode: mode) }

    /// The file system's clock has steps of a second.
    public var isCoarse: Bool { changed.nanoseconds % 1_000_000_000 == 0 }

    /// - Parameter now: the time of the look; nil where racy rows play no part.
    @inlinable
    public init(_ status: FileStatus, lookedAt now: Timestamp?) {
        mode = status.mode
        owner = status.owner
        group = status.group
        linkCount = status.linkCount
        size = status.size
        deviceNumber = status.deviceNumber
        modified = status.modified
        changed = status.changed
        boundary = status.isMountRoot ? .mount : .none
        isRacy = now.map { Self.isRacy(changed: status.changed, lookedAt: $0) } ?? false
    }

    /// Timestamps are as coarse as a jiffy (10 ms at HZ=100) on kernels before 6.13, and a whole second on ext3 and
    /// on ext4 with 128-byte inodes: there the nanoseconds are always 0.
    @inlinable
    static func isRacy(changed: Timestamp, lookedAt now: Timestamp) -> Bool {
        let granularity: Int64 = changed.nanoseconds % 1_000_000_000 == 0 ? 1_010_000_000 : 10_000_000
        let (age, overflow) = now.nanoseconds.subtractingReportingOverflow(changed.nanoseconds)
        return !overflow && age < granularity
    }

    public init(
        mode: UInt16, owner: UInt32, group: UInt32, linkCount: UInt32, size: Int64, deviceNumber: UInt64,
        modified: Timestamp, changed: Timestamp, boundary: FileSystemBoundary = .none, isRacy: Bool
    ) {
        self.mode = mode
        self.owner = owner
        self.group = group
        self.linkCount = linkCount
        self.size = size
        self.deviceNumber = deviceNumber
        self.modified = modified
        self.changed = changed
        self.boundary = boundary
        self.isRacy = isRacy
    }
}

/// What an entry is that may be on another file system than its directory: it decides what its absence means.
public enum FileSystemBoundary: UInt8, Sendable {
    case none
    /// Something is mounted there: when that is unmounted, nothing of it is deleted.
    case mount
    /// A subvolume (btrfs) or what looks like one: it is another file system without a mount, and goes only by being
    /// deleted.
    case subvolume
}

/// The stored form, made small for what most files are: of mode 0644, with the group's number that of the owner, one
/// name, and no change since its content was written. Such a file takes 11 to 15 bytes.
///
/// The place of the device number holds the boundary of what is no device.
///
/// First comes an integer with the mode, as its difference from that of a plain file, and five flags that say which of
/// the rest is left out. Integers are LEB128, times eight bytes, little-endian: they are as long in LEB128 or longer.
extension EntryAttributes {
    /// The longest encoding: the mode, owner, group, link count, size, two times and the device number.
    static let longestEncoding = 3 + 5 + 5 + 5 + 10 + 8 + 8 + 10

    private static let plainFile: UInt16 = 0o100644
    private static let racyFlag: UInt64 = 1
    private static let sameTimeFlag: UInt64 = 2
    private static let sameGroupFlag: UInt64 = 4
    private static let oneLinkFlag: UInt64 = 8
    private static let deviceFlag: UInt64 = 16
    private static let flagBits: UInt64 = 5

    private var isDevice: Bool { Self.isDevice(mode) }

    private static func isDevice(_ mode: UInt16) -> Bool {
        let type = FileType(mode: mode)
        return type == .characterDevice || type == .blockDevice
    }

    /// - Returns: the number of bytes written into `buffer`, which must hold `longestEncoding`.
    func encode(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var offset = 0
        func put(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                buffer[offset] = UInt8(truncatingIfNeeded: rest) | 0x80
                offset += 1
                rest >>= 7
            }
            buffer[offset] = UInt8(rest)
            offset += 1
        }
        func put(_ time: Timestamp) {
            buffer.storeBytes(of: time.nanoseconds.littleEndian, toByteOffset: offset, as: Int64.self)
            offset += 8
        }
        var flags: UInt64 = 0
        if isRacy { flags |= Self.racyFlag }
        if changed == modified { flags |= Self.sameTimeFlag }
        if group == owner { flags |= Self.sameGroupFlag }
        if linkCount == 1 { flags |= Self.oneLinkFlag }
        let special = isDevice ? deviceNumber : UInt64(boundary.rawValue)
        if special != 0 { flags |= Self.deviceFlag }
        put(UInt64(mode ^ Self.plainFile) << Self.flagBits | flags)
        put(UInt64(owner))
        if flags & Self.sameGroupFlag == 0 { put(UInt64(group)) }
        if flags & Self.oneLinkFlag == 0 { put(UInt64(linkCount)) }
        put(UInt64(bitPattern: size))
        put(modified)
        if flags & Self.sameTimeFlag == 0 { put(changed) }
        if flags & Self.deviceFlag != 0 { put(special) }
        return offset
    }

    /// - Throws: `corrupt` when the bytes are no such encoding.
    init(decoding bytes: UnsafeRawBufferPointer) throws(StoreError) {
        var offset = 0
        var valid = true
        func take() -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while offset < bytes.count && shift < 64 {
                let byte = bytes[offset]
                offset += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return value }
                shift += 7
            }
            valid = false
            return 0
        }
        func takeTime() -> Timestamp {
            guard bytes.count - offset >= 8 else {
                valid = false
                return Timestamp(nanoseconds: 0)
            }
            defer { offset += 8 }
            return Timestamp(
                nanoseconds: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)))
        }
        let first = take()
        mode = UInt16(truncatingIfNeeded: first >> Self.flagBits) ^ Self.plainFile
        isRacy = first & Self.racyFlag != 0
        owner = UInt32(truncatingIfNeeded: take())
        group = first & Self.sameGroupFlag != 0 ? owner : UInt32(truncatingIfNeeded: take())
        linkCount = first & Self.oneLinkFlag != 0 ? 1 : UInt32(truncatingIfNeeded: take())
        size = Int64(bitPattern: take())
        modified = takeTime()
        changed = first & Self.sameTimeFlag != 0 ? modified : takeTime()
        let special = first & Self.deviceFlag != 0 ? take() : 0
        let isDevice = Self.isDevice(mode)
        deviceNumber = isDevice ? special : 0
        boundary = isDevice ? .none : FileSystemBoundary(rawValue: UInt8(truncatingIfNeeded: special)) ?? .none
        guard valid, offset == bytes.count else {
            throw StoreError(reason: .corrupt, operation: "reading the index", message: "attributes of another length")
        }
    }
}
