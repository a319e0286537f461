/// The store's number of a directory: stays the same when the directory is renamed.
public struct DirectoryID: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int64
    @inlinable
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Where the roots' own entries stand, each named by its absolute path.
    public static let roots = DirectoryID(rawValue: 0)
}

/// The store's number of a file system.
public struct FileSystemID: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// The store's number of a directory path in the history.
public struct PathID: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int64
    @inlinable
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// An inode, across file systems.
public struct InodeKey: Hashable, Sendable {
    public var fileSystem: FileSystemID
    public var inode: UInt64
    @inlinable
    public init(fileSystem: FileSystemID, inode: UInt64) {
        self.fileSystem = fileSystem
        self.inode = inode
    }
}

/// What makes a directory the same directory: an inode number alone is given again after a removal, so the birth
/// time goes with it (0 where the file system keeps none).
public struct DirectoryIdentity: Hashable, Sendable {
    public var key: InodeKey
    public var born: Int64
    @inlinable
    public init(key: InodeKey, born: Int64) {
        self.key = key
        self.born = born
    }
}
