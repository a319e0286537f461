/// What a search for roots asks the file system. Paths are absolute, bytes, without a slash at the end but for `/`.
///
/// No answer follows a symlink, in no component of the path.
public protocol DirectoryOracle {
    /// What is at `path` (a look as by lstat).
    mutating func kind(of path: [UInt8]) -> RootSearch.Kind
    /// The entries of a directory but `.` and `..`, in any order.
    mutating func entries(of path: [UInt8]) -> RootSearch.Listing
}
