/// One mount: a line of `/proc/self/mountinfo` (proc(5)). Paths are as the process sees them, escapes taken out.
public struct MountEntry: Hashable, Sendable {
    /// The kernel gives the number of a mount that is gone to a later one.
    public var mountID: Int
    /// The mount that this one is mounted on; not in the table for the topmost.
    public var parentID: Int
    /// `major << 32 | minor`, as `FileStatus.device`; btrfs reports another device for its files.
    public var device: UInt64
    /// The directory of the file system that is at the mount point: other than `/` for a bind mount or a subvolume.
    public var root: [UInt8]
    public var mountPoint: [UInt8]
    /// With a subtype after a dot where there is one, such as `fuse.sshfs`.
    public var fileSystemType: [UInt8]
    /// The options of this mount, comma-separated.
    public var options: [UInt8]
    /// A device or whatever the file system takes for one; may be empty.
    public var source: [UInt8]
    /// The options of the file system itself, comma-separated: a read-only remount can show in either.
    public var fileSystemOptions: [UInt8]

    public init(
        mountID: Int, parentID: Int, device: UInt64, root: [UInt8], mountPoint: [UInt8], fileSystemType: [UInt8],
        options: [UInt8], source: [UInt8], fileSystemOptions: [UInt8]
    ) {
        self.mountID = mountID
        self.parentID = parentID
        self.device = device
        self.root = root
        self.mountPoint = mountPoint
        self.fileSystemType = fileSystemType
        self.options = options
        self.source = source
        self.fileSystemOptions = fileSystemOptions
    }

    /// Whether writing is refused, by the mount or by the file system.
    public var isReadOnly: Bool {
        [options, fileSystemOptions].contains { list in
            list.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual("ro".utf8) }
        }
    }
}

extension MountEntry {
    /// Reads a line without its newline; nil for one that is not as proc(5) says.
    ///
    ///     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    ///
    /// Any number of optional fields stand before the dash. Fields are separated by exactly one space: an empty source
    /// shows as two in a row.
    public init?(line: some Sequence<UInt8>) {
        let fields = Array(line).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard let dash = fields.dropFirst(6).firstIndex(where: { $0.elementsEqual("-".utf8) }),
            fields.count > dash + 2,
            let mountID = Int(decimal: fields[0]), let parentID = Int(decimal: fields[1]),
            let device = Self.device(fields[2]), fields[4].first == UInt8(ascii: "/")
        else { return nil }
        self.init(
            mountID: mountID, parentID: parentID, device: device, root: OctalEscapes.unescapeLeniently(fields[3]),
            mountPoint: OctalEscapes.unescapeLeniently(fields[4]),
            fileSystemType: OctalEscapes.unescapeLeniently(fields[dash + 1]),
            options: OctalEscapes.unescapeLeniently(fields[5]),
            source: OctalEscapes.unescapeLeniently(fields[dash + 2]),
            fileSystemOptions: fields.count > dash + 3 ? OctalEscapes.unescapeLeniently(fields[dash + 3]) : [])
    }

    private static func device(_ field: ArraySlice<UInt8>) -> UInt64? {
        let parts = field.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Int(decimal: parts[0]), let minor = Int(decimal: parts[1]),
            let major = UInt32(exactly: major), let minor = UInt32(exactly: minor)
        else { return nil }
        return UInt64(major) << 32 | UInt64(minor)
    }
}

extension Int {
    /// A number of decimal digits only; nil for anything else, also one that is too large.
    fileprivate init?(decimal digits: ArraySlice<UInt8>) {
        guard !digits.isEmpty else { return nil }
        var value = 0
        for digit in digits {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
            let (scaled, isOver) = value.multipliedReportingOverflow(by: 10)
            let (sum, isSumOver) = scaled.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            if isOver || isSumOver { return nil }
            value = sum
        }
        self = value
    }
}
