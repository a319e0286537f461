import LinuxKernel

/// Goes through the history in the order of its sequence numbers, either way.
///
/// A scan reads in several short transactions: one that stays open keeps the tracker's write-ahead log from being
/// folded into the file, and that log then grows. So whatever may take long (writing to a terminal whose reader has
/// gone for a coffee) is done between two of them.
public struct HistoryScan {
    /// Rows with a greater sequence number, and those up to `through`.
    public var after: Int64
    public var through: Int64
    public var isDescending: Bool
    /// `at`, `kind`, `type` and `size` alone are wanted: a row's path is the empty one of `/`.
    public var withoutPaths: Bool

    public init(after: Int64, through: Int64, isDescending: Bool = false, withoutPaths: Bool = false) {
        self.after = after
        self.through = through
        self.isDescending = isDescending
        self.withoutPaths = withoutPaths
    }

    /// What follows a row.
    public enum Step {
        case next
        /// The transaction ends first: `between` is called.
        case pause
        /// Rows before this number are passed over (after it, in a descending scan).
        case skip(to: Int64)
        case stop
    }

    /// Rows in one transaction, and its nanoseconds, looked at now and then: far less than a second.
    static let rowLimit = 65_536
    static let timeLimit: Int64 = 200_000_000
    static let rowsBetweenLooks = 256
}

extension StoreReader {
    /// Hands out rows until there are no more or `visit` says stop.
    ///
    /// - Parameters:
    ///   - visit: called within a read transaction: must not block.
    ///   - between: called after each transaction.
    /// - Throws: `StoreError`, and what `between` and `onPage` throw.
    public func run(
        _ scan: HistoryScan, _ visit: (HistoryRow) throws -> HistoryScan.Step, between: () throws -> Void = {}
    ) throws {
        var rest = scan
        while rest.after < rest.through {
            let isFinished = try page(&rest, visit)
            try onPage()
            try between()
            if isFinished { return }
        }
    }

    /// One transaction. Leaves in `scan` what is still to be read.
    ///
    /// - Returns: true when nothing more is wanted or there.
    private func page(_ scan: inout HistoryScan, _ visit: (HistoryRow) throws -> HistoryScan.Step) throws -> Bool {
        let statement = try statement(for: scan)
        statement.bind(1, scan.after).bind(2, scan.through)
        defer { statement.reset() }
        let end = MonotonicTime.now.nanoseconds + HistoryScan.timeLimit
        var count = 0
        while try statement.step() {
            let row = try row(of: statement, withoutPaths: scan.withoutPaths)
            let step = try visit(row)
            if scan.isDescending { scan.through = row.sequence - 1 } else { scan.after = row.sequence }
            switch step {
            case .next: break
            case .pause: return false
            case .skip(let sequence):
                if scan.isDescending {
                    scan.through = min(scan.through, sequence)
                } else {
                    scan.after = max(scan.after, sequence - 1)
                }
                return false
            case .stop: return true
            }
            count += 1
            if count == HistoryScan.rowLimit { return false }
            if count % HistoryScan.rowsBetweenLooks == 0, MonotonicTime.now.nanoseconds > end { return false }
        }
        return true
    }

    private func row(of page: Statement, withoutPaths: Bool) throws(StoreError) -> HistoryRow {
        let (kind, isContentUncertain) = ChangeKind.read(page.integer(2))
        let type = FileType(rawValue: UInt8(truncatingIfNeeded: page.integer(3))) ?? .file
        let at = Timestamp(nanoseconds: page.integer(1))
        if withoutPaths {
            return HistoryRow(
                sequence: page.integer(0), at: at, kind: kind, isContentUncertain: isContentUncertain, type: type,
                size: page.integer(4),
                directory: rootDirectory, name: UnsafeRawBufferPointer(start: nil, count: 0), from: nil)
        }
        return HistoryRow(
            sequence: page.integer(0), at: at, kind: kind, isContentUncertain: isContentUncertain, type: type,
            size: page.integer(4),
            directory: try directory(page.integer(5)), name: page.borrowedBytes(6),
            from: page.isNull(7) ? nil : (try directory(page.integer(7)), page.borrowedBytes(8)))
    }
}
