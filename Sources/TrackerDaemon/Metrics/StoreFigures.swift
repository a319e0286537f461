import ChangeStore
import LinuxKernel

/// What the tracker's metrics say of the store and of its consumers.
struct StoreFigures: Equatable, Sendable {
    struct ConsumerFigures: Equatable, Sendable {
        let name: String
        /// Everything is handed out next, or is being handed out; what is pending is not known then.
        var isFullScan = true
        var pendingChanges: Int64?
        /// When the oldest of them was recorded; nil without any.
        var oldestPending: Timestamp?
    }

    /// Of the store's files, on their disk.
    var bytes: Int64 = 0
    /// Of history, as retention counts them.
    var historyBytes: Int64 = 0
    /// When the newest row was recorded; nil without rows.
    var lastChange: Timestamp?
    var consumers: [ConsumerFigures] = []
}

extension StoreFigures {
    /// - Throws: `StoreError` when the store cannot be read now; what a scan throws.
    init(stateDirectory: [UInt8]) throws {
        let reader = try StoreReader(stateDirectory: stateDirectory, isTracker: true)
        let files = StoreFiles(directory: stateDirectory)
        bytes = ["", "-wal", "-shm"].reduce(0) {
            $0 + (FileSystemLook.size(of: files.database + Array($1.utf8)) ?? 0)
        }
        historyBytes = try reader.historyBytes
        lastChange = try Self.first(
            of: HistoryScan(after: 0, through: .max, isDescending: true, withoutPaths: true), reader)
        let (uuid, kept) = (try reader.uuid, try reader.firstKept)
        for case (let name, .success(let record)) in ConsumerRecord.all(stateDirectory: stateDirectory) {
            var figures = ConsumerFigures(name: name)
            if !record.isFullRequested, record.fullPass == nil, let cursor = record.cursor, cursor.store == uuid,
                cursor.sequence >= kept
            {
                figures.isFullScan = false
                figures.pendingChanges = try reader.count(after: cursor.sequence)
                figures.oldestPending = try Self.first(
                    of: HistoryScan(after: cursor.sequence, through: .max, withoutPaths: true), reader)
            }
            consumers.append(figures)
        }
    }

    /// When the first row of a scan was recorded.
    private static func first(of scan: HistoryScan, _ reader: StoreReader) throws -> Timestamp? {
        var moment: Timestamp?
        try reader.run(scan) { row in
            moment = row.at
            return .stop
        }
        return moment
    }
}
