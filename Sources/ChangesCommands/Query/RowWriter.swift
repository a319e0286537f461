import ChangeStore

/// Formats rows within a read transaction and writes them after it: a reader of the output that stops reading must not
/// keep a transaction open.
final class RowWriter {
    private let format: ChangeFormat
    private var piece: [UInt8] = []
    /// Rows written so far.
    private(set) var count = 0
    /// Bytes after which the transaction is to end.
    private static let pieceSize = 262_144

    init(_ format: ChangeFormat) { self.format = format }

    func writeHeader(to output: inout Output) throws { try output.append { format.appendHeader(to: &$0) } }

    func take(_ row: HistoryRow) -> HistoryScan.Step {
        format.append(row, to: &piece)
        count += 1
        return piece.count < Self.pieceSize ? .next : .pause
    }

    /// Writes what was taken; never within a transaction.
    func write(to output: inout Output) throws {
        if piece.isEmpty { return }
        try output.append { $0.append(contentsOf: piece) }
        piece.removeAll(keepingCapacity: true)
    }

    /// Writes all of `rows` in order of time.
    func write(_ rows: SelectedRows, to output: inout Output) throws {
        try rows.handOut(take, between: { try write(to: &output) })
        try write(to: &output)
    }
}
