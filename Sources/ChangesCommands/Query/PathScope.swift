/// A path and everything below it.
struct PathScope: Equatable, Sendable {
    /// Without a slash at the end; empty for the root directory.
    private let base: [UInt8]

    /// - Parameter path: absolute. Doubled slashes, slashes at the end and `.` components do not matter;
    ///   `..` is not resolved, since what it means depends on symlinks.
    /// - Returns: nil when the path is not absolute or has `..` components.
    init?(_ path: [UInt8]) {
        let slash = UInt8(ascii: "/")
        let components = path.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        guard path.first == slash, !components.contains(where: { $0.elementsEqual("..".utf8) }) else { return nil }
        base = components.flatMap { [slash] + $0 }
    }

    /// Whether `path` is in the scope; `/a/b` holds `/a/b` and `/a/b/c`, but not `/a/bc`.
    func contains(_ path: [UInt8]) -> Bool {
        guard path.starts(with: base) else { return false }
        return path.count == base.count || path[base.count] == UInt8(ascii: "/")
    }
}
