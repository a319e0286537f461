import LinuxKernel

/// One `[[destination]]` of the configuration: what is copied where, and under which conditions.
///
/// A value of this type is only made by functions that checked it.
public struct DestinationSettings: Equatable, Sendable {
    /// What people, metrics and the consumer's file call it: as a consumer's name.
    public var name: String
    /// The directory whose roots are carried, absolute, without symlinks or a slash at the end. A root outside of it is
    /// none of this destination's business.
    public var source: [UInt8]
    public var target: SyncTarget
    public var ssh = SSHSettings()
    /// The file with the password for an rsync daemon, absolute; nil: none is sent.
    public var passwordFile: [UInt8]?
    /// A file whose content changed waits until nothing has been written to it for so long.
    public var settle: Duration = .seconds(30)
    /// So long at most, from the first change on.
    public var maxDelay: Duration = .seconds(15 * 60)
    /// Bytes a second at most; nil: as fast as it goes.
    public var bandwidth: Int64?
    /// When transfers may run, in local time; empty: always.
    public var windows: [TimeWindow] = []
    /// What must stay free at the destination; nil: the smaller of 5 % and 20 GiB.
    public var minFree: Amount?
    /// Deletions of more than this are held until `--allow-deletes`.
    public var maxDelete: Amount = .share(percent: 30)
    /// Existing files are held until `--allow-overwrites` when more than this part of all bytes is overwritten, in
    /// percent; 100: never.
    public var maxOverwrite: Double = 33
    /// How far back deletions and overwrites are counted together.
    public var deleteWindow: Duration = .seconds(24 * 3_600)
    /// Destinations of one group take turns; nil: it has none to wait for.
    public var group: String?
    public var ownership = Ownership.drop
    public var permissions = Permissions.keep
    /// POSIX ACLs are carried.
    public var acls = false
    /// Extended attributes are carried.
    public var xattrs = false
    public var compress = Compression.auto
    /// Patterns in the manner of gitignore(5), relative to `source`, of what is carried although `exclude` has it.
    public var include: [[UInt8]] = []
    /// Patterns in the manner of gitignore(5), relative to `source`, of what is not carried.
    public var exclude: [[UInt8]] = []
    /// How often an idle `--watch` asks the destination whether all is well.
    public var checkInterval: Duration = .seconds(3_600)
    /// A copy whose last success is older, or that lacks a change for longer, is degraded.
    public var maxAge: Duration = .seconds(26 * 3_600)
    /// Which part of all paths `--watch` verifies in a day, in percent; 0: none.
    public var verifyShare: Double = 1
    /// The URL of a dead man's switch that is told how runs begin and end; nil: nobody is.
    public var pingURL: String?
    /// Commands for `/bin/sh -c` after a run that was a success, or was none.
    public var onSuccess: [UInt8]?
    public var onFailure: [UInt8]?

    public init(name: String, source: [UInt8], target: SyncTarget) {
        self.name = name
        self.source = source
        self.target = target
    }
}

extension DestinationSettings {
    /// Bytes that must stay free on a file system of so many bytes.
    ///
    /// Unless it is set, that fits a disk which is meant to be nearly full.
    public func leastFree(of total: Int64) -> Int64 {
        minFree?.amount(of: total) ?? min(Amount.share(percent: 5).amount(of: total), 20 << 30)
    }

    /// Whether less than that is left.
    func isTooLittle(_ room: FileSystemSpace) -> Bool { room.available < leastFree(of: room.total) }

    /// Something must stay free.
    var watchesRoom: Bool { ![.count(0), .share(percent: 0)].contains(minFree) }
}

/// What the destination keeps of owners and device nodes.
public enum Ownership: String, Equatable, Sendable, CaseIterable {
    /// Owners and groups become those of the receiving user, who can always read and write what it has; no device nodes.
    case drop
    /// Owners and groups are kept, by number; the receiver must be root.
    case keep
    /// They are kept in extended attributes (rsync's `--fake-super`).
    case fakeSuper = "fake-super"
}

/// What the destination keeps of modes.
public enum Permissions: String, Equatable, Sendable, CaseIterable {
    case keep
    /// What is new gets what the receiver's umask or default ACL gives; the modes of what is there are left alone.
    case drop
}

/// Whether content travels compressed.
public enum Compression: String, Equatable, Sendable, CaseIterable {
    /// Where it costs little: with zstd or LZ4, and with zlib for files with holes.
    case auto
    case on
    case off
}

/// An amount of something: absolute, or as a part of what there is.
public enum Amount: Equatable, Sendable {
    /// Bytes, or a number of paths.
    case count(Int64)
    /// Percent, from 0 to 100.
    case share(percent: Double)

    /// The amount, where there is `whole` in all; rounded down.
    public func amount(of whole: Int64) -> Int64 {
        switch self {
        case .count(let count): count
        case .share(let percent): Int64((Double(whole) * percent / 100).rounded(.down))
        }
    }
}

/// How ssh is called. Nothing of the user's own configuration plays a part.
public struct SSHSettings: Equatable, Sendable {
    public var port: UInt16 = 22
    /// The file with the private key, absolute; nil: ssh's own default names.
    public var identity: [UInt8]?
    /// The file with the hosts' keys, absolute; nil: one in the state directory, which `changes sync init` fills.
    public var knownHosts: [UInt8]?
    /// The host that the connection goes through; nil: it goes there directly.
    public var jump: SSHHop?

    public init() {}
}

/// A part of each day, in minutes of local time since midnight. One that ends before it starts goes on past midnight; one
/// that ends when it starts is the whole day.
public struct TimeWindow: Equatable, Sendable {
    /// 0..<1440.
    public var start: Int
    /// 0..<1440.
    public var end: Int

    public init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    public func contains(minute: Int) -> Bool {
        if start == end { return true }
        return start < end ? start..<end ~= minute : minute >= start || minute < end
    }
}
