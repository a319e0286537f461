import LinuxKernel

/// Why a pattern was refused: which one, what is wrong with it, and what is expected instead.
public struct PatternError: Error, Equatable, Sendable {
    /// The pattern as it was given.
    public let pattern: [UInt8]
    public let problem: Problem

    public enum Problem: Error, Equatable, Sendable {
        case empty
        case containsNUL
        /// A root that does not start with `/`.
        case notAbsolute
        /// A root that is `/` itself.
        case wholeFileSystem
        /// `.` or `..` as a component.
        case relativeComponent
        /// Two slashes in a row in an exclude pattern, which git reads as a pattern that matches nothing.
        case emptyComponent
        /// A `[` with no `]` before the end of the component.
        case unterminatedBracket
        /// `[:name:]` with a name that POSIX does not have.
        case unknownClass
        /// A range such as `[z-a]`.
        case backwardsRange
        case trailingBackslash
        /// `**` in a root.
        case anyDepthInRoot
    }

    public init(pattern: [UInt8], problem: Problem) {
        self.pattern = pattern
        self.problem = problem
    }
}

extension PatternError: CustomStringConvertible {
    public var description: String { "pattern \"\(printable(pattern))\": \(problem)" }
}

extension PatternError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "it is empty; expected a name or a path, such as .nfs* or /cache/"
        case .containsNUL: "it contains a NUL byte, which no file name can; remove it"
        case .notAbsolute: "it is not absolute; expected a path that starts with /, such as /srv/nfs/*-backup"
        case .wholeFileSystem: "it is the whole file system; expected a directory below /, such as /srv/nfs/*-backup"
        case .relativeComponent: "\".\" and \"..\" are not allowed as components; write the path without them"
        case .emptyComponent: "two slashes in a row match nothing; write one"
        case .unterminatedBracket:
            "a \"[\" has no \"]\" before the next \"/\" or the end; close it, or write \\[ for the character itself"
        case .unknownClass:
            "unknown character class; expected one of [:alnum:] [:alpha:] [:blank:] [:cntrl:] [:digit:] [:graph:] "
                + "[:lower:] [:print:] [:punct:] [:space:] [:upper:] [:xdigit:]"
        case .backwardsRange: "a range in brackets runs backwards; write the lower character first, such as [a-z]"
        case .trailingBackslash:
            "a component ends with a backslash that escapes nothing; write \\\\ for the character itself"
        case .anyDepthInRoot:
            "\"**\" is not allowed in a root; expected one * for each directory level, such as /srv/*/*-backup"
        }
    }
}

/// `bytes` for people: control characters as octal escapes, what is not UTF-8 as U+FFFD.
private func printable(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for byte in bytes {
        // Not the backslash, which patterns are full of.
        if byte < 0x20 || byte == 0x7F {
            OctalEscapes.append(byte, to: &text)
        } else {
            text.append(byte)
        }
    }
    return String(decoding: text, as: UTF8.self)
}
