import Glibc
import LinuxKernel
import Testing

/// The tests' own instruments. They need no tracker.
extension LogSystemTests {
    @Suite(.thorough) struct HarnessTests {
        @Test func listingSeesWhatLstatSees() throws {
            let scratch = try Scratch()
            let root = scratch.path / "root"
            try Disk.makeDirectory(root)
            try Disk.write(root / "file", Array("12345".utf8))
            try Disk.symlink("nowhere", at: root / "link")
            try Disk.link(root / "file", root / "second")
            let listing = try Listing([root, scratch.path / "absent"])
            #expect(listing.entries.count == 4)
            let file = try #require(listing.entries[root / "file"])
            #expect(file.size == 5 && file.links == 2)
            #expect(file == listing.entries[root / "second"])
            #expect(listing.entries[root / "link"]?.target == Array("nowhere".utf8))
            #expect(listing.entries[root]?.isDirectory == true)
        }

        @Test func listingReachesBeyondPathMax() throws {
            let scratch = try Scratch()
            let deepest = try makeDeepTree(below: scratch.path, levels: 25)
            #expect(deepest.bytes.count > Int(PATH_MAX))
            let listing = try Listing([scratch.path])
            #expect(listing.entries[deepest / "file"]?.size == 1)
        }

        @Test func differencesAreThoseOfTheRule() throws {
            let site = try Scratch()
            let root = site.path / "r"
            try Disk.makeDirectory(root)
            for name in ["kept", "changed", "linked", "gone", "chmodded"] { try Disk.write(root / Path(name)) }
            try Disk.setModified(root / "changed", seconds: 1_000_000_000)
            let before = try Listing([root])
            try Disk.write(root / "changed", Array("y".utf8))
            try Disk.link(root / "linked", root / "new")
            try Disk.unlink(root / "gone")
            try Disk.changeMode(root / "chmodded", 0o600)
            let after = try Listing([root])
            let expected = Completeness.expected(before: before, after: after)
            #expect(
                Set(expected.map(\.path))
                    == Set(["changed", "new", "gone", "chmodded"].map { root / Path($0) } + [root]))
            #expect(expected.first { $0.path == root }?.mayFollowFromEntries == true)
            #expect(expected.first { $0.path == root / "gone" }?.isGone == true)
            #expect(expected.first { $0.path == root / "chmodded" }?.reason == "mode")
        }

        @Test func recordedIsHeldAgainstTimesAndKinds() {
            let expected = Completeness.Expected(
                path: "/r/f", since: Timestamp(nanoseconds: 100), reason: "size", isGone: false,
                mayFollowFromEntries: false)
            func row(_ at: Int64, _ kind: String = "modified") -> HistoryRow {
                HistoryRow(sequence: 1, at: Timestamp(nanoseconds: at), kind: kind, path: "/r/f", from: nil)
            }
            var recorded = Recorded()
            #expect(recorded.shortfall(expected) == "no row")
            recorded.add([row(99)])
            #expect(recorded.shortfall(expected) == "its row is from 1 ns before")
            recorded.add([row(100)])
            #expect(recorded.shortfall(expected) == "no line in the log")
            recorded.add(lines: ["/r/f"])
            #expect(recorded.shortfall(expected) == nil)
            recorded.add([row(101, "deleted")])
            #expect(recorded.shortfall(expected) == "its last row is a deletion")
            recorded.add([row(102)])
            let gone = Completeness.Expected(
                path: "/r/f", since: Timestamp(nanoseconds: 0), reason: "disappeared", isGone: true,
                mayFollowFromEntries: false)
            #expect(recorded.shortfall(gone) == "its last row is modified")
            let directory = Completeness.Expected(
                path: "/r", since: Timestamp(nanoseconds: 0), reason: "mtime", isGone: false,
                mayFollowFromEntries: true)
            #expect(recorded.shortfall(directory) == nil)
        }

        @Test func queryOutputIsReadAsBytes() throws {
            let line =
                #"{"seq":7,"at":"2026-11-23T07:36:27.000000005Z","kind":"moved","path":"/a\u000a\"\\\u00e9","#
                + #""type":"file","size":3,"from":"/b"}"#
            let rows = try History.parse(Array((line + "\n" + line + "\n").utf8))
            #expect(rows.count == 2)
            #expect(rows[0].sequence == 7 && rows[0].kind == "moved" && rows[0].from == "/b")
            #expect(rows[0].path == "/a\n\"\\é")
            #expect(rows[0].at == Timestamp(seconds: 1_795_419_387, nanoseconds: 5))
        }

        @Test func pathsThatAreNotUTF8AreReadFromBase64() throws {
            let line =
                #"{"seq":1,"at":"2026-11-23T07:36:27Z","kind":"moved","path":"/a�","path_b64":"L2H/","#
                + #""from":"/�b","from_b64":"L/9i","type":"file","size":0}"#
            let row = try #require(try History.parse(Array(line.utf8)).first)
            #expect(row.path == Path([0x2F, 0x61, 0xFF]) && row.from == Path([0x2F, 0xFF, 0x62]))
        }

        @Test(arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-01-01T01:00:00+01:00", 1_767_225_600), ("2024-12-31T00:00:00.5Z", 1_735_603_200),
        ])
        func momentsAreRead(_ text: String, _ seconds: Int64) {
            let moment = Timestamp(rfc3339: Array(text.utf8))
            #expect(moment.map { $0.nanoseconds / 1_000_000_000 } == seconds)
        }

        @Test func linesAreUnescapedAndForgeriesRefused() throws {
            #expect(try ChangelogText.paths(Array("/a\\012b\n/c\\134\n/unfinished".utf8)) == ["/a\nb", "/c\\"])
            #expect(throws: ChangelogText.Malformed.self) { try ChangelogText.paths(Array("b\n".utf8)) }
            #expect(throws: ChangelogText.Malformed.self) { try ChangelogText.paths(Array("/a\tb\n".utf8)) }
            #expect(throws: ChangelogText.Malformed.self) { try ChangelogText.paths(Array("/a\\9\n".utf8)) }
        }

        @Test(arguments: Scale.seeds(1, full: 40))
        func churnAndItsModelAgreeWithTheDisk(_ seed: UInt64) throws {
            let scratch = try Scratch()
            let roots = ["a-backup", "b-backup"].map { scratch.path / Path($0) }
            let outside = scratch.path / "outside"
            for directory in roots + [outside] { try Disk.makeDirectory(directory) }
            let churn = Churn(seed: seed, roots: roots, outside: outside)
            var oracle = ChurnOracle(known: [])
            var before = try Listing(roots)
            for _ in 0..<8 {
                let first = churn.steps.count
                for _ in 0..<100 { try churn.step() }
                let listing = try Listing(roots + [outside])
                let onDisk = Set(listing.entries.keys).subtracting(roots).subtracting([outside])
                #expect(onDisk == Set(churn.tree.items.keys), "seed \(seed)")

                // A perfect tracker passes, and one that lost a row does not.
                let after = try Listing(roots)
                var rows: [Path: HistoryRow] = [:]
                for step in churn.steps[first...] {
                    for (paths, kind) in [(step.gone, "deleted"), (step.present, "modified")] {
                        for path in paths {
                            rows[path] = HistoryRow(sequence: 1, at: step.ended, kind: kind, path: path, from: nil)
                        }
                    }
                }
                #expect(oracle.missing(churn.steps[first...], rows) == [], "seed \(seed)")
                #expect(oracle.untrueDeletions(churn.steps[first...], rows.values) == [], "seed \(seed)")
                var recorded = Recorded()
                recorded.add(rows.values)
                recorded.add(lines: rows.keys)
                let expected = Completeness.expected(before: before, after: after, exactTimes: false)
                let missed = expected.filter { recorded.shortfall($0) != nil }
                #expect(missed.isEmpty, "seed \(seed): \(missed.prefix(5))")
                // Of what the last step on a path left there.
                let left = churn.steps[first...].reduce(into: Set<Path>()) { left, step in
                    left.subtract(step.gone)
                    left.formUnion(step.present)
                }
                let victim = try #require(left.min { $0.string < $1.string })
                rows[victim] = nil
                #expect(oracle.missing(churn.steps[first...], rows).count == 1, "seed \(seed)")
                oracle.settle(churn.tree.items.keys.filter(churn.isWatched))
                before = after
            }
            let made = Set(churn.steps.map(\.operation))
            #expect(made.count >= 28, "seed \(seed): only \(made)")
        }

        @Test func writersWriteWhatTheyWereAsked() throws {
            let scratch = try Scratch()
            for renaming in [false, true] {
                let writers = Writers(root: scratch.path, files: 2_000, renaming: renaming, tag: "\(renaming)")
                writers.join()
                #expect(writers.errors == [])
                #expect(writers.fileCount == 2_000)
            }
            let files = try Listing([scratch.path]).entries.values.filter { !$0.isDirectory }
            #expect(files.count == 4_000)
        }

        @Test func notificationsAreCollected() throws {
            let scratch = try Scratch()
            let socket = try NotifySocket(path: scratch.path / "notify")
            let sent = try run(
                ["systemd-notify", "--ready", "--status=all is well"],
                environment: ["NOTIFY_SOCKET": socket.path.string])
            try #require(sent.isSuccess)
            #expect(wait(atMost: 5) { socket.count(of: "READY") == 1 })
            #expect(socket.status == "all is well")
        }

        @Test func processesEndAsTheyAreReported() throws {
            #expect(try run(["sh", "-c", "echo out; echo err >&2; exit 3"]).status == .exited(3))
            #expect(try run(["sh", "-c", "kill -9 $$"]).status == .signalled(9))
            let completed = try run(["sh", "-c", "echo out; echo err >&2"])
            #expect(completed.output == Array("out\n".utf8) && completed.errors == "err\n")
            #expect(throws: TimedOut.self) { try run(["sleep", "60"], atMost: 0.05) }
        }
    }
}

/// Directories with names of 200 bytes, one in another, with a one-byte file in the innermost.
///
/// - Returns: the innermost directory.
func makeDeepTree(below top: Path, levels: Int) throws -> Path {
    var path = top
    var held = OwnedDescriptor(
        owning: try Disk.check("open", top) { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    for level in 0..<levels {
        let name = Path([UInt8](repeating: 0x64, count: 196) + Array("\(1_000 + level)".utf8))
        try Disk.check("mkdirat", name) { mkdirat(held.number, $0, 0o755) }
        held = OwnedDescriptor(
            owning: try Disk.check("openat", name) { openat(held.number, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        path = path / name
    }
    let file = try Disk.check("openat", "file") { openat(held.number, $0, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644) }
    defer { close(file) }
    try Disk.put([0x31], to: file, "file")
    return path
}
