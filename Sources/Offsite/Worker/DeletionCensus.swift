import ChangeStore
import LinuxKernel

/// Counts what has been deleted since the cursor, and what was there then, so that a mass deletion is seen before any
/// of it is carried out.
struct DeletionCensus {
    /// Names that were there at the cursor and are gone, less those that are there under a new name.
    var gone: Int64 { max(0, vanished - arrived) }
    /// Names that are new since the cursor, and of what was there before under another one.
    private(set) var arrived: Int64 = 0
    /// Names that are new since the cursor.
    private(set) var born: Int64 = 0
    /// All names that were there at the cursor and are gone.
    private(set) var vanished: Int64 = 0

    /// Names looked at in one pass; more take more passes, for memory's sake (24 bytes each, and as much again).
    private static let mostNames = 1_000_000

    private struct Name {
        var existedBefore: Bool
        var exists: Bool
        /// What stands there now was there at the cursor under another name.
        var isRenamed: Bool
    }

    init(_ reader: StoreReader, after cursor: Int64, through end: Int64, scope: SourceScope) throws {
        let rows = try reader.count(after: cursor)
        let passes = UInt64(max(1, rows / Int64(Self.mostNames) + 1))
        for pass in 0..<passes {
            var names: [PathDigest: Name] = [:]
            var path: [UInt8] = []
            // What was written under a passing name or comes from elsewhere makes up for no deletion.
            func isRenamed(_ row: HistoryRow) -> Bool {
                guard row.kind == .moved, let digest = row.fromDigest, digest.high % passes == pass,
                    let from = row.record.from, scope.relative(from, isDirectory: row.type == .directory) != nil
                else { return false }
                return names[digest].map { $0.existedBefore || $0.isRenamed } ?? true
            }
            try reader.run(HistoryScan(after: cursor, through: end)) { row in
                guard row.kind != .baseline, row.kind != .untracked else { return .next }
                let digest = row.digest
                guard digest.high % passes == pass else { return .next }
                let exists = row.kind != .deleted
                let isArrival = row.kind == .moved || row.kind == .created
                if var known = names[digest] {
                    known.exists = exists
                    // Before anything of `names` is changed, which this reads.
                    if isArrival { known.isRenamed = isRenamed(row) }
                    names[digest] = known
                    return .next
                }
                path.removeAll(keepingCapacity: true)
                row.appendPath(to: &path)
                guard scope.relative(path, isDirectory: row.type == .directory) != nil else { return .next }
                names[digest] = Name(existedBefore: !isArrival, exists: exists, isRenamed: isRenamed(row))
                return .next
            }
            for name in names.values {
                if name.existedBefore, !name.exists { vanished += 1 }
                if !name.existedBefore, name.exists {
                    born += 1
                    if name.isRenamed { arrived += 1 }
                }
            }
        }
    }
}
