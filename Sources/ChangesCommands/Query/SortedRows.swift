import ArgumentParser
import ChangeStore

/// What rows are sorted by.
enum RowOrder: String, ExpressibleByArgument, CaseIterable {
    case time, size, path
}

/// Goes through selected rows in the order of their sizes or paths, in bounded memory: as many of the lowest keys as
/// fit are collected in one pass over all rows and handed out, then the next ones in another pass.
struct SortedRows {
    private let rows: SelectedRows
    private let reader: StoreReader
    private let order: RowOrder
    private let limit: Int?
    /// Bytes of keys that are kept from one pass.
    private let budget: Int

    init(
        _ rows: SelectedRows, in reader: StoreReader, order: RowOrder, limit: Int? = nil, budget: Int = 3 << 20
    ) {
        self.rows = rows
        self.reader = reader
        self.order = order
        self.limit = limit
        self.budget = budget
    }

    /// Hands the rows out, the largest last, or by the bytes of their paths; rows that are alike in order of time.
    func handOut(_ visit: (HistoryRow) throws -> HistoryScan.Step, between: () throws -> Void) throws {
        switch order {
        case .size: try handOut(SizeKey.self, { SizeKey(size: $0.size, sequence: $0.sequence) }, visit, between)
        case .path:
            try handOut(PathKey.self, { PathKey(path: $0.record.path, sequence: $0.sequence) }, visit, between)
        case .time: try rows.handOut(visit, between: between)
        }
    }

    private func handOut<Key: RowKey>(
        _: Key.Type, _ key: (HistoryRow) -> Key, _ visit: (HistoryRow) throws -> HistoryScan.Step,
        _ between: () throws -> Void
    ) throws {
        // Of sizes the greatest are wanted, which come last; of paths the first.
        var passedOver = 0
        var left = limit ?? .max
        if order == .size, let limit { passedOver = max(0, try rows.count() - limit) }
        var floor: Key?
        while left > 0 {
            var window = LowestKeys<Key>(budget: budget)
            try rows.handOut(withoutPaths: order == .size) { row in
                let key = key(row)
                if floor.map({ $0 < key }) ?? true { window.add(key) }
                return .next
            }
            let keys = window.sorted()
            guard let last = keys.last else { return }
            floor = last
            for key in keys.dropFirst(passedOver).prefix(left) {
                var isFull = false
                try reader.run(HistoryScan(after: key.sequence - 1, through: key.sequence)) { row in
                    if case .pause = try visit(row) { isFull = true }
                    return .stop
                }
                if isFull { try between() }
            }
            left -= min(left, max(0, keys.count - passedOver))
            passedOver -= min(passedOver, keys.count)
        }
    }
}

private protocol RowKey: Comparable {
    var sequence: Int64 { get }
    /// Bytes that it takes.
    var cost: Int { get }
    static var leastCost: Int { get }
}

private struct SizeKey: RowKey {
    let size: Int64
    let sequence: Int64
    static let leastCost = 16
    var cost: Int { Self.leastCost }

    static func < (left: SizeKey, right: SizeKey) -> Bool { (left.size, left.sequence) < (right.size, right.sequence) }
}

private struct PathKey: RowKey {
    let path: [UInt8]
    let sequence: Int64
    /// The array's object and its place in another array.
    static let leastCost = 64
    var cost: Int { path.count + Self.leastCost }

    static func < (left: PathKey, right: PathKey) -> Bool {
        left.path == right.path
            ? left.sequence < right.sequence : left.path.lexicographicallyPrecedes(right.path)
    }
}

/// Keeps the lowest of many keys, as many as a budget of bytes allows.
private struct LowestKeys<Key: RowKey> {
    private let budget: Int
    private var keys: [Key] = []
    private var cost = 0
    /// Keys above it were dropped already.
    private var ceiling: Key?

    init(budget: Int) {
        self.budget = budget
        // Growing by doubling would need as much again for a moment.
        keys.reserveCapacity(2 * budget / Key.leastCost + 1)
    }

    mutating func add(_ key: Key) {
        if let ceiling, ceiling < key { return }
        keys.append(key)
        cost += key.cost
        if cost > 2 * budget { cut() }
    }

    /// Those that fit, in order.
    mutating func sorted() -> [Key] {
        cut()
        return keys
    }

    private mutating func cut() {
        keys.sort()
        var kept = 0
        cost = 0
        while kept < keys.count, kept == 0 || cost + keys[kept].cost <= budget {
            cost += keys[kept].cost
            kept += 1
        }
        if kept < keys.count {
            ceiling = keys[kept - 1]
            keys.removeSubrange(kept...)
        }
    }
}
