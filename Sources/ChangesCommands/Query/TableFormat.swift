import ChangeStore
import LinuxKernel

/// Aligned columns: local time, kind, size, path. The widths are fixed by what the columns can hold, so that rows
/// need not be collected first; the path comes last and is never cut.
enum TableFormat {
    private static let timeWidth = "2026-11-23 03:00:05.250".utf8.count
    private static let kindWidth = ChangeKind.allCases.map(\.word.utf8.count).max()!
    private static let sizeWidth = "1023 MiB".utf8.count

    static func appendHeader(to output: inout [UInt8]) {
        appendColumn("TIME", width: timeWidth, to: &output)
        appendColumn("KIND", width: kindWidth, to: &output)
        appendColumn("SIZE", width: sizeWidth, alignRight: true, to: &output)
        output.append(contentsOf: "PATH\n".utf8)
    }

    static func append(_ record: ChangeRecord, zone: Zone, to output: inout [UInt8]) {
        TimestampText.appendLocal(record.at, zone: zone, to: &output)
        output.append(contentsOf: "  ".utf8)
        appendColumn(record.kind.word, width: kindWidth, to: &output)
        // The size of a directory is its file system's own affair.
        let size = record.type == .file ? ByteSizeText.approximate(record.size) : "-"
        appendColumn(size, width: sizeWidth, alignRight: true, to: &output)
        TerminalText.append(record.path, to: &output)
        if record.type == .directory, record.path.last != UInt8(ascii: "/") { output.append(UInt8(ascii: "/")) }
        if let from = record.from {
            output.append(contentsOf: "  (was ".utf8)
            TerminalText.append(from, to: &output)
            output.append(UInt8(ascii: ")"))
        }
        output.append(UInt8(ascii: "\n"))
    }

    private static func appendColumn(
        _ text: String, width: Int, alignRight: Bool = false, to output: inout [UInt8]
    ) {
        let padding = repeatElement(UInt8(ascii: " "), count: max(0, width - text.utf8.count))
        if alignRight { output.append(contentsOf: padding) }
        output.append(contentsOf: text.utf8)
        if !alignRight { output.append(contentsOf: padding) }
        output.append(contentsOf: "  ".utf8)
    }
}
