import ChangeStore
import LinuxKernel

/// How `changes query` writes rows.
enum ChangeFormat {
    /// Columns for people.
    case table(TableFormat)
    /// One path a line, in the changelog's escapes.
    case paths
    /// Raw paths, each with a NUL after it, as `xargs -0` and `rsync --from0` take them.
    case nulTerminatedPaths
    /// One JSON object a line.
    case json
    case csv

    func appendHeader(to output: inout [UInt8]) {
        switch self {
        case .table(let table): table.appendHeader(to: &output)
        case .csv: output.append(contentsOf: CSVFormat.header.utf8)
        case .paths, .nulTerminatedPaths, .json: break
        }
    }

    func append(_ row: HistoryRow, to output: inout [UInt8]) {
        switch self {
        case .table(let table): table.append(row.record, to: &output)
        case .paths:
            // Escaped in place: most paths need none.
            let start = output.count
            row.appendPath(to: &output)
            if output[start...].contains(where: OctalEscapes.needsEscape) {
                let path = Array(output[start...])
                output.removeSubrange(start...)
                path.withUnsafeBytes { OctalEscapes.escape($0, into: &output) }
            }
            output.append(UInt8(ascii: "\n"))
        case .nulTerminatedPaths:
            row.appendPath(to: &output)
            output.append(0)
        case .json: JSONFormat.append(row.record, to: &output)
        case .csv: CSVFormat.append(row.record, to: &output)
        }
    }
}

extension FileType {
    /// The word that people and programs see.
    var word: String {
        switch self {
        case .file: "file"
        case .directory: "dir"
        case .symlink: "symlink"
        case .fifo: "fifo"
        case .socket: "socket"
        case .characterDevice: "chardev"
        case .blockDevice: "blockdev"
        }
    }
}
