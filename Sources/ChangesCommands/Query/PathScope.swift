import LinuxKernel

/// A path and everything below it.
struct PathScope: Equatable, Sendable {
    /// Without a slash at the end; empty for the root directory.
    private let base: [UInt8]
    private let parent: [UInt8]
    private let name: [UInt8]

    /// How a directory lies to the scope.
    enum Relation {
        /// It and all its entries are in the scope.
        case inside
        case outside
        /// It holds the scope's base.
        case parent
    }

    /// - Parameter path: absolute. Doubled slashes, slashes at the end and `.` components do not matter;
    ///   `..` is not resolved, since what it means depends on symlinks.
    /// - Returns: nil when the path is not absolute or has `..` components.
    init?(_ path: [UInt8]) {
        let slash = UInt8(ascii: "/")
        let components = path.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        guard path.first == slash, !components.contains(where: { $0.elementsEqual("..".utf8) }) else { return nil }
        base = components.flatMap { [slash] + $0 }
        let parent = components.dropLast().flatMap { [slash] + $0 }
        self.parent = parent.isEmpty ? [slash] : parent
        name = components.last.map(Array.init) ?? []
    }

    /// The base as an absolute path.
    var path: [UInt8] { base.isEmpty ? [UInt8(ascii: "/")] : base }

    /// Whether `path` is in the scope; `/a/b` holds `/a/b` and `/a/b/c`, but not `/a/bc`.
    func contains(_ path: [UInt8]) -> Bool {
        guard path.starts(with: base) else { return false }
        return path.count == base.count || path[base.count] == UInt8(ascii: "/")
    }

    /// Whether the base lies somewhere below `path`.
    func isBelow(_ path: [UInt8]) -> Bool {
        base.starts(with: path) && (path.count == 1 || base.count > path.count && base[path.count] == UInt8(ascii: "/"))
    }

    func relation(toDirectory path: [UInt8]) -> Relation {
        if contains(path) { return .inside }
        return path == parent ? .parent : .outside
    }

    /// Whether the entry of the base's parent with this name is the base.
    func isNamed(_ name: UnsafeRawBufferPointer) -> Bool { name.elementsEqual(self.name) }
}
