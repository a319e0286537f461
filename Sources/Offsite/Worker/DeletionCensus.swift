import ChangeStore
import LinuxKernel

/// Counts what has been deleted since the cursor, and what was there then, so that a mass deletion is seen before any
/// of it is carried out.
struct DeletionCensus {
    /// Names that were there at the cursor and are gone, apart from those that directories took along when they were
    /// renamed.
    private(set) var gone: Int64 = 0
    /// Names that are new since the cursor.
    private(set) var born: Int64 = 0
    /// All names that were there at the cursor and are gone.
    private(set) var vanished: Int64 = 0

    /// Names looked at in one pass; more take more passes, for memory's sake (24 bytes each, and as much again).
    private static let mostNames = 1_000_000

    private struct Name {
        var existedBefore: Bool
        var exists: Bool
        var isRenamed: Bool
    }

    /// - Parameters:
    ///   - renames: directories that were renamed.
    init(
        _ reader: StoreReader, after cursor: Int64, through end: Int64, scope: SourceScope, renames: RenameMap
    ) throws {
        let rows = try reader.count(after: cursor)
        let passes = UInt64(max(1, rows / Int64(Self.mostNames) + 1))
        for pass in 0..<passes {
            var names: [PathDigest: Name] = [:]
            var path: [UInt8] = []
            // Most rows stand in the directory of the row before.
            var last: (directory: HistoryDirectory, isInFormer: Bool)?
            try reader.run(HistoryScan(after: cursor, through: end)) { row in
                guard row.kind != .baseline, row.kind != .untracked else { return .next }
                let digest = row.digest
                guard digest.high % passes == pass else { return .next }
                let exists = row.kind != .deleted
                if names[digest] != nil {
                    names[digest]?.exists = exists
                    return .next
                }
                path.removeAll(keepingCapacity: true)
                row.appendPath(to: &path)
                guard scope.relative(path, isDirectory: row.type == .directory) != nil else { return .next }
                if last?.directory !== row.directory { last = (row.directory, renames.isInFormer(path)) }
                names[digest] = Name(
                    existedBefore: row.kind != .created && row.kind != .moved, exists: exists,
                    isRenamed: last?.isInFormer == true || renames.isFormerName(path))
                return .next
            }
            for name in names.values {
                if name.existedBefore, !name.exists {
                    vanished += 1
                    if !name.isRenamed { gone += 1 }
                }
                if !name.existedBefore, name.exists { born += 1 }
            }
        }
    }
}
