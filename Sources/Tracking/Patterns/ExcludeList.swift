/// The names that are not tracked: gitignore(5) patterns, of which the last that matches decides.
///
/// Anchored patterns are relative to the watched root. As in git, nothing below an excluded directory can be included
/// again: who walks does not enter one, so `excludes(name:isDirectory:parentPath:)` need not look above the name.
public struct ExcludeList: Equatable, Sendable {
    /// `.nfs*`: what an NFS client renames a file to that is removed while open.
    public static let defaultPatterns: [[UInt8]] = [Array(".nfs*".utf8)]

    public let patterns: [ExcludePattern]
    /// Names that start with another byte are not excluded: for `.nfs*` one bit decides nearly all of them.
    private let firstBytes: ByteSet
    private let hasDirectoryPatterns: Bool

    /// Whether what is excluded depends on where it is. If so, moving a directory can change that for all below it.
    public let dependsOnPath: Bool

    public init(patterns sources: [[UInt8]]) throws(PatternError) {
        var patterns: [ExcludePattern] = []
        for source in sources { patterns.append(try ExcludePattern(source)) }
        self.init(patterns)
    }

    public init(_ patterns: [ExcludePattern]) {
        self.patterns = patterns
        var firstBytes = ByteSet()
        for pattern in patterns where !pattern.isNegated { firstBytes.formUnion(pattern.firstBytes) }
        self.firstBytes = firstBytes
        hasDirectoryPatterns = patterns.contains(where: \.matchesOnlyDirectories)
        dependsOnPath = patterns.contains(where: \.isAnchored)
    }

    /// Whether an entry of a directory that is itself not excluded is excluded.
    ///
    /// - Parameters:
    ///   - name: one path component.
    ///   - isDirectory: what the entry is, or for one that is gone, what the index says it was. nil for a name that
    ///     nobody knows: it is excluded if either a directory or a file of that name would be. There is nothing to
    ///     record for such a name, so the answer errs on the side that leaks nothing excluded.
    ///   - parentPath: the directory of the entry, relative to the watched root and without a slash at either end;
    ///     empty for the root itself. Asked for at most once, and only when an anchored pattern fits the name.
    public func excludes(
        name: UnsafeBufferPointer<UInt8>, isDirectory: Bool?, parentPath: () -> [UInt8]
    ) -> Bool {
        guard let first = name.first, firstBytes.contains(first) else { return false }
        var parents = Parents()
        if isDirectory == nil && hasDirectoryPatterns {
            return decides(name, false, &parents, parentPath) || decides(name, true, &parents, parentPath)
        }
        return decides(name, isDirectory ?? false, &parents, parentPath)
    }

    /// Whether a path below a watched root, or a directory above it up to the root, is excluded.
    ///
    /// - Parameters:
    ///   - path: relative to the root.
    ///   - isDirectory: as for a name.
    public func excludes(path: [UInt8], isDirectory: Bool?) -> Bool {
        let components = path.split(separator: UInt8(ascii: "/"))
        return components.indices.contains { index in
            let isLast = index == components.count - 1
            return components[index].withUnsafeBufferPointer { name in
                excludes(name: name, isDirectory: isLast ? isDirectory : true) {
                    Array(components[..<index].joined(separator: CollectionOfOne(UInt8(ascii: "/"))))
                }
            }
        }
    }

    /// The components of the parent's path, once they were needed.
    private struct Parents {
        private var known: [ArraySlice<UInt8>]?
        mutating func components(_ path: () -> [UInt8]) -> [ArraySlice<UInt8>] {
            if let known { return known }
            let components = path().split(separator: UInt8(ascii: "/"))
            known = components
            return components
        }
    }

    private func decides(
        _ name: UnsafeBufferPointer<UInt8>, _ isDirectory: Bool, _ parents: inout Parents, _ parentPath: () -> [UInt8]
    ) -> Bool {
        for pattern in patterns.reversed() {
            guard isDirectory || !pattern.matchesOnlyDirectories, pattern.matches(name: name) else { continue }
            if !pattern.isAnchored || pattern.matches(parents: parents.components(parentPath)) {
                return !pattern.isNegated
            }
        }
        return false
    }
}
