public import LinuxKernel

/// What kind of difference between two looks a history row tells of. The raw values are stored: never renumber.
public enum ChangeKind: UInt8, Sendable, CaseIterable {
    /// The name was not there before.
    case created = 1
    /// The same name, but another inode or another type.
    case replaced = 2
    /// Size, time of modification or content.
    case modified = 3
    /// Permissions, owner, group, extended attributes, access control lists.
    case metadata = 4
    /// The name was not there before and what it names had another name: `from`.
    case moved = 5
    /// The name is gone.
    case deleted = 6
    /// The first walk of a new store, one row a root: everything below may be new.
    case baseline = 7
    /// The configuration stopped covering the path; nothing happened to the file.
    case untracked = 8

    /// The word that people and programs see.
    public var word: String {
        switch self {
        case .created: "created"
        case .replaced: "replaced"
        case .modified: "modified"
        case .metadata: "metadata"
        case .moved: "moved"
        case .deleted: "deleted"
        case .baseline: "baseline"
        case .untracked: "untracked"
        }
    }
}

extension ChangeKind {
    /// Set in a stored kind where the content may have changed as well.
    private static let uncertainty: UInt8 = 0x40

    /// The kind as a history row stores it.
    ///
    /// - Parameter isContentUncertain: no event told what happened, so a write that put size and time back cannot be
    ///   told from a change of attributes.
    func stored(isContentUncertain: Bool) -> Int64 {
        Int64(isContentUncertain ? rawValue | Self.uncertainty : rawValue)
    }

    /// Reads a stored kind; a number that this version does not know counts as `modified`.
    static func read(_ stored: Int64) -> (kind: ChangeKind, isContentUncertain: Bool) {
        let number = UInt8(truncatingIfNeeded: stored)
        return (ChangeKind(rawValue: number & ~uncertainty) ?? .modified, number & uncertainty != 0)
    }
}

/// One row of the history: one path that changed.
public struct ChangeRecord: Equatable, Sendable {
    /// Grows with every row, also across crashes; never given twice.
    public var sequence: Int64
    /// When the change was seen.
    public var at: Timestamp
    public var kind: ChangeKind
    /// The absolute path as it was when the row was written: bytes, not necessarily UTF-8.
    public var path: [UInt8]
    public var type: FileType
    /// Bytes; of a deleted path, its last known size.
    public var size: Int64
    /// The path it had before, for `moved`.
    public var from: [UInt8]?

    public init(
        sequence: Int64, at: Timestamp, kind: ChangeKind, path: [UInt8], type: FileType, size: Int64,
        from: [UInt8]? = nil
    ) {
        self.sequence = sequence
        self.at = at
        self.kind = kind
        self.path = path
        self.type = type
        self.size = size
        self.from = from
    }
}
