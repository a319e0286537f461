import ChangeStore
import Glibc
import LinuxKernel
import Testing

@testable import ChangesCommands

/// A history in memory. `firstSequence` answers as the store does: as low as the first row that is not earlier.
private struct ListedChanges: ChangeSource {
    var records: [ChangeRecord]

    func firstSequence(notBefore moment: Timestamp) -> Int64 {
        records.first { $0.at >= moment }?.sequence ?? lastSequence + 1
    }

    func forEachChange(after sequence: Int64, _ body: (ChangeRecord) throws -> Bool) throws {
        for record in records where record.sequence > sequence {
            if try !body(record) { return }
        }
    }

    var lastSequence: Int64 { records.last?.sequence ?? 0 }
}

private func record(
    _ sequence: Int64, second: Int64, _ kind: ChangeKind, _ path: String, type: FileType = .file, size: Int64 = 0,
    from: String? = nil
) -> ChangeRecord {
    ChangeRecord(
        sequence: sequence, at: Timestamp(seconds: 1_795_399_205 + second, nanoseconds: 250_000_007), kind: kind,
        path: Array(path.utf8), type: type, size: size, from: from.map { Array($0.utf8) })
}

private let history = ListedChanges(records: [
    record(3, second: 0, .baseline, "/srv/nfs/app-backup", type: .directory, size: 4_096),
    record(4, second: 1, .created, "/srv/nfs/app-backup/dump.sql", size: 4_520_457_830),
    record(7, second: 2, .moved, "/srv/nfs/app-backup/b\n", size: 12, from: "/srv/nfs/app-backup/a\\"),
    ChangeRecord(
        sequence: 8, at: Timestamp(seconds: 1_795_399_208, nanoseconds: 0), kind: .modified,
        path: Array("/srv/nfs/app-backup2/".utf8) + [0xFF, 0x22], type: .file, size: 1_023),
    // The clock was set back by ten minutes.
    record(9, second: -600, .metadata, "/srv/nfs/app-backup/link", type: .symlink, size: 9),
    record(12, second: 5, .deleted, "/srv/nfs/app-backup/dump.sql", size: 4_520_457_830),
])

/// What a query writes, through a real descriptor.
private func written(_ query: ChangeQuery, _ source: any ChangeSource = history) throws -> String {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    var output = Output(descriptor: fileno(file), capacity: 64)
    try query.run(over: source, to: &output)
    var bytes = [UInt8](repeating: 0, count: Int(lseek(fileno(file), 0, SEEK_END)))
    let count = pread(fileno(file), &bytes, bytes.count, 0)
    #expect(count == bytes.count)
    // Latin-1, so that bytes that are no text stay visible.
    return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

@Suite struct ChangeQueryTests {
    private let zone = Zone.fixed(3_600)

    @Test func table() throws {
        let text = try written(ChangeQuery(format: .table, zone: zone))
        #expect(
            text == """
                TIME                     KIND           SIZE  PATH
                2026-11-23 03:00:05.250  baseline          -  /srv/nfs/app-backup/
                2026-11-23 03:00:06.250  created    4.21 GiB  /srv/nfs/app-backup/dump.sql
                2026-11-23 03:00:07.250  moved          12 B  /srv/nfs/app-backup/b\\012  (was /srv/nfs/app-backup/a\\134)
                2026-11-23 03:00:08.000  modified     1023 B  /srv/nfs/app-backup2/\\377"
                2026-11-23 02:50:05.250  metadata          -  /srv/nfs/app-backup/link
                2026-11-23 03:00:10.250  deleted    4.21 GiB  /srv/nfs/app-backup/dump.sql

                """)
    }

    @Test func json() throws {
        let text = try written(ChangeQuery(format: .json))
        #expect(
            text == #"""
                {"seq":3,"at":"2026-11-23T02:00:05.250000007Z","kind":"baseline","path":"/srv/nfs/app-backup","type":"dir","size":4096}
                {"seq":4,"at":"2026-11-23T02:00:06.250000007Z","kind":"created","path":"/srv/nfs/app-backup/dump.sql","type":"file","size":4520457830}
                {"seq":7,"at":"2026-11-23T02:00:07.250000007Z","kind":"moved","path":"/srv/nfs/app-backup/b\n","from":"/srv/nfs/app-backup/a\\","type":"file","size":12}
                {"seq":8,"at":"2026-11-23T02:00:08.000000000Z","kind":"modified","path":"/srv/nfs/app-backup2/ï¿½\"","path_b64":"L3Nydi9uZnMvYXBwLWJhY2t1cDIv/yI=","type":"file","size":1023}
                {"seq":9,"at":"2026-11-23T01:50:05.250000007Z","kind":"metadata","path":"/srv/nfs/app-backup/link","type":"symlink","size":9}
                {"seq":12,"at":"2026-11-23T02:00:10.250000007Z","kind":"deleted","path":"/srv/nfs/app-backup/dump.sql","type":"file","size":4520457830}

                """#)
    }

    @Test func paths() throws {
        let text = try written(ChangeQuery(since: .sequence(4), format: .paths))
        #expect(
            text == #"""
                /srv/nfs/app-backup/b\012
                /srv/nfs/app-backup2/ÿ"
                /srv/nfs/app-backup/link
                /srv/nfs/app-backup/dump.sql

                """#)
    }

    @Test func nulTerminatedPaths() throws {
        let text = try written(ChangeQuery(since: .sequence(7), format: .nulTerminatedPaths))
        #expect(text == "/srv/nfs/app-backup2/ÿ\"\0/srv/nfs/app-backup/link\0/srv/nfs/app-backup/dump.sql\0")
    }

    @Test func underKeepsToComponents() throws {
        let scope = PathScope(Array("/srv/nfs/app-backup/".utf8))
        let text = try written(ChangeQuery(since: .sequence(4), under: scope, format: .paths))
        #expect(
            text == "/srv/nfs/app-backup/b\\012\n/srv/nfs/app-backup/link\n/srv/nfs/app-backup/dump.sql\n")
    }

    @Test func sinceAMomentLeavesOutRowsOfAClockSetBack() throws {
        let moment = Timestamp(seconds: 1_795_399_208, nanoseconds: 0)
        let text = try written(ChangeQuery(since: .moment(moment), format: .paths))
        #expect(text == "/srv/nfs/app-backup2/ÿ\"\n/srv/nfs/app-backup/dump.sql\n")
    }

    @Test func nothingFoundIsATableWithoutRows() throws {
        let query = ChangeQuery(since: .sequence(12), format: .table)
        #expect(try written(query) == "TIME                     KIND           SIZE  PATH\n")
    }

    @Test(arguments: [
        (Since.sequence(12), false), (.sequence(13), true), (.moment(Timestamp(nanoseconds: .max)), false),
    ])
    func aNumberThatTheStoreNeverGaveIsPointedOut(since: Since, isAhead: Bool) throws {
        let caution = try ChangeQuery(since: since, format: .json).caution(about: history)
        #expect(
            (caution?.hasPrefix("seq:13 is ahead of this store, whose last change is seq:12: ") ?? false) == isAhead)
    }

    @Test func aReaderThatLeavesStopsTheQuery() throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        // As systemd does for services: the write then fails instead of ending the process.
        signal(SIGPIPE, SIG_IGN)
        defer { close(ends[1]) }
        var output = Output(descriptor: ends[1], capacity: 1)
        do {
            try ChangeQuery(format: .paths).run(over: history, to: &output)
            Issue.record("the query wrote to a closed pipe")
        } catch Output.Failure.closed {
        }
    }
}

@Suite struct PathScopeTests {
    @Test(arguments: [
        ("/a/b", "/a/b", true), ("/a/b", "/a/b/c", true), ("/a/b", "/a/bc", false), ("/a/b", "/a", false),
        ("/a/b/", "/a/b", true), ("//a/./b//", "/a/b/c", true), ("/", "/anything", true), ("/", "/", true),
    ])
    func contains(base: String, path: String, isInside: Bool) throws {
        let scope = try #require(PathScope(Array(base.utf8)))
        #expect(scope.contains(Array(path.utf8)) == isInside)
    }

    @Test(arguments: ["", "a/b", "./a", "/a/../b", ".."])
    func refuses(path: String) { #expect(PathScope(Array(path.utf8)) == nil) }
}
