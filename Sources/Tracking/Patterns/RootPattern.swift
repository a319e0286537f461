/// Which directories to watch: an absolute path whose components may be shell globs, such as `/srv/nfs/*-backup`.
///
/// As in the shell, a wildcard does not match a dot at the start of a name. Slashes in a row and at the end count as
/// one and as none.
public struct RootPattern: Hashable, Sendable {
    /// The pattern as it was given.
    public let source: [UInt8]
    /// From `/` down; never empty.
    public let components: [Component]

    public enum Component: Equatable, Sendable {
        /// Exactly this name, escapes taken out.
        case literal([UInt8])
        case glob(GlobMatcher)
    }

    public init(_ pattern: [UInt8]) throws(PatternError) {
        do throws(PatternError.Problem) {
            components = try Self.components(of: pattern)
            source = pattern
        } catch {
            throw PatternError(pattern: pattern, problem: error)
        }
    }

    private static func components(of pattern: [UInt8]) throws(PatternError.Problem) -> [Component] {
        if pattern.isEmpty { throw .empty }
        if pattern.contains(0) { throw .containsNUL }
        guard pattern.first == UInt8(ascii: "/") else { throw .notAbsolute }
        var components: [Component] = []
        for part in pattern.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual("**".utf8) { throw .anyDepthInRoot }
            let matcher = try GlobMatcher(part, leadingDot: .explicit)
            if matcher.literal == [UInt8(ascii: ".")] || matcher.literal == Array("..".utf8) {
                throw .relativeComponent
            }
            components.append(matcher.literal.map(Component.literal) ?? .glob(matcher))
        }
        if components.isEmpty { throw .wholeFileSystem }
        return components
    }

    /// Whether an absolute path is one that the pattern names, whatever is there.
    public func matches(path: [UInt8]) -> Bool {
        guard path.first == UInt8(ascii: "/") else { return false }
        let names = path.split(separator: UInt8(ascii: "/"))
        return names.count == components.count
            && zip(components, names).allSatisfy { component, name in component.matches(name) }
    }

    /// Whether an absolute path is one that the pattern names, or is below one, whatever is there.
    public func covers(path: [UInt8]) -> Bool {
        guard path.first == UInt8(ascii: "/") else { return false }
        let names = path.split(separator: UInt8(ascii: "/"))
        return names.count >= components.count
            && zip(components, names).allSatisfy { component, name in component.matches(name) }
    }

    public static func == (left: RootPattern, right: RootPattern) -> Bool { left.source == right.source }
    public func hash(into hasher: inout Hasher) { hasher.combine(source) }
}

extension RootPattern.Component {
    /// Whether `name` is a name that this component stands for.
    public func matches(_ name: some Collection<UInt8>) -> Bool {
        switch self {
        case .literal(let wanted): wanted.elementsEqual(name)
        case .glob(let matcher): matcher.matches(name)
        }
    }
}
