import ChangeStore

/// Counts the rows of a selection.
struct ChangeSummary {
    var selection: Selection
    var grouping: Grouping
    /// The busiest directories only.
    var top: Int?
    var format: SummaryFormat
    var zone = Zone.local

    /// - Returns: how many changes were counted.
    func run(over reader: StoreReader, to output: inout Output) throws -> Int64 {
        let rows = try SelectedRows(selection, in: reader)
        var total = Totals()
        switch grouping {
        case .dir:
            let directories = DirectoryTotals(rows)
            if let top {
                total = try write(try directories.busiest(top), to: &output)
            } else {
                // The longest bar is not known before the last directory.
                var most: Int64?
                if format.hasBars { try directories.handOut { most = max(most ?? 0, $0.totals.count) } }
                try output.append { format.appendHeader(to: &$0) }
                try directories.handOut { group in
                    total = total + group.totals
                    try output.append { format.append(group, most: most, to: &$0) }
                }
                try output.append { format.appendTotal(total, to: &$0) }
            }
        case .hour: total = try count(rows, CalendarCounter(zone: zone, isByDay: false), to: &output)
        case .day: total = try count(rows, CalendarCounter(zone: zone, isByDay: true), to: &output)
        case .kind: total = try count(rows, KindCounter(), to: &output)
        case .root: total = try count(rows, RootCounter(roots: try reader.roots), to: &output)
        }
        try output.flush()
        return total.count
    }

    private func count(_ rows: SelectedRows, _ counter: some GroupCounter, to output: inout Output) throws -> Totals {
        var counter = counter
        try rows.handOut(withoutPaths: !counter.needsPaths) { row in
            counter.add(row)
            return .next
        }
        return try write(counter.groups, to: &output)
    }

    private func write(_ groups: [Group], to output: inout Output) throws -> Totals {
        let most = groups.map(\.totals.count).max() ?? 0
        try output.append { format.appendHeader(to: &$0) }
        for group in groups { try output.append { format.append(group, most: most, to: &$0) } }
        let total = groups.reduce(Totals()) { $0 + $1.totals }
        try output.append { format.appendTotal(total, to: &$0) }
        return total
    }
}
