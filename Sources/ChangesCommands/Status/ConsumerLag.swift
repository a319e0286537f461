import ChangeStore
import LinuxKernel

/// How far a consumer is behind.
struct ConsumerLag {
    enum Standing: Equatable {
        /// Behind by so many changes.
        case behind(changes: Int64)
        /// Everything is handed out next.
        case full(Consumer.Standing.Reason)
        /// Everything is being handed out, in several runs; up to this path it is done.
        case fullPass(path: [UInt8])
        case unreadable(String)
    }

    let name: String
    var standing: Standing
    /// Paths and bytes that wait. Counted only up to a point: then there are more.
    var paths: Int64 = 0
    var bytes: Int64 = 0
    var isMore = false
    /// When the first change that waits was seen.
    var oldest: Timestamp?
    var lastSuccess: Timestamp?
    var lastFailure: (at: Timestamp, reason: String)?
    /// Set for the consumer of a destination.
    var destination: DestinationState?

    /// Changes that are gone through to count paths: a second's work or less.
    private static let mostCounted: Int64 = 1_000_000

    /// All consumers of a store.
    static func all(in reader: StoreReader, stateDirectory: [UInt8]) throws(StoreError) -> [ConsumerLag] {
        var all: [ConsumerLag] = []
        for (name, record) in ConsumerRecord.all(stateDirectory: stateDirectory) {
            switch record {
            case .success(let record): all.append(try ConsumerLag(record, in: reader))
            case .failure(let error): all.append(ConsumerLag(name: name, standing: .unreadable("\(error)")))
            }
        }
        return all
    }

    private init(name: String, standing: Standing) {
        self.name = name
        self.standing = standing
    }

    /// One of which there is no file yet.
    init(neverRun name: String) { self.init(name: name, standing: .full(.first)) }

    init(_ record: ConsumerRecord, in reader: StoreReader) throws(StoreError) {
        name = record.name
        lastSuccess = record.lastSuccess
        lastFailure = record.lastFailure
        destination = DestinationState(record)
        let uuid = try reader.uuid
        let kept = try reader.firstKept
        if let full = record.fullPass, full.store == uuid, full.pass.through >= kept, !full.pass.path.isEmpty {
            standing = .fullPass(path: full.pass.path)
        } else if record.isFullRequested {
            standing = .full(.requested)
        } else if let cursor = record.cursor {
            if cursor.store != uuid {
                standing = .full(.storeReplaced)
            } else if cursor.sequence < kept {
                standing = .full(.historyRemoved)
            } else {
                standing = .behind(changes: try reader.count(after: cursor.sequence))
                try count(after: cursor.sequence, in: reader)
            }
        } else {
            standing = .full(.first)
        }
    }

    /// Paths of the history, and what waits apart from it.
    var pendingPaths: Int64 { paths + (destination?.waiting?.count ?? 0) }

    /// When the first change was seen of all that is pending.
    var oldestPending: Timestamp? { [oldest, destination?.waiting?.oldest].compactMap { $0 }.min() }

    private mutating func count(after cursor: Int64, in reader: StoreReader) throws(StoreError) {
        guard case .behind(let changes) = standing, changes > 0 else { return }
        let end = changes > Self.mostCounted ? cursor + Self.mostCounted : .max
        isMore = changes > Self.mostCounted
        var selection = ConsumerWishes().selection
        (selection.since, selection.until) = (.sequence(cursor), .sequence(end))
        do {
            let totals = try SelectedRows(selection, in: reader).totals()
            (paths, bytes) = (totals.count, totals.bytes)
            var oldest: Timestamp?
            try reader.run(HistoryScan(after: cursor, through: .max, withoutPaths: true)) { row in
                oldest = row.at
                return .stop
            }
            self.oldest = oldest
        } catch let error as StoreError {
            throw error
        } catch {
            // Nothing else is thrown here.
            throw StoreError(reason: .other, operation: "counting", message: "\(error)")
        }
    }
}
