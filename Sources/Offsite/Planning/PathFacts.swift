public import ChangeStore
public import LinuxKernel

/// What the history since the cursor says about one path.
public struct PathFacts: Equatable, Sendable {
    /// The path stood there at the cursor, so the destination may have something under this name.
    public var existedBefore: Bool
    /// What is there now may have another content than what was there at the cursor, or at an earlier attempt.
    public var contentChanged: Bool
    /// The last row says that it exists.
    public var exists: Bool
    /// A row told of content; of what a move brought along nothing was written.
    public var wasWritten: Bool
    /// When its first change was seen.
    public var first: Timestamp
    /// When its content last changed.
    public var lastWritten: Timestamp

    /// - Parameter isContentUncertain: no event told what happened: the content counts as changed.
    /// - Returns: nil for a row that tells of no change.
    public init?(_ kind: ChangeKind, at moment: Timestamp, isContentUncertain: Bool = false) {
        guard kind != .baseline, kind != .untracked else { return nil }
        existedBefore = kind != .created && kind != .moved
        contentChanged = kind == .modified || kind == .replaced || isContentUncertain
        exists = kind != .deleted
        wasWritten = kind == .created || kind == .modified || kind == .replaced
        first = moment
        lastWritten = wasWritten ? moment : Timestamp(nanoseconds: 0)
    }

    /// Adds the next row of the path.
    public mutating func add(_ kind: ChangeKind, at moment: Timestamp, isContentUncertain: Bool = false) {
        guard let next = PathFacts(kind, at: moment, isContentUncertain: isContentUncertain) else { return }
        // Whatever was there before a deletion may be at the destination still, and look the same.
        if !exists && existedBefore || next.contentChanged { contentChanged = true }
        // What an interrupted attempt carried is as good as what was there at the cursor.
        if !exists && next.exists { contentChanged = true }
        exists = next.exists
        wasWritten = wasWritten || next.wasWritten
        if next.wasWritten { lastWritten = moment }
    }

    /// The name is new to the destination: nothing but a link is needed if its inode is there under another name.
    public var isNewName: Bool { !existedBefore && !contentChanged }

    /// The same, where a look shows that the name is there.
    var givenPresence: PathFacts {
        if exists { return self }
        // It was deleted and is there again: whatever the destination still has may look like it.
        var facts = self
        (facts.exists, facts.contentChanged) = (true, true)
        return facts
    }

    func given(_ state: SourceState) -> PathFacts {
        if case .present = state { return givenPresence }
        return self
    }

    // MARK: Kept between runs

    private static let existedBit: Int64 = 1
    private static let contentBit: Int64 = 2
    private static let existsBit: Int64 = 4
    private static let writtenBit: Int64 = 8

    /// As it stands in a consumer's file.
    public var flags: Int64 {
        (existedBefore ? Self.existedBit : 0) | (contentChanged ? Self.contentBit : 0)
            | (exists ? Self.existsBit : 0) | (wasWritten ? Self.writtenBit : 0)
    }

    public init(flags: Int64, first: Timestamp, lastWritten: Timestamp) {
        existedBefore = flags & Self.existedBit != 0
        contentChanged = flags & Self.contentBit != 0
        exists = flags & Self.existsBit != 0
        wasWritten = flags & Self.writtenBit != 0
        self.first = first
        self.lastWritten = lastWritten
    }

    public init(
        existedBefore: Bool, contentChanged: Bool, exists: Bool, wasWritten: Bool, first: Timestamp,
        lastWritten: Timestamp
    ) {
        self.existedBefore = existedBefore
        self.contentChanged = contentChanged
        self.exists = exists
        self.wasWritten = wasWritten
        self.first = first
        self.lastWritten = lastWritten
    }

    /// What was kept of earlier rows, followed by what this says of later ones.
    public func following(_ earlier: PathFacts) -> PathFacts {
        PathFacts(
            existedBefore: earlier.existedBefore,
            contentChanged: earlier.contentChanged || contentChanged || !earlier.exists && exists,
            exists: exists, wasWritten: earlier.wasWritten || wasWritten, first: min(earlier.first, first),
            lastWritten: max(earlier.lastWritten, lastWritten))
    }
}
