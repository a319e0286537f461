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
    public var correction: Correction
    /// The known word that was most likely meant.
    public var suggestion: String?

    /// What should stand there.
    public enum Correction: Equatable, Sendable {
        /// Something of this kind.
        case expected(String)
        /// The same without this flaw, which says how to mend it.
        case flaw(String)
    }

    init(
        file: String, line: Int? = nil, key: String? = nil, found: String, _ correction: Correction,
        suggestion: String? = nil
    ) {
        self.file = file
        self.line = line
        self.key = key
        self.found = found
        self.correction = correction
        self.suggestion = suggestion
    }

    init(file: String, line: Int? = nil, found: String, expected: String) {
        self.init(file: file, line: line, found: found, .expected(expected))
    }

    /// `FILE:LINE: KEY: found …, expected … (did you mean …?)` or `FILE:LINE: KEY: found …: it is …`. Editors and
    /// other tools that understand compilers find the place by its beginning.
    public var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if let key { text += ": \(key)" }
        text += ": found \(found)"
        switch correction {
        case .expected(let expected): text += ", expected \(expected)"
        case .flaw(let flaw): text += ": \(flaw)"
        }
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
