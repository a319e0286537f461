import ChangeStore

/// Counts by directory, in bounded memory: the directories that come first by their paths are counted in one pass over
/// all rows, as many as fit, the next ones in another.
struct DirectoryTotals {
    private let rows: SelectedRows
    /// Bytes that are taken for directories in one pass.
    private let budget: Int

    init(_ rows: SelectedRows, budget: Int = 12 << 20) {
        self.rows = rows
        self.budget = budget
    }

    /// Hands out each directory that has entries among the rows, by the bytes of their paths.
    func handOut(_ body: (Group) throws -> Void) throws {
        var floor: [UInt8]?
        while true {
            var window = Window(floor: floor, budget: budget)
            try rows.handOut { row in
                window.add(row)
                return .next
            }
            let totals = window.sorted()
            for (path, totals) in totals { try body(Group(key: .directory(path), totals: totals)) }
            guard window.isCut, let last = totals.last else { return }
            floor = last.path
        }
    }

    /// The directories with the most changes, the busiest first; of equally busy ones the first by path.
    func busiest(_ limit: Int) throws -> [Group] {
        var best: [Group] = []
        let isBusier = { (left: Group, right: Group) in left.totals.count > right.totals.count }
        try handOut { group in
            best.append(group)
            if best.count >= 2 * limit + 1_024 {
                best.sort(by: isBusier)
                best.removeSubrange(limit...)
            }
        }
        // Sorting is stable (SE-0372 documents it), and they came by path.
        return Array(best.sorted(by: isBusier).prefix(limit))
    }

    private struct Window {
        private let floor: [UInt8]?
        private let budget: Int
        private var numbers: [[UInt8]: Int] = [:]
        private var totals: [Totals] = []
        private var cost = 0
        private var ceiling: [UInt8]?
        private var directory: HistoryDirectory?
        private var number: Int?
        /// What a directory takes beside its path: its place in the dictionary, its array's object, its totals.
        private static let overhead = 128

        init(floor: [UInt8]?, budget: Int) {
            self.floor = floor
            self.budget = budget
        }

        /// Directories were left to another pass.
        var isCut: Bool { ceiling != nil }

        mutating func add(_ row: HistoryRow) {
            if row.directory !== directory {
                directory = row.directory
                number = number(of: row.directory.path)
            }
            if let number { totals[number].add(row) }
        }

        private mutating func number(of path: [UInt8]) -> Int? {
            if let known = numbers[path] { return known }
            if let floor, !floor.lexicographicallyPrecedes(path) { return nil }
            if let ceiling, ceiling.lexicographicallyPrecedes(path) { return nil }
            if cost + path.count + Self.overhead > budget, totals.count > 1 {
                cut()
                return number(of: path)
            }
            numbers[path] = totals.count
            totals.append(Totals())
            cost += path.count + Self.overhead
            return totals.count - 1
        }

        /// Keeps the first half by path.
        private mutating func cut() {
            let kept = sorted().prefix(totals.count / 2)
            ceiling = kept.last?.path
            numbers.removeAll(keepingCapacity: true)
            totals.removeAll(keepingCapacity: true)
            cost = 0
            for (path, sum) in kept {
                numbers[path] = totals.count
                totals.append(sum)
                cost += path.count + Self.overhead
            }
        }

        func sorted() -> [(path: [UInt8], totals: Totals)] {
            numbers.map { (path: $0.key, totals: totals[$0.value]) }
                .sorted { $0.path.lexicographicallyPrecedes($1.path) }
        }
    }
}
