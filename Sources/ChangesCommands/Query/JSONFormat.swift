import ChangeStore

/// One object a line: `seq`, `at`, `kind`, `path`, `type`, `size`; `from` for what was moved.
///
/// A path that is not UTF-8 has U+FFFD for what is not, and its exact bytes in base 64 as `path_b64`; `from`
/// likewise has `from_b64`.
enum JSONFormat {
    static func append(_ record: ChangeRecord, to output: inout [UInt8]) {
        var object = JSONObjectWriter(to: &output)
        object.append("seq", number: record.sequence, to: &output)
        object.append("at", moment: record.at, to: &output)
        object.append("kind", word: record.kind.word, to: &output)
        object.append("path", path: record.path, to: &output)
        if let from = record.from { object.append("from", path: from, to: &output) }
        object.append("type", word: record.type.word, to: &output)
        object.append("size", number: record.size, to: &output)
        object.end(to: &output)
        output.append(UInt8(ascii: "\n"))
    }
}
