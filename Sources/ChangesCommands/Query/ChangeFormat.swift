import ChangeStore
import LinuxKernel

/// How `changes query` writes rows.
enum ChangeFormat: Equatable, Sendable {
    /// Columns for people.
    case table
    /// One path a line, in the changelog's escapes.
    case paths
    /// Raw paths, each with a NUL after it, as `xargs -0` and `rsync --from0` take them.
    case nulTerminatedPaths
    /// One JSON object a line.
    case json

    func appendHeader(to output: inout [UInt8]) {
        if self == .table { TableFormat.appendHeader(to: &output) }
    }

    func append(_ record: ChangeRecord, zone: Zone, to output: inout [UInt8]) {
        switch self {
        case .table: TableFormat.append(record, zone: zone, to: &output)
        case .paths:
            record.path.withUnsafeBytes { OctalEscapes.escape($0, into: &output) }
            output.append(UInt8(ascii: "\n"))
        case .nulTerminatedPaths:
            output.append(contentsOf: record.path)
            output.append(0)
        case .json: JSONFormat.append(record, to: &output)
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
