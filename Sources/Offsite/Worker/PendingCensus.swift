public import ChangeStore
public import LinuxKernel

/// What a destination does not have yet: for figures, so it never takes long and may count less than there is.
public struct PendingCensus: Equatable, Sendable {
    /// Paths that changed, each once, with those that wait.
    public private(set) var paths: Int64 = 0
    /// Bytes of those that exist and changed after the cursor, each name of a file counted.
    public private(set) var bytes: Int64 = 0
    /// When the oldest of these changes was seen; nil when nothing is pending.
    public private(set) var oldest: Timestamp?
    /// There was more than was counted.
    public private(set) var isPartial = false

    /// Rows that are read at most: half a second.
    private static let mostRows = 500_000

    /// - Throws: `StoreError`.
    public init(_ consumer: Consumer, in reader: StoreReader, scope: SourceScope) throws {
        let waiting = try consumer.workCount(.waiting)
        paths = waiting.count
        oldest = waiting.oldest
        let after: Int64
        switch try consumer.standing(in: reader) {
        case .at(let cursor): after = cursor
        case .needsFullReconcile:
            // Everything is, apart from what a pass under way has done.
            paths += try reader.entryCount
            isPartial = true
            guard let pass = try consumer.fullPass(in: reader) else { return }
            after = pass.through
        }
        var sizes: [PathDigest: Int64] = [:]
        var rows = 0
        var path: [UInt8] = []
        try reader.run(HistoryScan(after: after, through: try reader.lastSequence)) { row in
            rows += 1
            if rows > Self.mostRows {
                isPartial = true
                return .stop
            }
            guard row.kind != .baseline, row.kind != .untracked else { return .next }
            let digest = row.digest
            if sizes[digest] == nil {
                path.removeAll(keepingCapacity: true)
                row.appendPath(to: &path)
                guard scope.relative(path, isDirectory: row.type == .directory) != nil else { return .next }
                oldest = min(oldest ?? row.at, row.at)
            }
            sizes[digest] = row.kind == .deleted || row.type != .file ? 0 : row.size
            return .next
        }
        paths += Int64(sizes.count)
        bytes = sizes.values.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }
}
