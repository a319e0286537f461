import ChangeStore
import LinuxKernel

/// Aligned columns: local time, kind, size, path. The widths are fixed by what the columns can hold, so that rows
/// need not be collected first; the path comes last and is never cut.
struct TableFormat {
    var zone = Zone.local
    var screen = Screen.plain

    private static let timeWidth = "2026-11-23 03:00:05.250".utf8.count
    private static let kindWidth = ChangeKind.allCases.map(\.word.utf8.count).max()!
    private static let sizeWidth = "1023 MiB".utf8.count

    func appendHeader(to output: inout [UInt8]) {
        Style.faint.begin(on: screen, to: &output)
        Self.appendColumn("TIME", width: Self.timeWidth, to: &output)
        Self.appendColumn("KIND", width: Self.kindWidth, to: &output)
        Self.appendColumn("SIZE", width: Self.sizeWidth, alignRight: true, to: &output)
        output.append(contentsOf: "PATH".utf8)
        Style.end(on: screen, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    func append(_ record: ChangeRecord, to output: inout [UInt8]) {
        TimestampText.appendLocal(record.at, zone: zone, to: &output)
        output.append(contentsOf: "  ".utf8)
        record.kind.style.begin(on: screen, to: &output)
        Self.appendColumn(record.kind.word, width: Self.kindWidth, to: &output)
        Style.end(on: screen, to: &output)
        // The size of a directory is its file system's own affair.
        let size = record.type == .file ? ByteSizeText.approximate(record.size) : "-"
        Self.appendColumn(size, width: Self.sizeWidth, alignRight: true, to: &output)
        TerminalText.append(record.path, to: &output)
        if record.type == .directory, record.path.last != UInt8(ascii: "/") { output.append(UInt8(ascii: "/")) }
        if let from = record.from {
            Style.faint.begin(on: screen, to: &output)
            output.append(contentsOf: "  (was ".utf8)
            TerminalText.append(from, to: &output)
            output.append(UInt8(ascii: ")"))
            Style.end(on: screen, to: &output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    /// A column of ASCII text and the space after it.
    static func appendColumn(
        _ text: String, width: Int, alignRight: Bool = false, to output: inout [UInt8]
    ) {
        let padding = repeatElement(UInt8(ascii: " "), count: max(0, width - text.utf8.count))
        if alignRight { output.append(contentsOf: padding) }
        output.append(contentsOf: text.utf8)
        if !alignRight { output.append(contentsOf: padding) }
        output.append(contentsOf: "  ".utf8)
    }
}

extension ChangeKind {
    fileprivate var style: Style {
        switch self {
        case .created, .baseline: .good
        case .replaced, .modified: .caution
        case .metadata, .untracked: .faint
        case .moved: .place
        case .deleted: .bad
        }
    }
}
