/// A shell glob for one path component, compiled once: `*`, `?`, `[a-z]`, `[!a]`, `[[:digit:]]` and `\` escapes,
/// on bytes, as fnmatch(3) has them in the C locale.
public struct GlobMatcher: Equatable, Sendable {
    /// What a wildcard does with a dot at the start of a name.
    public enum LeadingDot: Sendable {
        /// A wildcard matches it, as in gitignore(5).
        case ordinary
        /// Only a dot in the pattern matches it, as in the shell (`FNM_PERIOD`).
        case explicit
    }

    /// The shapes that most patterns have, which one comparison decides.
    private enum Shape: Equatable, Sendable {
        case literal
        /// Literal bytes and one `*` at the end.
        case prefix
        /// One `*` and literal bytes.
        case suffix
        case general
    }

    private let shape: Shape
    /// The literal bytes of a shape that is not general.
    private let bytes: [UInt8]
    private let tokens: [GlobToken]
    private let sets: [ByteSet]
    /// Names that start with another byte never match.
    let firstBytes: ByteSet

    /// - Parameter component: a pattern without `/`.
    /// - Throws: what is wrong with the syntax; the caller knows the pattern that this is a component of.
    init(_ component: ArraySlice<UInt8>, leadingDot: LeadingDot) throws(PatternError.Problem) {
        let syntax = try GlobSyntax(component)
        tokens = syntax.tokens
        sets = syntax.sets
        bytes = tokens.compactMap { if case .byte(let byte) = $0 { byte } else { nil } }
        shape =
            switch tokens.count - bytes.count {
            case 0: .literal
            case 1 where tokens.last == .anyRun: .prefix
            case 1 where tokens.first == .anyRun: .suffix
            default: .general
            }
        firstBytes = Self.firstBytes(tokens, sets, leadingDot)
    }

    /// - Parameters:
    ///   - pattern: bytes without `/`, which no name contains.
    ///   - leadingDot: what a wildcard does with a dot at the start of a name.
    public init(_ pattern: [UInt8], leadingDot: LeadingDot = .ordinary) throws(PatternError) {
        do throws(PatternError.Problem) {
            try self.init(pattern[...], leadingDot: leadingDot)
        } catch {
            throw PatternError(pattern: pattern, problem: error)
        }
    }

    /// The only name that matches, where the pattern has no wildcard.
    public var literal: [UInt8]? { shape == .literal ? bytes : nil }

    /// Whether `name` matches. Takes at most its length times the pattern's length steps, whatever they are.
    public func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        if let first = name.first, !firstBytes.contains(first) { return false }
        switch shape {
        case .literal: return name.count == bytes.count && name.elementsEqual(bytes)
        case .prefix: return name.count >= bytes.count && name[..<bytes.count].elementsEqual(bytes)
        case .suffix: return name.count >= bytes.count && name[(name.count - bytes.count)...].elementsEqual(bytes)
        case .general: return matchesTokens(name)
        }
    }

    /// Whether `name` matches.
    public func matches(_ name: some Collection<UInt8>) -> Bool {
        name.withContiguousStorageIfAvailable { matches($0) } ?? Array(name).withUnsafeBufferPointer { matches($0) }
    }

    /// Tokens are taken one by one; on a mismatch the last `*` swallows one byte more. Going back to an earlier `*`
    /// is never needed: what stands between two of them was found at its leftmost place, and moving it right only
    /// leaves less for the rest.
    private func matchesTokens(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        var position = 0
        var token = 0
        var retry: (token: Int, position: Int)?
        while position < name.count || token < tokens.count {
            if token < tokens.count {
                if tokens[token] == .anyRun {
                    token += 1
                    if token == tokens.count { return true }
                    retry = (token, position)
                    continue
                }
                if position < name.count && accepts(tokens[token], name[position]) {
                    token += 1
                    position += 1
                    continue
                }
            }
            guard let last = retry, last.position < name.count else { return false }
            retry = (last.token, last.position + 1)
            (token, position) = (last.token, last.position + 1)
        }
        return true
    }

    private func accepts(_ token: GlobToken, _ byte: UInt8) -> Bool {
        switch token {
        case .byte(let wanted): byte == wanted
        case .anyByte, .anyRun: true
        case .oneOf(let index): sets[Int(index)].contains(byte)
        }
    }

    private static func firstBytes(_ tokens: [GlobToken], _ sets: [ByteSet], _ leadingDot: LeadingDot) -> ByteSet {
        var result: ByteSet
        switch tokens.first {
        case nil: return ByteSet()
        case .byte(let byte): return ByteSet(CollectionOfOne(byte))
        case .anyByte, .anyRun: result = .all
        case .oneOf(let index): result = sets[Int(index)]
        }
        if leadingDot == .explicit { result.remove(UInt8(ascii: ".")) }
        return result
    }
}
