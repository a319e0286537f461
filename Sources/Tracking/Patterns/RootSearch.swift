/// Finds the directories that root patterns stand for, and where a new or vanished one would show.
///
/// A search looks once and holds nothing. To miss nothing, watch what it names and search again, until it names no
/// directory that is not watched yet; then again after each event in one of them.
public struct RootSearch: Equatable, Sendable {
    /// The directories that match, in byte order. None is inside another.
    public private(set) var roots: [[UInt8]] = []
    /// The directories in which a name that appears or goes changes the roots, in byte order: those of a glob, of the
    /// last component, and, where a path ends early, of the first name that is missing.
    public private(set) var watched: [[UInt8]] = []
    /// The directories that paths only pass through, in byte order: renaming an entry of one takes away what is below
    /// without an event in `watched` (a directory gets an event when it is renamed itself, not when its parent is).
    public private(set) var passed: [[UInt8]] = []
    /// What people should know, in the order of the patterns.
    public private(set) var notes: [Note] = []

    /// What is at a path.
    public enum Kind: Equatable, Sendable {
        case directory
        case symlink
        /// Some other file.
        case other
        case missing
        /// It could not be looked at, with the errno.
        case unreadable(CInt)
    }

    /// What a directory holds.
    public enum Listing: Equatable, Sendable {
        case entries([Entry])
        /// It is gone, or no directory any more.
        case missing
        /// It could not be listed, with the errno.
        case unreadable(CInt)
    }

    /// An entry of a directory.
    public struct Entry: Equatable, Sendable {
        public let name: [UInt8]
        /// nil where the file system does not say (`DT_UNKNOWN`).
        public let isDirectory: Bool?
        public init(name: [UInt8], isDirectory: Bool?) {
            self.name = name
            self.isDirectory = isDirectory
        }
    }

    /// Something that a search met and that is not as a pattern wants it.
    public enum Note: Hashable, Sendable {
        /// The path is a symlink, which is never followed: a pattern has to name the directory itself.
        case symlink([UInt8])
        /// The path is a file where a pattern names a directory.
        case notDirectory([UInt8])
        /// The path could not be looked at or listed, with the errno; what is below stays unknown.
        case unreadable([UInt8], CInt)
        /// A matching directory is inside another root, and watched as a part of that.
        case nested([UInt8], inside: [UInt8])
        /// Nothing matches the pattern now.
        case unmatched(RootPattern)
    }

    public init(_ patterns: [RootPattern], in oracle: inout some DirectoryOracle) {
        var walk = Walk(oracle: oracle)
        for pattern in patterns { walk.follow(pattern) }
        oracle = walk.oracle

        notes = walk.notes
        let order: ([UInt8], [UInt8]) -> Bool = { $0.lexicographicallyPrecedes($1) }
        for path in walk.matches.sorted(by: order) {
            if let outer = Self.outermost(of: path, in: walk.matches) {
                notes.append(.nested(path, inside: outer))
            } else {
                roots.append(path)
            }
        }
        watched = walk.watched.sorted(by: order)
        passed = walk.passed.subtracting(walk.watched).sorted(by: order)
    }

    /// The highest directory above `path` that is in `paths`.
    private static func outermost(of path: [UInt8], in paths: Set<[UInt8]>) -> [UInt8]? {
        for index in path.indices.dropFirst() where path[index] == UInt8(ascii: "/") {
            let above = Array(path[..<index])
            if paths.contains(above) { return above }
        }
        return nil
    }
}

/// One search under way.
private struct Walk<Oracle: DirectoryOracle> {
    var oracle: Oracle
    var matches: Set<[UInt8]> = []
    var watched: Set<[UInt8]> = []
    var passed: Set<[UInt8]> = []
    var notes: [RootSearch.Note] = []

    init(oracle: Oracle) { self.oracle = oracle }

    mutating func follow(_ pattern: RootPattern) {
        if !enter([UInt8(ascii: "/")], pattern.components[...]) { note(.unmatched(pattern)) }
    }

    /// Looks for what `components` name below the directory `path`, and says whether anything matches.
    private mutating func enter(_ path: [UInt8], _ components: ArraySlice<RootPattern.Component>) -> Bool {
        guard let component = components.first else {
            matches.insert(path)
            return true
        }
        let rest = components.dropFirst()
        switch component {
        case .literal(let name): return enter(literal: name, of: path, rest)
        case .glob(let matcher): return enter(glob: matcher, of: path, rest)
        }
    }

    private mutating func enter(
        literal name: [UInt8], of path: [UInt8], _ rest: ArraySlice<RootPattern.Component>
    ) -> Bool {
        let child = join(path, name)
        let kind = oracle.kind(of: child)
        if kind == .directory && !rest.isEmpty { passed.insert(path) } else { watched.insert(path) }
        switch kind {
        case .directory: return enter(child, rest)
        case .symlink: note(.symlink(child))
        case .other: note(.notDirectory(child))
        case .missing: break
        case .unreadable(let code): note(.unreadable(child, code))
        }
        return false
    }

    private mutating func enter(
        glob matcher: GlobMatcher, of path: [UInt8], _ rest: ArraySlice<RootPattern.Component>
    ) -> Bool {
        watched.insert(path)
        let entries: [RootSearch.Entry]
        switch oracle.entries(of: path) {
        case .entries(let found): entries = found
        case .missing: return false
        case .unreadable(let code):
            note(.unreadable(path, code))
            return false
        }
        var isAnyMatch = false
        for entry in entries where matcher.matches(entry.name) {
            let child = join(path, entry.name)
            switch entry.isDirectory == true ? .directory : oracle.kind(of: child) {
            case .directory: if enter(child, rest) { isAnyMatch = true }
            case .symlink: note(.symlink(child))
            case .unreadable(let code): note(.unreadable(child, code))
            // A glob is about directories only, as with a slash at its end in the shell.
            case .other, .missing: break
            }
        }
        return isAnyMatch
    }

    /// Patterns often share a prefix, and would say the same of it.
    private mutating func note(_ note: RootSearch.Note) {
        if !notes.contains(note) { notes.append(note) }
    }

    private func join(_ path: [UInt8], _ name: [UInt8]) -> [UInt8] {
        path.count == 1 ? path + name : path + [UInt8(ascii: "/")] + name
    }
}
