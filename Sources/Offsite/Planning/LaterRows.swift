import ChangeStore
import LinuxKernel

/// What the history tells of after a batch. What the index has may be newer than the rows that a batch was made
/// from: a name without a row among these may have one since, and one that was deleted since may still be looked at.
final class LaterRows {
    private let reader: StoreReader
    /// The last row of each.
    private var last: [PathDigest: Int64] = [:]
    /// The rows that were read.
    private var range: (after: Int64, through: Int64)?

    /// Rows that are read, for memory's sake.
    private static let most: Int64 = 1_000_000

    init(_ reader: StoreReader) { self.reader = reader }

    /// Reads the rows after this one as far as there are any by now.
    ///
    /// - Returns: whether a row after this one tells of a path, which is no directory; nil when they are too many to know.
    func paths(after sequence: Int64) throws -> ((_ path: [UInt8]) -> Bool)? {
        let end = try reader.lastSequence
        if let range, range.after > sequence { self.range = nil }
        let start = range ?? (sequence, sequence)
        if start.through < end {
            guard try reader.count(after: start.after) <= Self.most else {
                forget()
                return nil
            }
            try reader.run(HistoryScan(after: start.through, through: end)) { row in
                if row.type != .directory { last[row.digest] = row.sequence }
                return .next
            }
        }
        range = (start.after, max(start.through, end))
        return { [last] path in last[PathDigest(of: path)].map { $0 > sequence } ?? false }
    }

    private func forget() { (last, range) = ([:], nil) }
}
