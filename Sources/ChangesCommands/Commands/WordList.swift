import ArgumentParser
import ChangeStore
import LinuxKernel

/// Something that people and programs know by a word.
protocol NamedByWord: CaseIterable, Sendable {
    var word: String { get }
}

extension ChangeKind: NamedByWord {}
extension FileType: NamedByWord {}

/// An argument that is one or more words separated by commas: `created,deleted`.
struct WordList<Value: NamedByWord>: ExpressibleByArgument {
    let values: [Value]

    init?(argument: String) {
        let values = argument.split(separator: ",").map { word in Value.allCases.first { $0.word == word } }
        guard !values.isEmpty, values.allSatisfy({ $0 != nil }) else { return nil }
        self.values = values.compactMap(\.self)
    }

    static var allValueStrings: [String] { Value.allCases.map(\.word) }
    static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}
