/// One thing that is wrong with a configuration file: where, what stands there, and what should.
public struct ConfigurationProblem: Equatable, Sendable, CustomStringConvertible {
    /// The file as it was named.
    public var file: String
    /// Counted from 1; nil when the file as a whole is meant.
    public var line: Int?
    /// The dotted key, `watch.poll_interval`; nil when no key is meant.
    public var key: String?
    /// What the file has there: `the integer 60`, `an unknown key`.
    public var found: String
    /// What it may have there.
    public var expected: String
    /// The known word that was most likely meant.
    public var suggestion: String?

    /// `FILE:LINE: KEY: found …, expected … (did you mean …?)`, the form that editors and compilers understand.
    public var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if let key { text += ": \(key)" }
        text += ": found \(found), expected \(expected)"
        if let suggestion { text += " (did you mean \"\(suggestion)\"?)" }
        return text
    }
}

/// A configuration that cannot be used, with everything that is wrong with it, in the order of the file.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    public let problems: [ConfigurationProblem]

    /// Sorts the problems by line; those about the whole file come first.
    init(_ problems: [ConfigurationProblem]) {
        let ordered = problems.enumerated().sorted {
            ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
        }
        self.problems = ordered.map(\.element)
    }

    /// One line a problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
