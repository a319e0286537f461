import ChangeStore
import Glibc
import LinuxKernel
import Testing

@testable import ChangesCommands

/// The golden outputs: every format over one history.
@Suite struct QueryFormatTests {
    private let zone = Zone.fixed(3_600)
    private let stored: StoredHistory

    init() throws {
        stored = try StoredHistory()
        try stored.commit([
            change(second: 0, .baseline, "/srv/nfs/app-backup", type: .directory, size: 4_096),
            change(second: 1, .created, "/srv/nfs/app-backup/dump.sql", size: 4_520_457_830),
            change(second: 2, .moved, "/srv/nfs/app-backup/b\n", size: 12, from: "/srv/nfs/app-backup/a\\"),
            ChangeRecord(
                sequence: 0, at: Timestamp(seconds: 1_795_399_208, nanoseconds: 0), kind: .modified,
                path: Array("/srv/nfs/app-backup2/".utf8) + [0xFF, 0x22], type: .file, size: 1_023),
            // The clock was set back by ten minutes.
            change(second: -600, .metadata, "/srv/nfs/app-backup/link,x", type: .symlink, size: 9),
            change(second: 5, .deleted, "/srv/nfs/app-backup/dump.sql", size: 4_520_457_830),
        ])
    }

    private func listing(
        _ format: ChangeFormat, _ configure: (inout ChangeListing) -> Void = { $0.selection.isEveryChange = true }
    ) throws -> String {
        var listing = ChangeListing(selection: Selection(), format: format)
        configure(&listing)
        return visible(try written { _ = try listing.run(over: stored.reader(), to: &$0) })
    }

    @Test func table() throws {
        #expect(
            try listing(.table(TableFormat(zone: zone))) == """
                TIME                     KIND           SIZE  PATH
                2026-11-23 03:00:05.250  baseline          -  /srv/nfs/app-backup/
                2026-11-23 03:00:06.250  created    4.21 GiB  /srv/nfs/app-backup/dump.sql
                2026-11-23 03:00:07.250  moved          12 B  /srv/nfs/app-backup/b\\012  (was /srv/nfs/app-backup/a\\134)
                2026-11-23 03:00:08.000  modified     1023 B  /srv/nfs/app-backup2/\\377"
                2026-11-23 02:50:05.250  metadata          -  /srv/nfs/app-backup/link,x
                2026-11-23 03:00:10.250  deleted    4.21 GiB  /srv/nfs/app-backup/dump.sql

                """)
    }

    @Test func tableInColour() throws {
        var screen = Screen.plain
        screen.hasColor = true
        let text = try listing(.table(TableFormat(zone: zone, screen: screen))) {
            $0.selection.since = .sequence(5)
        }
        #expect(
            text == """
                \u{1B}[2mTIME                     KIND           SIZE  PATH\u{1B}[0m
                2026-11-23 03:00:10.250  \u{1B}[31mdeleted    \u{1B}[0m4.21 GiB  /srv/nfs/app-backup/dump.sql

                """)
    }

    @Test func json() throws {
        #expect(
            try listing(.json) == #"""
                {"seq":1,"at":"2026-11-23T02:00:05.250000007Z","kind":"baseline","path":"/srv/nfs/app-backup","type":"dir","size":4096}
                {"seq":2,"at":"2026-11-23T02:00:06.250000007Z","kind":"created","path":"/srv/nfs/app-backup/dump.sql","type":"file","size":4520457830}
                {"seq":3,"at":"2026-11-23T02:00:07.250000007Z","kind":"moved","path":"/srv/nfs/app-backup/b\n","from":"/srv/nfs/app-backup/a\\","type":"file","size":12}
                {"seq":4,"at":"2026-11-23T02:00:08.000000000Z","kind":"modified","path":"/srv/nfs/app-backup2/ï¿½\"","path_b64":"L3Nydi9uZnMvYXBwLWJhY2t1cDIv/yI=","type":"file","size":1023}
                {"seq":5,"at":"2026-11-23T01:50:05.250000007Z","kind":"metadata","path":"/srv/nfs/app-backup/link,x","type":"symlink","size":9}
                {"seq":6,"at":"2026-11-23T02:00:10.250000007Z","kind":"deleted","path":"/srv/nfs/app-backup/dump.sql","type":"file","size":4520457830}

                """#)
    }

    @Test func csv() throws {
        #expect(
            try listing(.csv) == #"""
                seq,at,kind,type,size,path,from
                1,2026-11-23T02:00:05.250000007Z,baseline,dir,4096,/srv/nfs/app-backup,
                2,2026-11-23T02:00:06.250000007Z,created,file,4520457830,/srv/nfs/app-backup/dump.sql,
                3,2026-11-23T02:00:07.250000007Z,moved,file,12,/srv/nfs/app-backup/b\012,/srv/nfs/app-backup/a\134
                4,2026-11-23T02:00:08.000000000Z,modified,file,1023,"/srv/nfs/app-backup2/ÿ""",
                5,2026-11-23T01:50:05.250000007Z,metadata,symlink,9,"/srv/nfs/app-backup/link,x",
                6,2026-11-23T02:00:10.250000007Z,deleted,file,4520457830,/srv/nfs/app-backup/dump.sql,

                """#)
    }

    @Test func paths() throws {
        #expect(
            try listing(.paths) { $0.selection.since = .sequence(2) } == #"""
                /srv/nfs/app-backup/b\012
                /srv/nfs/app-backup2/ÿ"
                /srv/nfs/app-backup/link,x
                /srv/nfs/app-backup/dump.sql

                """#)
    }

    @Test func nulTerminatedPaths() throws {
        let text = try listing(.nulTerminatedPaths) { $0.selection.since = .sequence(4) }
        #expect(text == "/srv/nfs/app-backup/link,x\0/srv/nfs/app-backup/dump.sql\0")
    }

    @Test func nothingFoundIsATableWithoutRows() throws {
        let text = try listing(.table(TableFormat())) { $0.selection.since = .sequence(6) }
        #expect(text == "TIME                     KIND           SIZE  PATH\n")
    }

    private func summary(_ kind: SummaryFormat.Kind, _ grouping: Grouping, _ screen: Screen = .plain) throws -> String {
        var selection = Selection()
        selection.isEveryChange = true
        let format = SummaryFormat(kind: kind, grouping: grouping, zone: zone, screen: screen)
        let summary = ChangeSummary(selection: selection, grouping: grouping, format: format, zone: zone)
        return visible(try written { _ = try summary.run(over: stored.reader(), to: &$0) })
    }

    @Test func summaryByHour() throws {
        #expect(
            try summary(.table, .hour) == """
                   CHANGES      SIZE  HOUR
                         1       0 B  2026-11-23 02:00
                         5  8.42 GiB  2026-11-23 03:00
                         6  8.42 GiB  total

                """)
        #expect(
            try summary(.json, .hour) == """
                {"hour":"2026-11-23T01:00:00.000000000Z","changes":1,"bytes":0}
                {"hour":"2026-11-23T02:00:00.000000000Z","changes":5,"bytes":9040916695}

                """)
    }

    @Test func summaryByKindWithBars() throws {
        var screen = Screen.plain
        screen.isTerminal = true
        #expect(
            try summary(.table, .kind, screen) == """
                   CHANGES      SIZE                        KIND
                         1  4.21 GiB  ####################  created
                         1    1023 B  ####################  modified
                         1       0 B  ####################  metadata
                         1      12 B  ####################  moved
                         1  4.21 GiB  ####################  deleted
                         1       0 B  ####################  baseline
                         6  8.42 GiB                        total

                """)
        #expect(try summary(.csv, .kind).hasPrefix("kind,changes,bytes\ncreated,1,4520457830\n"))
    }

    @Test func summaryByRootAndDirectory() throws {
        try stored.addRoot("/srv/nfs/app-backup")
        #expect(
            try summary(.csv, .root) == """
                root,changes,bytes
                /srv/nfs/app-backup,5,9040915672
                ,1,1023

                """)
        #expect(
            try summary(.csv, .dir) == """
                dir,changes,bytes
                /srv/nfs,1,0
                /srv/nfs/app-backup,4,9040915672
                /srv/nfs/app-backup2,1,1023

                """)
    }

    @Test func barsInUnicodeHaveEighthsOfACell() throws {
        var screen = Screen.plain
        (screen.isTerminal, screen.hasUnicode) = (true, true)
        let format = SummaryFormat(kind: .table, grouping: .kind, screen: screen)
        func bar(_ count: Int64, of most: Int64) -> String {
            var output: [UInt8] = []
            format.append(Group(key: .kind(.moved), totals: Totals(count: count)), most: most, to: &output)
            return String(String(decoding: output, as: UTF8.self).dropFirst(22).prefix(22))
        }
        #expect(bar(1, of: 1) == String(repeating: "█", count: 20) + "  ")
        #expect(bar(1, of: 1_000_000) == "▏" + String(repeating: " ", count: 21))
        #expect(bar(33, of: 64) == "██████████▎" + String(repeating: " ", count: 11))
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
            _ = try ChangeListing(selection: Selection(), format: .paths).run(over: stored.reader(), to: &output)
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

    private func scope(_ argument: String, in directory: String? = "/home/me") throws(ScopeArgument.Flaw) -> String {
        let roots = ["/srv/nfs/a-backup", "/srv/nfs/b-backup", "/mnt/b-backup"].map { Array($0.utf8) }
        let scope = try ScopeArgument.scope(of: Array(argument.utf8), roots: roots) { directory.map { Array($0.utf8) } }
        return String(decoding: scope.path, as: UTF8.self)
    }

    @Test(arguments: [
        ("/x/y", "/x/y"), ("/", "/"), ("a-backup", "/srv/nfs/a-backup"), ("a-backup/", "/srv/nfs/a-backup"),
        ("a-backup/2026-48", "/srv/nfs/a-backup/2026-48"), ("./a-backup", "/home/me/a-backup"), (".", "/home/me"),
        ("..", "/home"), ("../../../x", "/x"), ("other/x", "/home/me/other/x"), ("a-backup2", "/home/me/a-backup2"),
    ])
    func whatUnderMeans(argument: String, path: String) throws { #expect(try scope(argument) == path) }

    @Test func whatUnderCannotMean() {
        func flaw(_ argument: String, in directory: String? = "/home") -> ScopeArgument.Flaw? {
            do throws(ScopeArgument.Flaw) {
                _ = try scope(argument, in: directory)
                return nil
            } catch {
                return error
            }
        }
        #expect(flaw("") == .empty)
        #expect(flaw("/a/../b") == .parentInside)
        #expect(flaw("a/../b") == .parentInside)
        #expect(flaw("b-backup") == .ambiguous([Array("/srv/nfs/b-backup".utf8), Array("/mnt/b-backup".utf8)]))
        #expect(flaw("x", in: nil) == .noWorkingDirectory)
        #expect(flaw("a-backup", in: nil) == nil)
    }
}
