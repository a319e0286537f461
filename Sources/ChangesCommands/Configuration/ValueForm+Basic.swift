import ChangeStore
import TOMLKit

extension ValueForm<Bool> {
    static var flag: ValueForm {
        ValueForm(
            "true or false",
            read: { value, _ throws(ValueFlaws) in
                guard let flag = value.bool else { throw ValueFlaws(expected: "true or false") }
                return flag
            },
            write: { $0 ? "true" : "false" })
    }
}

extension ValueForm<Duration> {
    static var anyDuration: ValueForm {
        ValueForm(DurationText.expectation, parse: DurationText.parse, format: DurationText.format)
    }

    static var duration: ValueForm { anyDuration.holding("at least 1s") { $0 >= .seconds(1) } }
}

extension ValueForm<Int64> {
    /// Bytes, also none.
    static var anySize: ValueForm {
        ValueForm(
            ByteSizeText.expectation,
            read: { value, _ throws(ValueFlaws) in
                guard let size = value.string.flatMap(ByteSizeText.parse) ?? value.int.map(Int64.init) else {
                    throw ValueFlaws(expected: ByteSizeText.expectation)
                }
                return size
            },
            write: { TOMLText.string(ByteSizeText.format($0)) })
    }

    static var size: ValueForm { anySize.holding("more than 0") { $0 > 0 } }
}

extension ValueForm<String> {
    /// What may name a consumer.
    static var name: ValueForm {
        ValueForm(
            "a name of up to 100 letters, digits, '-', '_' and '.', not starting with '.' or '-'",
            parse: { Consumer.isName($0) ? $0 : nil }, format: { $0 })
    }
}

extension ValueForm where Value: RawRepresentable & CaseIterable & SendableMetatype, Value.RawValue == String {
    /// One of the words that the type has.
    static var word: ValueForm {
        let words = Value.allCases.map(\.rawValue)
        let expectation = "one of " + words.map(TOMLText.quote).joined(separator: ", ")
        return ValueForm(
            expectation,
            read: { value, _ throws(ValueFlaws) in
                guard let word = value.string.flatMap(Value.init) else {
                    throw ValueFlaws(
                        expected: expectation,
                        suggestion: value.string.flatMap { NearestWord.to($0, among: words) })
                }
                return word
            },
            write: { TOMLText.string($0.rawValue) })
    }
}
