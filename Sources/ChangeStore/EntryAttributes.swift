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
    /// The inode changed so shortly before it was looked at that a later change might carry the same timestamp.
    public var isRacy: Bool

    public var type: FileType { FileType(mode: mode) }

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
        modified: Timestamp, changed: Timestamp, isRacy: Bool
    ) {
        self.mode = mode
        self.owner = owner
        self.group = group
        self.linkCount = linkCount
        self.size = size
        self.deviceNumber = deviceNumber
        self.modified = modified
        self.changed = changed
        self.isRacy = isRacy
    }
}

/// The stored form: LEB128 integers, with the time of change as its distance from the time of modification, which
/// are the same for most files. A plain file takes 15 to 25 bytes.
extension EntryAttributes {
    /// The longest encoding: ten bytes each for eight integers.
    static let longestEncoding = 80

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
        put(UInt64(mode) << 1 | (isRacy ? 1 : 0))
        put(UInt64(owner))
        put(UInt64(group))
        put(UInt64(linkCount))
        put(UInt64(bitPattern: size))
        put(Self.zigzag(modified.nanoseconds))
        put(Self.zigzag(changed.nanoseconds &- modified.nanoseconds))
        if deviceNumber != 0 { put(deviceNumber) }
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
        let modeAndRacy = take()
        mode = UInt16(truncatingIfNeeded: modeAndRacy >> 1)
        isRacy = modeAndRacy & 1 != 0
        owner = UInt32(truncatingIfNeeded: take())
        group = UInt32(truncatingIfNeeded: take())
        linkCount = UInt32(truncatingIfNeeded: take())
        size = Int64(bitPattern: take())
        let modifiedAt = Self.unzigzag(take())
        modified = Timestamp(nanoseconds: modifiedAt)
        changed = Timestamp(nanoseconds: modifiedAt &+ Self.unzigzag(take()))
        deviceNumber = offset < bytes.count ? take() : 0
        guard valid else {
            throw StoreError(reason: .corrupt, operation: "reading the index", message: "attributes cut short")
        }
    }

    private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }
    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
