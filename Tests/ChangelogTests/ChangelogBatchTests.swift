import LinuxKernel
import Testing

@testable import Changelog

/// Which lines an append has.
@Suite struct ChangelogBatchTests {
    /// The lines of the first batch of these rows.
    private func lines(_ rows: [(path: String, demand: ChangelogDemand)]) throws -> [String] {
        let store = MemoryStore()
        for row in rows { store.add([row.path], row.demand) }
        var source: any ChangelogSource = MemoryStore.Source(store: store)
        var batch = ChangelogBatch()
        #expect(try batch.fill(from: &source, after: 0))
        #expect(batch.through == Int64(rows.count))
        return batch.text.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aFurtherChangeOfWhatHasALineNeedsNone() throws {
        let rows: [(String, ChangelogDemand)] = [
            ("/week", .line), ("/week/file", .line), ("/other", .mention), ("/week", .mention), ("/other", .mention),
        ]
        #expect(try lines(rows) == ["/week", "/week/file", "/other"])
    }

    /// What goes away has a line after what was in it; what is there again has one before what will be in it.
    @Test func whatCameOrWentHasALineInItsPlace() throws {
        let rows: [(String, ChangelogDemand)] = [
            ("/d", .mention), ("/d/x", .line), ("/d", .line), ("/d", .line), ("/d/x", .line), ("/d/x", .mention),
        ]
        #expect(try lines(rows) == ["/d", "/d/x", "/d", "/d", "/d/x"])
    }

    @Test func linesAreComparedAsAWhole() throws {
        let rows: [(String, ChangelogDemand)] = [
            ("/ab", .line), ("/a", .mention), ("/abc", .mention), ("/a\nb", .mention), ("/a\\012b", .mention),
            ("/a\nb", .mention),
        ]
        #expect(try lines(rows) == ["/ab", "/a", "/abc", "/a\\012b", "/a\\134012b"])
    }

    @Test func aBatchKnowsNothingOfTheOneBefore() throws {
        let store = MemoryStore()
        store.add(["/a", "/a"], .mention)
        var source: any ChangelogSource = MemoryStore.Source(store: store)
        var batch = ChangelogBatch()
        for _ in 0..<2 {
            #expect(try batch.fill(from: &source, after: 0))
            #expect(batch.text == Array("/a\n".utf8))
            batch.clear()
        }
        #expect(try !batch.fill(from: &source, after: 2))
    }

    /// Against a list and a set, over rows enough to make the table grow.
    @Test(arguments: [3, 700, 4_000]) func manyRows(of paths: Int) throws {
        // Knuth's generator, MMIX: the same rows each time.
        var state = UInt64(paths)
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let rows: [(path: String, demand: ChangelogDemand)] = (0..<8_000).map { _ in
            ("/" + String(next(paths), radix: 2), next(2) == 0 ? .line : .mention)
        }
        var expected: [String] = []
        var known: Set<String> = []
        for (path, demand) in rows where known.insert(path).inserted || demand == .line { expected.append(path) }
        #expect(try lines(rows) == expected)
    }
}
