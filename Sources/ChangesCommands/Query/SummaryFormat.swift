import ChangeStore
import LinuxKernel

/// How groups are written.
struct SummaryFormat {
    enum Kind {
        case table, json, csv
    }
    var kind: Kind
    var grouping: Grouping
    var zone = Zone.local
    var screen = Screen.plain

    private static let countWidth = 10
    private static let sizeWidth = "1023 MiB".utf8.count
    private static let barWidth = 20

    var hasBars: Bool { kind == .table && screen.isTerminal }

    func appendHeader(to output: inout [UInt8]) {
        switch kind {
        case .json: return
        case .csv: output.append(contentsOf: "\(grouping.rawValue),changes,bytes\n".utf8)
        case .table:
            Style.faint.begin(on: screen, to: &output)
            TableFormat.appendColumn("CHANGES", width: Self.countWidth, alignRight: true, to: &output)
            TableFormat.appendColumn("SIZE", width: Self.sizeWidth, alignRight: true, to: &output)
            if screen.isTerminal { TableFormat.appendColumn("", width: Self.barWidth, to: &output) }
            output.append(contentsOf: grouping.rawValue.uppercased().utf8)
            Style.end(on: screen, to: &output)
            output.append(UInt8(ascii: "\n"))
        }
    }

    /// - Parameter most: the changes of the group that has the longest bar; nil for no bars.
    func append(_ group: Group, most: Int64?, to output: inout [UInt8]) {
        switch kind {
        case .table:
            appendNumbers(group.totals, to: &output)
            if screen.isTerminal { appendBar(group.totals.count, of: most, to: &output) }
            appendText(of: group.key, to: &output)
        case .csv:
            appendText(of: group.key, to: &output)
            output.append(contentsOf: ",\(group.totals.count),\(group.totals.bytes)".utf8)
        case .json:
            var object = JSONObjectWriter(to: &output)
            object.appendKey(group.key, name: grouping.rawValue, to: &output)
            object.append("changes", number: group.totals.count, to: &output)
            object.append("bytes", number: group.totals.bytes, to: &output)
            object.end(to: &output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    func appendTotal(_ totals: Totals, to output: inout [UInt8]) {
        guard case .table = kind else { return }
        Style.strong.begin(on: screen, to: &output)
        appendNumbers(totals, to: &output)
        if screen.isTerminal { TableFormat.appendColumn("", width: Self.barWidth, to: &output) }
        output.append(contentsOf: "total".utf8)
        Style.end(on: screen, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    private func appendNumbers(_ totals: Totals, to output: inout [UInt8]) {
        TableFormat.appendColumn("\(totals.count)", width: Self.countWidth, alignRight: true, to: &output)
        let size = ByteSizeText.approximate(totals.bytes)
        TableFormat.appendColumn(size, width: Self.sizeWidth, alignRight: true, to: &output)
    }

    private func appendBar(_ count: Int64, of most: Int64?, to output: inout [UInt8]) {
        guard let most, most > 0 else { return TableFormat.appendColumn("", width: Self.barWidth, to: &output) }
        // In eighths of a cell; something is never shown as nothing.
        let eighths = max(1, Int(Double(count) / Double(most) * Double(Self.barWidth * 8)))
        Style.place.begin(on: screen, to: &output)
        var cells = eighths / 8
        if screen.hasUnicode {
            for _ in 0..<cells { output.append(contentsOf: "█".utf8) }
            if eighths % 8 > 0, cells < Self.barWidth {
                output.append(contentsOf: String(["▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8 - 1]).utf8)
                cells += 1
            }
        } else {
            cells = max(1, cells)
            output.append(contentsOf: repeatElement(UInt8(ascii: "#"), count: cells))
        }
        Style.end(on: screen, to: &output)
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: Self.barWidth - cells + 2))
    }

    private func appendText(of key: Group.Key, to output: inout [UInt8]) {
        switch (key, kind) {
        case (.hour(let moment), .csv), (.day(let moment), .csv): TimestampText.appendRFC3339(moment, to: &output)
        case (.hour(let moment), _): TimestampText.appendLocal(moment, zone: zone, to: &output, precision: .minutes)
        case (.day(let moment), _): TimestampText.appendLocal(moment, zone: zone, to: &output, precision: .days)
        case (.kind(let kind), _): output.append(contentsOf: kind.word.utf8)
        case (.root(let path?), .csv), (.directory(let path), .csv): CSVFormat.append(path: path, to: &output)
        case (.root(let path?), _), (.directory(let path), _): TerminalText.append(path, to: &output)
        case (.root(nil), .csv): break
        case (.root(nil), _): output.append(contentsOf: "(below no root of today)".utf8)
        }
    }
}

extension JSONObjectWriter {
    fileprivate mutating func appendKey(_ key: Group.Key, name: String, to output: inout [UInt8]) {
        switch key {
        case .hour(let moment), .day(let moment): append(name, moment: moment, to: &output)
        case .kind(let kind): append(name, word: kind.word, to: &output)
        case .root(let path?), .directory(let path): append(name, path: path, to: &output)
        case .root(nil): appendNull(name, to: &output)
        }
    }
}
