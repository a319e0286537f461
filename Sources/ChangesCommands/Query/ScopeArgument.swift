import LinuxKernel

/// What `--under` means: an absolute path, one relative to the working directory, or one that begins with the bare name
/// of a root.
enum ScopeArgument {
    enum Flaw: Error, Equatable {
        case empty
        /// `..` after another component: what it means depends on symlinks.
        case parentInside
        /// The roots that have that name.
        case ambiguous([[UInt8]])
        case noWorkingDirectory
    }

    /// - Parameters:
    ///   - roots: absolute paths.
    ///   - workingDirectory: asked for only where it matters; nil when it is gone.
    static func scope(
        of argument: [UInt8], roots: [[UInt8]], workingDirectory: () -> [UInt8]?
    ) throws(Flaw) -> PathScope {
        guard !argument.isEmpty else { throw .empty }
        if argument.first == UInt8(ascii: "/") {
            guard let scope = PathScope(argument) else { throw .parentInside }
            return scope
        }
        let components = argument.split(separator: UInt8(ascii: "/")).map(Array.init)
        if let first = components.first, first != Array(".".utf8), first != Array("..".utf8) {
            let named = roots.filter { lastComponent(of: $0) == first }
            if named.count > 1 { throw .ambiguous(named) }
            if let root = named.first { return try joined(root, components.dropFirst()) }
        }
        guard let directory = workingDirectory() else { throw .noWorkingDirectory }
        var base = directory.split(separator: UInt8(ascii: "/")).map(Array.init)
        var rest = components[...]
        // The working directory's path has no symlinks (getcwd(3)), so its parents are what its components say.
        while let first = rest.first, first == Array(".".utf8) || first == Array("..".utf8) {
            if first.count == 2 { base = base.dropLast() }
            rest = rest.dropFirst()
        }
        return try joined(base.flatMap { [UInt8(ascii: "/")] + $0 }, rest)
    }

    private static func joined(_ base: [UInt8], _ rest: ArraySlice<[UInt8]>) throws(Flaw) -> PathScope {
        guard
            let scope = PathScope(
                rest.reduce(base.isEmpty ? [UInt8(ascii: "/")] : base) { $0 + [UInt8(ascii: "/")] + $1 })
        else { throw .parentInside }
        return scope
    }

    private static func lastComponent(of path: [UInt8]) -> [UInt8] {
        path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[($0 + 1)...]) } ?? path
    }
}
