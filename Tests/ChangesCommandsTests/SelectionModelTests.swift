import ChangeStore
import LinuxKernel
import Testing
import Tracking

@testable import ChangesCommands

/// Any selection, against a naive filter over the whole history.
@Suite struct SelectionModelTests {
    private static let seeds: [UInt64] = Array(1...3)

    @Test(arguments: seeds)
    func anySelectionIsWhatANaiveFilterSays(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let stored = try StoredHistory()
        for root in ["/srv/a-backup", "/srv/b"] { try stored.addRoot(root) }
        for _ in 0..<60 {
            try stored.commit((0..<Int.random(in: 1...40, using: &generator)).map { _ in .random(using: &generator) })
        }
        let reader = try stored.reader()
        for round in 0..<40 {
            let selection = Selection.random(of: stored.records, using: &generator)
            let expected = naive(selection, stored.records)
            let note: Comment = "seed \(seed), round \(round): \(selection)"
            // Few slots: several passes.
            let rows = try SelectedRows(selection, in: reader, tableSize: round.isMultiple(of: 2) ? 4_096 : 16)
            #expect(try sequences(rows) == expected.map(\.sequence), note)
            #expect(try rows.count() == expected.count, note)
            let limit = Int.random(in: 1...50, using: &generator)
            let newest = try SelectedRows(selection, in: reader, newest: limit, tableSize: 64)
            #expect(try sequences(newest) == expected.suffix(limit).map(\.sequence), note)
            try expectSorted(rows, reader, expected, limit, note)
            try expectSummaries(rows, reader, expected, note)
        }
    }

    private func expectSorted(
        _ rows: SelectedRows, _ reader: StoreReader, _ expected: [ChangeRecord], _ limit: Int, _ note: Comment
    ) throws {
        let bySize = expected.sorted { ($0.size, $0.sequence) < ($1.size, $1.sequence) }
        let byPath = expected.sorted {
            $0.path == $1.path ? $0.sequence < $1.sequence : $0.path.lexicographicallyPrecedes($1.path)
        }
        func sorted(_ order: RowOrder, _ limit: Int?) throws -> [Int64] {
            var seen: [Int64] = []
            try SortedRows(rows, in: reader, order: order, limit: limit, budget: 1_000).handOut(
                {
                    seen.append($0.sequence)
                    return .next
                }, between: {})
            return seen
        }
        #expect(try sorted(.size, nil) == bySize.map(\.sequence), note)
        #expect(try sorted(.size, limit) == bySize.suffix(limit).map(\.sequence), note)
        #expect(try sorted(.path, nil) == byPath.map(\.sequence), note)
        #expect(try sorted(.path, limit) == byPath.prefix(limit).map(\.sequence), note)
    }

    private func expectSummaries(
        _ rows: SelectedRows, _ reader: StoreReader, _ expected: [ChangeRecord], _ note: Comment
    ) throws {
        func totals<Key: Hashable>(by key: (ChangeRecord) -> Key) -> [Key: Totals] {
            expected.reduce(into: [:]) { sums, row in
                let bytes = row.type == .file ? row.size : 0
                sums[key(row), default: Totals()] = sums[key(row), default: Totals()] + Totals(count: 1, bytes: bytes)
            }
        }
        var hours = CalendarCounter(zone: .fixed(5_400), isByDay: false)
        var kinds = KindCounter()
        var roots = RootCounter(roots: try reader.roots)
        try rows.handOut { row in
            hours.add(row)
            kinds.add(row)
            roots.add(row)
            return .next
        }
        let expectedHours = totals { ($0.at.nanoseconds / 1_000_000_000 + 5_400) / 3_600 * 3_600 - 5_400 }
        #expect(
            hours.groups
                == expectedHours.sorted { $0.key < $1.key }.map {
                    Group(key: .hour(Timestamp(seconds: $0.key, nanoseconds: 0)), totals: $0.value)
                }, note)
        let expectedKinds = totals(by: \.kind)
        #expect(kinds.groups.count == expectedKinds.count, note)
        for group in kinds.groups {
            guard case .kind(let kind) = group.key else { continue }
            #expect(group.totals == expectedKinds[kind], note)
        }
        let expectedRoots = totals { row in
            ["/srv/a-backup", "/srv/b"].first { PathScope(Array($0.utf8))!.contains(row.path) }
        }
        #expect(roots.groups.count == expectedRoots.count, note)
        for group in roots.groups {
            guard case .root(let root) = group.key else { continue }
            #expect(group.totals == expectedRoots[root.map { String(decoding: $0, as: UTF8.self) }], note)
        }
        let expectedDirectories = totals { Array($0.path[..<$0.path.lastIndex(of: UInt8(ascii: "/"))!]) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { Group(key: .directory($0.key), totals: $0.value) }
        var directories: [Group] = []
        try DirectoryTotals(rows, budget: 500).handOut { directories.append($0) }
        #expect(directories == expectedDirectories, note)
        let busiest = expectedDirectories.sorted { $0.totals.count > $1.totals.count }.prefix(3)
        #expect(try DirectoryTotals(rows, budget: 500).busiest(3) == Array(busiest), note)
    }

    private func sequences(_ rows: SelectedRows) throws -> [Int64] {
        var seen: [Int64] = []
        try rows.handOut { row in
            seen.append(row.sequence)
            return [.next, .pause][Int(row.sequence % 2)]
        }
        return seen
    }

    private func naive(_ selection: Selection, _ history: [ChangeRecord]) -> [ChangeRecord] {
        var lastKind: [[UInt8]: ChangeKind] = [:]
        for row in history { lastKind[row.path] = row.kind }
        let matching = history.filter { row in
            switch selection.since {
            case .sequence(let number)? where row.sequence <= number: return false
            case .moment(let moment)? where row.at < moment: return false
            default: break
            }
            switch selection.until {
            case .sequence(let number)? where row.sequence > number: return false
            case .moment(let moment)? where row.at >= moment: return false
            default: break
            }
            let name = row.path[(row.path.lastIndex(of: UInt8(ascii: "/"))! + 1)...]
            guard selection.under?.contains(row.path) ?? true, selection.name?.matches(name) ?? true,
                selection.kinds.contains(row.kind), selection.types?.contains(row.type) ?? true,
                selection.sizes.contains(row.size)
            else { return false }
            switch selection.presence {
            case .any: return true
            case .existing: return lastKind[row.path] != .deleted && lastKind[row.path] != .untracked
            case .gone: return lastKind[row.path] == .deleted
            }
        }
        if selection.isEveryChange { return matching }
        var latest: [[UInt8]: Int64] = [:]
        for row in matching { latest[row.path] = row.sequence }
        return matching.filter { latest[$0.path] == $0.sequence }
    }
}

extension ChangeRecord {
    fileprivate static func random(using generator: inout SeededGenerator) -> ChangeRecord {
        let bases = ["/srv", "/srv/a-backup", "/srv/a-backup/2026-48", "/srv/a-backup/2026-49", "/srv/b", "/srv/bb"]
        let names = ["a-backup", "b", "x", "y.sql", "z.sql", "\u{1}\n", "2026-48"]
        let kind = ChangeKind.allCases.randomElement(using: &generator)!
        let path = { (generator: inout SeededGenerator) in
            Array("\(bases.randomElement(using: &generator)!)/\(names.randomElement(using: &generator)!)".utf8)
        }
        return ChangeRecord(
            sequence: 0,
            at: Timestamp(seconds: Int64.random(in: 1_000...20_000, using: &generator), nanoseconds: 0), kind: kind,
            path: path(&generator), type: FileType.allCases.randomElement(using: &generator)!,
            size: Int64.random(in: 0...20, using: &generator), from: kind == .moved ? path(&generator) : nil)
    }
}

extension Selection {
    fileprivate static func random(
        of history: [ChangeRecord], using generator: inout SeededGenerator
    ) -> Selection {
        var selection = Selection()
        let row = history.randomElement(using: &generator)!
        let other = history.randomElement(using: &generator)!
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: selection.since = .moment(row.at)
        case 1: selection.since = .sequence(row.sequence)
        default: break
        }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: selection.until = .moment(other.at)
        case 1: selection.until = .sequence(other.sequence)
        default: break
        }
        if Bool.random(using: &generator) {
            selection.under = PathScope(
                Array(
                    ["/", "/srv", "/srv/a-backup", "/srv/b", "/srv/a-backup/2026-48"].randomElement(using: &generator)!
                        .utf8))
        }
        if Int.random(in: 0..<3, using: &generator) == 0 {
            selection.name = try? GlobMatcher(Array(["*.sql", "?", "b*"].randomElement(using: &generator)!.utf8))
        }
        if Int.random(in: 0..<3, using: &generator) == 0 {
            selection.kinds = Set(ChangeKind.allCases.filter { _ in Bool.random(using: &generator) })
        }
        if Int.random(in: 0..<3, using: &generator) == 0 { selection.types = [.file, row.type] }
        if Int.random(in: 0..<3, using: &generator) == 0 { selection.sizes = min(row.size, other.size)...row.size }
        selection.isEveryChange = Bool.random(using: &generator)
        selection.presence = [.any, .any, .existing, .gone].randomElement(using: &generator)!
        return selection
    }
}
