import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct HistoryTests {
    private let state = StateDirectory()

    @Test func rowsComeBackAsTheyWere() throws {
        let store = try state.open()
        var generator = SeededGenerator(seed: freshSeed())
        try store.begin()
        let paths: [(id: PathID, path: [UInt8])] = try [[0x2F], Array("/srv/a".utf8), [0x2F, 0xFF, 0x0A]].map {
            (try store.intern(path: $0), $0)
        }
        func whole(_ path: [UInt8], _ name: [UInt8]) -> [UInt8] { path == [0x2F] ? path + name : path + [0x2F] + name }
        var expected: [ChangeRecord] = []
        for _ in 0..<2_000 {
            let (place, old) = (paths.randomElement(using: &generator)!, paths.randomElement(using: &generator)!)
            let name = (0..<Int.random(in: 1...255, using: &generator)).map { _ in
                UInt8.random(in: 1...255, using: &generator)
            }
            var record = ChangeRecord(
                sequence: 0, at: Timestamp(nanoseconds: Int64(bitPattern: generator.next())),
                kind: ChangeKind.allCases.randomElement(using: &generator)!, path: whole(place.path, name),
                type: .file, size: Int64(bitPattern: generator.next()))
            let isMoved = record.kind == .moved
            record.from = isMoved ? whole(old.path, Array(name.reversed())) : nil
            record.sequence = try store.append(
                name, record.kind, in: place.id, size: record.size,
                from: isMoved ? (old.id, Array(name.reversed())) : nil, at: record.at)
            expected.append(record)
        }
        #expect(try state.reader().rows().isEmpty, "not committed yet")
        let last = try store.commitTransaction()
        #expect(last == expected.last?.sequence)
        let reader = try state.reader()
        #expect(try reader.rows() == expected)
        #expect(try reader.lastSequence == last)
        #expect(try reader.uuid == store.uuid)
    }

    @Test(arguments: FileType.allCases) func everyTypeComesBack(_ type: FileType) throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        try store.begin()
        try [UInt8(0x61)].withUnsafeBytes {
            _ = try store.append(
                ChangeEvent(kind: .created, type: type, size: 0, directory: path, name: $0), at: .now)
        }
        try store.commitTransaction()
        #expect(try state.reader().rows().map(\.type) == [type])
    }

    @Test func anOlderRowKeepsItsPath() throws {
        let store = try state.open()
        let before = try store.intern(path: Array("/srv/old".utf8))
        try store.commitRows(1, in: before)
        let after = try store.intern(path: Array("/srv/new".utf8))
        try store.commitRows(1, in: after)
        #expect(
            try state.reader().rows().map { String(decoding: $0.path, as: UTF8.self) }
                == ["/srv/old/file0", "/srv/new/file0"])
    }

    @Test func aScanGoesThroughManyRowsInShortTransactions() throws {
        let store = try state.open()
        let path = try store.intern(path: Array("/srv/a".utf8))
        let rows = try store.commitRows(HistoryScan.rowLimit + 5, in: path)
        let reader = try state.reader()
        #expect(try reader.rows().map(\.sequence) == rows)
        #expect(try reader.rows(after: rows[4_095]).map(\.sequence) == Array(rows[4_096...]))
        var seen = 0
        var transactions = 0
        try reader.run(
            HistoryScan(after: 0, through: .max),
            { _ in
                seen += 1
                return seen == 10 ? .pause : .next
            },
            between: {
                transactions += 1
                // No transaction is open while the caller works: the log can be folded in.
                if seen == 10 { try store.commitRows(1, in: path) }
                let isBusy = try state.raw(.existing).integer("PRAGMA wal_checkpoint(TRUNCATE)")
                #expect(isBusy == 0)
            })
        #expect(seen == rows.count + 1, "rows that are committed meanwhile are seen too")
        #expect(transactions >= 2)
        #expect(try reader.rows(after: rows.last! + 1).isEmpty)
    }

    @Test func aScanBackwardsSkipsAndStops() throws {
        let store = try state.open()
        let path = try store.intern(path: Array("/srv/a".utf8))
        let rows = try store.commitRows(100, in: path)
        let reader = try state.reader()
        func sequences(_ scan: HistoryScan, _ step: (Int64) -> HistoryScan.Step = { _ in .next }) throws -> [Int64] {
            var seen: [Int64] = []
            try reader.run(scan) {
                seen.append($0.sequence)
                return step($0.sequence)
            }
            return seen
        }
        let inside = HistoryScan(after: rows[9], through: rows[19], isDescending: true)
        #expect(try sequences(inside) == rows[10...19].reversed())
        #expect(try sequences(inside) { _ in .pause } == rows[10...19].reversed())
        #expect(
            try sequences(inside) { $0 == rows[15] ? .skip(to: rows[12]) : .next }
                == [rows[19], rows[18], rows[17], rows[16], rows[15], rows[12], rows[11], rows[10]])
        let forwards = HistoryScan(after: rows[9], through: rows[19])
        #expect(
            try sequences(forwards) { $0 == rows[12] ? .skip(to: rows[18]) : .next }
                == [rows[10], rows[11], rows[12], rows[18], rows[19]])
        #expect(try sequences(forwards) { $0 == rows[12] ? .stop : .next } == Array(rows[10...12]))
        #expect(try sequences(HistoryScan(after: 5, through: 5)).isEmpty)
    }

    @Test func rowsBeforeAMomentAreFoundAlthoughTheClockSteps() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        func at(_ second: Int64) -> Timestamp { Timestamp(seconds: second, nanoseconds: 0) }
        var rows: [(sequence: Int64, at: Timestamp)] = []
        for second in [1_000, 2_000, 3_000, 500, 600, 9_000, 3_100, 3_200] as [Int64] {
            try store.begin()
            for offset in [0, 10] as [Int64] {
                rows.append((try store.append([0x61], in: path, at: at(second + offset)), at(second + offset)))
            }
            try store.commitTransaction()
        }
        let reader = try state.reader()
        for moment in stride(from: Int64(0), through: 9_100, by: 5).map(at) {
            let last = try reader.lastSequence(before: moment)
            let missed = rows.filter { $0.at < moment && $0.sequence > last }
            #expect(missed.isEmpty, "\(moment)")
        }
        #expect(try reader.lastSequence(before: at(500)) == 0)
        #expect(try reader.lastSequence(before: at(1_500)) == rows[9].sequence)
    }

    @Test func pathsAreHandedOutInOrderUpToTheLimit() throws {
        let store = try state.open()
        let path = try store.intern(path: Array("/srv/a".utf8))
        let rows = try store.commitRows(10, in: path)
        let reader = try state.reader()
        func paths(after: Int64, limit: Int, stop: Int = .max) throws -> (last: Int64?, seen: [String]) {
            var seen: [String] = []
            let last = try reader.forEachPath(after: after, limit: limit) { _, kind, path in
                #expect(kind == .modified)
                seen.append(String(decoding: path, as: UTF8.self))
                return seen.count < stop
            }
            return (last, seen)
        }
        #expect(try paths(after: 0, limit: 3) == (rows[2], ["/srv/a/file0", "/srv/a/file1", "/srv/a/file2"]))
        #expect(try paths(after: rows[7], limit: 100) == (rows[9], ["/srv/a/file8", "/srv/a/file9"]))
        #expect(try paths(after: rows[9], limit: 100) == (nil, []))
        #expect(try paths(after: 0, limit: 100, stop: 1) == (rows[0], ["/srv/a/file0"]))
    }

    @Test func rowsAreFoundByTimeAlthoughTheClockSteps() throws {
        let store = try state.open()
        let path = try store.intern(path: [0x2F])
        func at(_ second: Int64) -> Timestamp { Timestamp(seconds: second, nanoseconds: 0) }
        var rows: [(sequence: Int64, at: Timestamp)] = []
        // Forward, an hour back, far ahead, and back again.
        for second in [1_000, 2_000, 3_000, 500, 600, 9_000, 3_100, 3_200] as [Int64] {
            try store.begin()
            rows.append((try store.append([0x61], in: path, at: at(second)), at(second)))
            rows.append((try store.append([0x62], in: path, at: at(second + 10)), at(second + 10)))
            try store.commitTransaction()
        }
        let reader = try state.reader()
        for moment in stride(from: Int64(0), through: 9_100, by: 5).map(at) {
            let first = try reader.firstSequence(notBefore: moment)
            let missed = rows.filter { $0.at >= moment && $0.sequence < first }
            #expect(missed.isEmpty, "\(moment)")
        }
        #expect(try reader.firstSequence(notBefore: at(0)) == rows[0].sequence)
        #expect(try reader.firstSequence(notBefore: at(8_000)) == rows[10].sequence)
        #expect(try reader.firstSequence(notBefore: at(9_011)) == rows.last!.sequence + 1)
    }
}
