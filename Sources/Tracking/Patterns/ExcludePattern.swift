/// One pattern of an exclude list, in the syntax of a line of gitignore(5).
///
/// Other than in a .gitignore file, `#` starts no comment and spaces at the end belong to the pattern.
public struct ExcludePattern: Equatable, Sendable {
    /// The pattern as it was given.
    public let source: [UInt8]
    /// `!`: what matches is included again.
    public let isNegated: Bool
    /// `/` at the end: only directories match.
    public let matchesOnlyDirectories: Bool
    /// A slash at the start or in the middle: the pattern is about the path below the root, not about a name anywhere.
    public var isAnchored: Bool { !parents.isEmpty || startsAtRoot }

    private let startsAtRoot: Bool
    /// What the directories above the name have to match, from the root down.
    private let parents: [Segment]
    /// What the name itself has to match.
    private let last: GlobMatcher

    private enum Segment: Equatable, Sendable {
        case name(GlobMatcher)
        /// `**`: any number of directories, also none.
        case anyDepth
    }

    public init(_ source: [UInt8]) throws(PatternError) {
        do throws(PatternError.Problem) {
            try self.init(parsing: source)
        } catch {
            throw PatternError(pattern: source, problem: error)
        }
    }

    private init(parsing source: [UInt8]) throws(PatternError.Problem) {
        let slash = UInt8(ascii: "/")
        if source.contains(0) { throw .containsNUL }
        var body = source[...]
        isNegated = body.first == UInt8(ascii: "!")
        if isNegated { body.removeFirst() }
        matchesOnlyDirectories = body.last == slash
        if matchesOnlyDirectories { body.removeLast() }
        startsAtRoot = body.first == slash
        if startsAtRoot { body.removeFirst() }
        if body.isEmpty { throw .empty }

        let components = body.split(separator: slash, omittingEmptySubsequences: false)
        var segments: [Segment] = []
        for component in components.dropLast() {
            try Self.check(component)
            if !Self.isAnyDepth(component) {
                segments.append(.name(try GlobMatcher(component, leadingDot: .ordinary)))
            } else if segments.last != .anyDepth {
                segments.append(.anyDepth)
            }
        }
        try Self.check(components.last!)
        // `a/**` matches everything inside a: any number of directories, and then any name.
        let isEverythingInside = Self.isAnyDepth(components.last!) && (startsAtRoot || components.count > 1)
        if isEverythingInside, segments.last != .anyDepth { segments.append(.anyDepth) }
        parents = segments
        last = try GlobMatcher(components.last!, leadingDot: .ordinary)
        self.source = source
    }

    private static func check(_ component: ArraySlice<UInt8>) throws(PatternError.Problem) {
        if component.isEmpty { throw .emptyComponent }
        if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) { throw .relativeComponent }
    }

    /// Whether a component is `**`. Elsewhere, `**` is an ordinary `*`; more than two stars are as two (wildmatch.c).
    private static func isAnyDepth(_ component: ArraySlice<UInt8>) -> Bool {
        component.count >= 2 && component.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension ExcludePattern {
    /// Names that start with another byte never match.
    var firstBytes: ByteSet { last.firstBytes }

    func matches(name: UnsafeBufferPointer<UInt8>) -> Bool { last.matches(name) }

    /// Whether the directories above the name match, from the root down. Like `GlobMatcher`, with components for bytes.
    func matches(parents path: [ArraySlice<UInt8>]) -> Bool {
        guard isAnchored else { return true }
        var position = 0
        var segment = 0
        var retry: (segment: Int, position: Int)?
        while position < path.count || segment < parents.count {
            if segment < parents.count {
                switch parents[segment] {
                case .anyDepth:
                    segment += 1
                    if segment == parents.count { return true }
                    retry = (segment, position)
                    continue
                case .name(let matcher):
                    if position < path.count && matcher.matches(path[position]) {
                        segment += 1
                        position += 1
                        continue
                    }
                }
            }
            guard let last = retry, last.position < path.count else { return false }
            retry = (last.segment, last.position + 1)
            (segment, position) = (last.segment, last.position + 1)
        }
        return true
    }
}
