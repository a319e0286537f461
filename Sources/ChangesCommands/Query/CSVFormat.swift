import ChangeStore
import LinuxKernel

/// Comma-separated values after RFC 4180, with a header line and line feeds: `seq,at,kind,type,size,path,from`.
///
/// Paths have the changelog's octal escapes, so a record is a line whatever is in a name, and are quoted where
/// they hold a comma or a quote. Bytes that are not UTF-8 stand as they are.
enum CSVFormat {
    static let header = "seq,at,kind,type,size,path,from\n"

    static func append(_ record: ChangeRecord, to output: inout [UInt8]) {
        output.append(contentsOf: "\(record.sequence),".utf8)
        TimestampText.appendRFC3339(record.at, to: &output)
        output.append(contentsOf: ",\(record.kind.word),\(record.type.word),\(record.size),".utf8)
        append(path: record.path, to: &output)
        output.append(UInt8(ascii: ","))
        if let from = record.from { append(path: from, to: &output) }
        output.append(UInt8(ascii: "\n"))
    }

    static func append(path: [UInt8], to output: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        guard path.contains(where: { $0 == quote || $0 == UInt8(ascii: ",") }) else {
            path.withUnsafeBytes { OctalEscapes.escape($0, into: &output) }
            return
        }
        output.append(quote)
        for byte in OctalEscapes.escape(path) {
            if byte == quote { output.append(quote) }
            output.append(byte)
        }
        output.append(quote)
    }
}
