import ChangeStore
import LinuxKernel

/// The rows that a selection comes to, as sequence numbers, to be gone through as often as wanted.
///
/// Which change of a path is its latest is known only when all later rows were seen. So rows are gone through backwards
/// first, and a bit is kept for each that is wanted; then forwards, to hand them out. Memory does not grow with
/// what is wanted but by a bit a row: see `DigestTable`.
final class SelectedRows {
    private let selection: Selection
    private let reader: StoreReader
    /// Nil when the filter alone decides.
    private var chosen: SequenceSet?
    let after: Int64
    let through: Int64

    /// - Parameters:
    ///   - newest: how many are wanted at most, the newest; nil for all.
    ///   - tableSize: slots of the table of paths; small only to have several passes in tests.
    init(_ selection: Selection, in reader: StoreReader, newest: Int? = nil, tableSize: Int = 1 << 19) throws {
        self.selection = selection
        self.reader = reader
        (after, through) = try selection.bounds(in: reader)
        if selection.isEveryChange && selection.presence == .any {
            if let newest { chosen = try newestMatching(newest) }
        } else {
            chosen = try choose(newest: newest, tableSize: tableSize)
        }
    }

    /// The rows between two sequence numbers, each change of them, whatever bounds the selection has.
    init(_ selection: Selection, in reader: StoreReader, after: Int64, through: Int64) {
        self.selection = selection
        self.reader = reader
        self.after = after
        self.through = through
    }

    /// How many rows there are.
    ///
    /// - Throws: `StoreError`; rows may have to be read.
    func count() throws -> Int { try chosen?.count ?? Int(totals().count) }

    /// How many rows there are, and what their sizes come to.
    func totals() throws -> Totals {
        var totals = Totals()
        try handOut(withoutPaths: true) { row in
            totals.add(row)
            return .next
        }
        return totals
    }

    /// Hands out the rows in the order of their sequence numbers.
    ///
    /// - Parameters:
    ///   - visit: called within a read transaction: must not block.
    ///   - between: called after each transaction.
    func handOut(
        withoutPaths: Bool = false, _ visit: (HistoryRow) throws -> HistoryScan.Step, between: () throws -> Void = {}
    ) throws {
        var scan = HistoryScan(after: after, through: through)
        if let chosen {
            scan.withoutPaths = withoutPaths
            try handOut(of: chosen, scan, visit, between: between)
        } else {
            var filter = RowFilter(selection)
            scan.withoutPaths = withoutPaths && filter.needsNoPath
            try reader.run(scan, { filter.isWanted($0) ? try visit($0) : .next }, between: between)
        }
    }

    /// Rows between two wanted ones that are read over rather than looked for from the top of the tree again.
    private static let worthReading: Int64 = 512

    private func handOut(
        of chosen: SequenceSet, _ scan: HistoryScan, _ visit: (HistoryRow) throws -> HistoryScan.Step,
        between: () throws -> Void
    ) throws {
        guard var wanted = chosen.first(from: scan.after + 1) else { return }
        var scan = scan
        scan.after = wanted - 1
        try reader.run(
            scan,
            { row in
                guard row.sequence >= wanted else { return .next }
                // Retention may have removed the wanted one meanwhile.
                let step = chosen.contains(row.sequence) ? try visit(row) : .next
                guard let next = chosen.first(from: row.sequence + 1) else { return .stop }
                wanted = next
                if case .next = step, next - row.sequence > Self.worthReading { return .skip(to: next) }
                return step
            }, between: between)
    }

    // MARK: Choosing

    private func newestMatching(_ limit: Int) throws -> SequenceSet {
        var chosen = SequenceSet()
        guard limit > 0 else { return chosen }
        var filter = RowFilter(selection)
        var scan = HistoryScan(after: after, through: through, isDescending: true)
        scan.withoutPaths = filter.needsNoPath
        try reader.run(scan) { row in
            guard filter.isWanted(row) else { return .next }
            chosen.insert(row.sequence)
            return chosen.count < limit ? .next : .stop
        }
        return chosen
    }

    private func choose(newest: Int?, tableSize: Int) throws -> SequenceSet {
        var chosen = SequenceSet()
        if let newest, newest <= 0 { return chosen }
        var table = DigestTable(largest: tableSize)
        // What has become of a path is told by its last row, which may come after those that are wanted.
        let end = selection.presence == .any ? through : try reader.lastSequence
        repeat {
            try pass(&table, through: end, &chosen, limit: newest)
        } while table.nextPart()
        if let newest { chosen.keepGreatest(newest) }
        return chosen
    }

    private func pass(
        _ table: inout DigestTable, through end: Int64, _ chosen: inout SequenceSet, limit: Int?
    ) throws {
        var filter = RowFilter(selection)
        try reader.run(HistoryScan(after: after, through: end, isDescending: true)) { row in
            let isMatch = row.sequence <= through && filter.isWanted(row)
            // Without a question about its end, a path is of interest from its first match on.
            if !isMatch && selection.presence == .any { return .next }
            let slot: Int
            var flags: DigestTable.Flags
            switch table.lookUp(row.digest) {
            case .elsewhere: return .next
            case .known(let known, let found): (slot, flags) = (known, found)
            case .new(let new):
                (slot, flags) = (new, selection.presence.admits(lastKind: row.kind) ? .admitted : [])
                table.setFlags(flags, ofSlot: slot)
            }
            guard isMatch, flags.contains(.admitted) else { return .next }
            guard selection.isEveryChange || !flags.contains(.selected) else { return .next }
            table.setFlags([.admitted, .selected], ofSlot: slot)
            chosen.insert(row.sequence)
            // Those of other parts may be newer.
            return !table.isPartial && chosen.count == limit ? .stop : .next
        }
    }
}
