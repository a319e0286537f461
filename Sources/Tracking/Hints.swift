/// Why a name has to be looked at.
public struct Hints: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The content changed: a change whatever the look says.
    public static let content = Hints(rawValue: 1 << 0)
    /// Attributes changed: a change whatever the look says.
    public static let metadata = Hints(rawValue: 1 << 1)
    /// The name was made, or something was renamed to it.
    public static let appeared = Hints(rawValue: 1 << 2)
    /// The name was unlinked, or something was renamed from it.
    public static let vanished = Hints(rawValue: 1 << 3)
    /// Written to and not yet closed: the close that follows is no further change.
    public static let writtenOpen = Hints(rawValue: 1 << 4)
    /// A close after writing that no write in this mark explains.
    public static let loneClose = Hints(rawValue: 1 << 5)
    /// The event was about a directory.
    public static let directory = Hints(rawValue: 1 << 6)
    /// Marked because another name of the same inode changed: goes no further.
    public static let viaLink = Hints(rawValue: 1 << 7)
    /// Marked because the inode lost another name: link count and time of change follow without a record.
    public static let linkLost = Hints(rawValue: 1 << 8)
    /// The look was put off before because its directory was not where it should be.
    public static let putOff = Hints(rawValue: 1 << 9)

    /// Closed after a write that an earlier mark told of.
    public static let closed = Hints(rawValue: 1 << 10)

    /// An event was read since the last time the name's record was put off.
    public static let fresh = Hints(rawValue: 1 << 11)

    /// Vanished by a rename: what it named has another name now, or has left.
    public static let renamed = Hints(rawValue: 1 << 12)

    /// Appeared by a rename, which takes the name from whatever had it without a word.
    public static let renamedTo = Hints(rawValue: 1 << 13)

    /// The content of what was renamed to the name had changed under its old name.
    public static let contentBefore = Hints(rawValue: 1 << 14)

    /// Attributes of what was renamed to the name had changed under its old name.
    public static let metadataBefore = Hints(rawValue: 1 << 15)

    /// The content of what the index has at the name had changed before it lost the name.
    public static let formerContent = Hints(rawValue: 1 << 16)

    /// Attributes of what the index has at the name had changed before it lost the name.
    public static let formerMetadata = Hints(rawValue: 1 << 17)

    /// The name is excluded: only what is told of its inode counts, for the names that are not.
    public static let excluded = Hints(rawValue: 1 << 18)

    /// Looked at again because the last look was too close to the change: only to see that nothing has changed since.
    public static let recheck = Hints(rawValue: 1 << 19)

    /// Hints of events about the inode that has the name, which concern all its names.
    public static let ofInode: Hints = [.content, .metadata, .loneClose]

    /// Hints of events about an inode that had the name.
    public static let ofFormerInode: Hints = [.formerContent, .formerMetadata]

    /// Of the inode that a rename brought, from before it did.
    static let broughtAlong: Hints = [.contentBefore, .metadataBefore]

    /// Events that take the name from the inode that has it.
    public static let takesName: Hints = [.vanished, .renamedTo]

    /// What a rename takes along from the old name to the new one.
    var takenAlong: Hints {
        var taken: Hints = []
        if !isDisjoint(with: [.content, .loneClose, .contentBefore]) { taken.insert(.contentBefore) }
        if !isDisjoint(with: [.metadata, .metadataBefore]) { taken.insert(.metadataBefore) }
        return taken
    }

    /// The same told of the inode once it has lost the name.
    public var asFormer: Hints {
        var former = intersection(.ofFormerInode)
        if !isDisjoint(with: [.content, .loneClose]) { former.insert(.formerContent) }
        if contains(.metadata) { former.insert(.formerMetadata) }
        return former
    }

    /// What events told, under this name and those before, of the inode that has the name now.
    public var ofInodeThere: Hints {
        var told = intersection(.ofInode)
        if contains(.contentBefore) { told.insert(.content) }
        if contains(.metadataBefore) { told.insert(.metadata) }
        return told
    }

    /// Hints that a file being written goes on raising.
    public static let ongoing: Hints = [.content, .metadata, .writtenOpen, .loneClose, .closed, .fresh, .recheck]
}
