import ChangeStore

/// One object a line: `seq`, `at`, `kind`, `path`, `type`, `size`; `from` for what was moved.
///
/// A path that is not UTF-8 has U+FFFD for what is not, and its exact bytes in base 64 as `path_b64`; `from`
/// likewise has `from_b64`.
enum JSONFormat {
    static func append(_ record: ChangeRecord, to output: inout [UInt8]) {
        var object = JSONObjectWriter(to: &output)
        object.append("seq", number: record.sequence, to: &output)
        object.appendName("at", to: &output)
        output.append(UInt8(ascii: "\""))
        TimestampText.appendRFC3339(record.at, to: &output)
        output.append(UInt8(ascii: "\""))
        object.append("kind", word: record.kind.word, to: &output)
        appendPath(record.path, name: "path", in: &object, to: &output)
        if let from = record.from { appendPath(from, name: "from", in: &object, to: &output) }
        object.append("type", word: record.type.word, to: &output)
        object.append("size", number: record.size, to: &output)
        object.end(to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    private static func appendPath(
        _ path: [UInt8], name: String, in object: inout JSONObjectWriter, to output: inout [UInt8]
    ) {
        if object.append(name, text: path, to: &output) { return }
        object.appendName(name + "_b64", to: &output)
        output.append(UInt8(ascii: "\""))
        Base64.append(path, to: &output)
        output.append(UInt8(ascii: "\""))
    }
}
