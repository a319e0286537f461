import TOMLKit

/// How a value of some type stands in a TOML document: how it is read, how it is written, and what an error says is
/// expected. What is written is read again as the same value.
struct ValueForm<Value>: Sendable {
    let expectation: String
    let read: @Sendable (any TOMLValueConvertible, PatternChecking) throws(ValueFlaws) -> Value
    let write: @Sendable (Value) -> String

    init(
        _ expectation: String,
        read: @escaping @Sendable (any TOMLValueConvertible, PatternChecking) throws(ValueFlaws) -> Value,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.expectation = expectation
        self.read = read
        self.write = write
    }

    /// A string that `parse` makes a value of, or nil.
    init(
        _ expectation: String, parse: @escaping @Sendable (String) -> Value?,
        format: @escaping @Sendable (Value) -> String
    ) {
        self.init(
            expectation,
            read: { value, _ throws(ValueFlaws) in
                guard let text = value.string, let parsed = parse(text) else { throw ValueFlaws(expected: expectation) }
                return parsed
            },
            write: { TOMLText.string(format($0)) })
    }

    /// The same for values only that fit; of others an error says what is expected instead.
    func holding(_ expected: String, _ fits: @escaping @Sendable (Value) -> Bool) -> ValueForm {
        ValueForm(
            expectation,
            read: { [read] value, checking throws(ValueFlaws) in
                let result = try read(value, checking)
                guard fits(result) else { throw ValueFlaws(expected: expected) }
                return result
            },
            write: write)
    }

    /// An array of such values, each of which may have its own flaw.
    ///
    /// - Parameter expectedNotEmpty: what an error says of an empty array; nil: it may be empty.
    func list(_ expectation: String, expectedNotEmpty: String? = nil) -> ValueForm<[Value]> {
        ValueForm<[Value]>(
            expectation,
            read: { [read] value, checking throws(ValueFlaws) in
                guard let array = value.array else { throw ValueFlaws(expected: expectation) }
                if array.isEmpty, let expectedNotEmpty { throw ValueFlaws(expected: expectedNotEmpty) }
                var values: [Value] = []
                var flaws = ValueFlaws()
                for (index, element) in array.enumerated() {
                    do throws(ValueFlaws) {
                        values.append(try read(element, checking))
                    } catch {
                        flaws.append(error, ofElement: index, found: TOMLText.description(of: element))
                    }
                }
                guard flaws.all.isEmpty else { throw flaws }
                return values
            },
            write: { [write] in "[" + $0.map(write).joined(separator: ", ") + "]" })
    }
}

/// What is wrong with a value.
struct ValueFlaws: Error {
    struct Flaw {
        var correction: ConfigurationProblem.Correction
        var suggestion: String?
        /// The element of an array that is meant, and what it is; nil: the value as a whole.
        var element: (index: Int, found: String)?
    }

    private(set) var all: [Flaw] = []

    init() {}

    init(_ correction: ConfigurationProblem.Correction, suggestion: String? = nil) {
        all = [Flaw(correction: correction, suggestion: suggestion)]
    }

    init(expected: String, suggestion: String? = nil) { self.init(.expected(expected), suggestion: suggestion) }

    mutating func append(_ flaws: ValueFlaws, ofElement index: Int, found: String) {
        all += flaws.all.map { Flaw(correction: $0.correction, suggestion: $0.suggestion, element: (index, found)) }
    }
}
