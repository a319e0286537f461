/// One element of a compiled glob.
enum GlobToken: Equatable, Sendable {
    case byte(UInt8)
    /// `?`
    case anyByte
    /// `*`: any number of bytes, also none.
    case anyRun
    /// `[…]`: an index into the matcher's sets.
    case oneOf(UInt32)
}

/// Reads the glob syntax of one path component: `*`, `?`, `[…]`, and `\` before a byte that stands for itself.
///
/// Brackets follow git's wildmatch.c: `!` or `^` first inverts, a `]` first is ordinary, `a-z` is a range, a `-` at
/// either end is ordinary, `\` escapes here too, `[:alpha:]` is a POSIX class. What wildmatch quietly takes for a
/// pattern that never matches is refused.
struct GlobSyntax {
    private(set) var tokens: [GlobToken] = []
    private(set) var sets: [ByteSet] = []
    private var rest: ArraySlice<UInt8>

    init(_ component: ArraySlice<UInt8>) throws(PatternError.Problem) {
        rest = component
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): if tokens.last != .anyRun { tokens.append(.anyRun) }
            case UInt8(ascii: "?"): tokens.append(.anyByte)
            case UInt8(ascii: "["): tokens.append(try bracket())
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { throw .trailingBackslash }
                tokens.append(.byte(escaped))
            default: tokens.append(.byte(byte))
            }
        }
    }

    /// Reads from after the `[` to after the `]`.
    private mutating func bracket() throws(PatternError.Problem) -> GlobToken {
        var set = ByteSet()
        let isInverted = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isInverted { rest.removeFirst() }
        /// What a `-` would make a range from: the byte before it, unless that ended a range or a class.
        var lower: UInt8?
        var isFirst = true
        while true {
            guard let byte = rest.popFirst() else { throw .unterminatedBracket }
            if byte == UInt8(ascii: "]"), !isFirst { break }
            isFirst = false
            if byte == UInt8(ascii: "-"), let from = lower, let next = rest.first, next != UInt8(ascii: "]") {
                let to = try bracketByte(rest.removeFirst())
                guard from <= to else { throw .backwardsRange }
                for value in from...to { set.insert(value) }
                lower = nil
            } else if byte == UInt8(ascii: "["), let named = try namedClass() {
                set.formUnion(named)
                lower = nil
            } else {
                let value = try bracketByte(byte)
                set.insert(value)
                lower = value
            }
        }
        sets.append(isInverted ? set.inverted : set)
        return .oneOf(UInt32(sets.count - 1))
    }

    /// `byte`, or the one after it when it is a backslash.
    private mutating func bracketByte(_ byte: UInt8) throws(PatternError.Problem) -> UInt8 {
        if byte != UInt8(ascii: "\\") { return byte }
        guard let escaped = rest.popFirst() else { throw .unterminatedBracket }
        return escaped
    }

    /// The class after a `[` in brackets, when `:name:]` follows; nothing is consumed otherwise.
    private mutating func namedClass() throws(PatternError.Problem) -> ByteSet? {
        guard rest.first == UInt8(ascii: ":") else { return nil }
        let body = rest.dropFirst()
        guard let close = body.firstIndex(of: UInt8(ascii: "]")), close > body.startIndex,
            body[close - 1] == UInt8(ascii: ":")
        else { return nil }
        guard let set = ByteSet(className: body[..<(close - 1)]) else { throw .unknownClass }
        rest = body[(close + 1)...]
        return set
    }
}
