import Glibc
import LinuxKernel
import Testing

extension CommandSystemTests {
    /// `changes query --settle`: a script that changes something and then asks always sees it.
    @Suite struct SettleTests {
        /// What a script does, and the paths below its directory that it must see then, with the kinds that will do.
        private struct Deed {
            let act: () throws -> Void
            let seen: [Path: Set<String>]
        }

        private static let gone: Set = ["deleted"]
        /// What is new may be told of twice, and what was renamed as if it were new.
        private static let there: Set = ["created", "modified", "metadata", "moved", "replaced"]

        private func deed(_ number: Int, in work: Path, outside: Path) throws -> Deed {
            let (file, directory) = (work / Path("file-\(number)"), work / Path("dir-\(number)"))
            // The tracker's baseline has it.
            func madeBefore(_ act: @escaping () throws -> Void, _ seen: [Path: Set<String>]) throws -> Deed {
                try Disk.makeDirectory(directory)
                try Disk.write(directory / "inside")
                try Disk.write(file)
                return Deed(act: act, seen: seen)
            }
            let renamed = work / Path("renamed-\(number)")
            switch number % 10 {
            case 0: return Deed(act: { try Disk.write(file) }, seen: [file: Self.there])
            case 1:
                return Deed(
                    act: {
                        try Disk.makeDirectory(directory)
                        try Disk.makeDirectory(directory / "deep")
                        try Disk.write(directory / "deep/file")
                    },
                    seen: [
                        directory: Self.there, directory / "deep": Self.there, directory / "deep/file": Self.there,
                    ])
            case 2: return try madeBefore({ try Disk.append(file, [0x79]) }, [file: Self.there])
            case 3: return try madeBefore({ try Disk.changeMode(file, 0o600) }, [file: Self.there])
            case 4:
                return try madeBefore(
                    { try Disk.rename(file, renamed) }, [renamed: Self.there, file: Self.gone])
            case 5:
                return try madeBefore(
                    { try Disk.rename(directory, renamed) },
                    [
                        renamed: Self.there, renamed / "inside": Self.there,
                        directory: Self.gone, directory / "inside": Self.gone,
                    ])
            case 6:
                return try madeBefore(
                    { try Disk.rename(directory, outside / Path("dir-\(number)")) },
                    [directory: Self.gone, directory / "inside": Self.gone])
            case 7:
                return try madeBefore({ try Disk.rename(file, outside / Path("file-\(number)")) }, [file: Self.gone])
            case 8: return try madeBefore({ try Disk.unlink(file) }, [file: Self.gone])
            default:
                return try madeBefore(
                    { try Disk.removeTree(directory) }, [directory: Self.gone, directory / "inside": Self.gone])
            }
        }

        /// What a round's deed lacks in what the script was shown.
        private func shortfall(_ deed: Deed, _ rows: [HistoryRow]) -> [String] {
            var latest: [Path: String] = [:]
            for row in rows { latest[row.path] = row.kind }
            return deed.seen.compactMap { path, kinds in
                kinds.contains(latest[path] ?? "nothing") ? nil : "\(path): \(latest[path] ?? "nothing")"
            }
        }

        @Test(.thorough, .timeLimit(.minutes(20))) func underAStorm() throws {
            let rounds = Scale.pick(25, full: 1_000)
            let site = try Site(roots: ["a-backup", "b-backup"])
            let work = site.root / "work"
            try Disk.makeDirectory(work)
            let deeds = try (0..<rounds).map { try deed($0, in: work, outside: site.outside) }
            try site.start()
            let storm = Storm(
                below: site.roots[1], writers: Scale.pick(2, full: 3), pause: Scale.pick(5, full: 0))
            let inner = Storm(below: site.root, writers: 1)
            defer {
                storm.stop()
                inner.stop()
            }
            var delays: [Double] = []
            var sequence: Int64 = 0
            for (number, deed) in deeds.enumerated() {
                try deed.act()
                var rows: [HistoryRow] = []
                delays.append(
                    try measured {
                        rows = try site.rows(
                            ["--settle", "--since", "seq:\(sequence)", "--under", work.string, "--history"])
                    })
                sequence = rows.last?.sequence ?? sequence
                #expect(shortfall(deed, rows) == [], "round \(number): \(rows)\n\(site.diagnosis)")
            }
            storm.stop()
            inner.stop()
            #expect(storm.errors + inner.errors == [])
            delays.sort()
            print(
                "--settle under \(storm.rounds + inner.rounds) rounds of a storm, \(rounds) times, in seconds: "
                    + "median \(delays[rounds / 2]), worst \(delays[rounds - 1])")
            #expect(delays[rounds - 1] < 2)
            try site.expectComplete(atMost: 60)
            site.tracker.stop()
        }

        /// Events that were lost before the question are made up for by a walk before the answer, while others go on.
        @Test(.timeLimit(.minutes(2))) func afterLostEvents() throws {
            // One more than fs.inotify.max_queued_events has by default.
            let files = 16_385
            let site = try Site(roots: ["a-backup", "b-backup"])
            try site.start()
            try site.tracker.freeze()
            for number in 0..<files { try Disk.write(site.root / Path("\(number)"), []) }
            let storm = Storm(below: site.roots[1], writers: 1)
            defer { storm.stop() }
            site.tracker.thaw()
            var rows: [HistoryRow] = []
            let delay = try measured {
                rows = try site.rows(["--settle", "--under", site.root.string, "--kind", "created"])
            }
            #expect(rows.count >= files, "\(rows.count)\n\(site.diagnosis)")
            #expect(site.tracker.errors.contains("events were lost"), "\(site.diagnosis)")
            print("--settle after lost events: \(delay) s")
            storm.stop()
            try site.expectComplete(atMost: 60)
            site.tracker.stop()
        }

        /// The rate limit of one record a second is not waited for.
        @Test(.timeLimit(.minutes(1))) func aFileThatIsWrittenContinuously() throws {
            let site = try Site()
            let file = site.root / "growing"
            try Disk.write(file, [])
            try site.start()
            for size in 1...20 {
                try Disk.append(file, [0x2E])
                let row = try site.rows(["--settle", "--under", file.string]).last
                #expect(row?.size == Int64(size), "\(site.diagnosis)")
            }
            site.tracker.stop()
        }

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: Privilege.canMakeUserNamespace, "needs unprivileged user namespaces"))
        func directoriesWithoutAWatchArePolledNow() throws {
            let site = try Site { settings, _ in
                settings.wrapper = [
                    "unshare", "-Ur", "sh", "-c",
                    "echo 20 >/proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"",
                ]
                settings.pollInterval = "1h"
            }
            for number in 0..<100 { try Disk.makeDirectory(site.root / Path("d\(number)")) }
            try site.start()
            #expect(site.tracker.notify.status.contains("polled"), "\(site.tracker.notify.status)")
            for number in stride(from: 0, to: 100, by: 7) {
                let directory = site.root / Path("d\(number)/new")
                try Disk.makeDirectory(directory)
                try Disk.write(directory / "file")
                let rows = try site.rows(["--settle", "--under", directory.string])
                #expect(Set(rows.map(\.path)) == [directory, directory / "file"], "\(site.diagnosis)")
            }
            site.tracker.stop()
        }

        /// What cannot be known is said, and the rest is answered.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aHeldRootIsNamed() throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            try Disk.write(site.roots[1] / "hidden")
            try site.start()
            let mounted = try Mounted(tmpfsAt: site.roots[1])
            #expect(wait(atMost: 10) { site.tracker.notify.status.contains("held") }, "\(site.diagnosis)")
            try Disk.write(site.root / "file")
            for output in [["--format", "paths"], ["--count"], ["--by", "root"]] {
                let asked = try site.query(["--settle", "--under", (site.root / "file").string] + output)
                #expect(asked.status == .exited(75), "\(asked)")
                #expect(asked.errors.contains("\(site.roots[1].string) is held"), "\(asked.errors)")
                #expect(!asked.output.isEmpty)
            }
            // One that goes on for ever says so at the beginning.
            let errors = site.scratch.path / "follow.err"
            let following = try ChildProcess(
                [Tracker.binary, "query", "--state", site.tracker.settings.state.string, "--settle", "--follow"],
                output: ("/dev/null", errors))
            let isNamed = wait(atMost: 10) {
                (try? Disk.read(errors)).map { String(decoding: $0, as: UTF8.self).contains("is held") } ?? false
            }
            #expect(isNamed)
            following.signal(SIGKILL)
            try mounted.unmount()
            let isBack = try wait(atMost: 10, every: 50) { try site.query(["--settle", "--count"]).isSuccess }
            #expect(isBack, "\(site.diagnosis)")
            site.tracker.stop()
        }

        @Test(.thorough, .timeLimit(.minutes(2))) func `a tracker that is stopped is not waited for without a word`()
            throws
        {
            let site = try Site()
            try site.tracker.start()
            site.tracker.signal(SIGSTOP)
            let completed = try site.query(["--settle"], atMost: 60)
            #expect(completed.status == .exited(75), "\(completed)")
            #expect(completed.errors.contains("did not answer within 30 s"), "\(completed)")
            site.tracker.thaw()
        }

        @Test(.timeLimit(.minutes(1))) func withoutATracker() throws {
            let site = try Site()
            let never = try site.query(["--settle"])
            #expect(
                never.status == .exited(69) && never.errors.contains("systemctl start nfs-change-tracker"), "\(never)")
            try site.start()
            try Disk.write(site.root / "file")
            try site.expectComplete()
            // Frozen, it cannot answer; stopped while somebody waits, it refuses.
            try site.tracker.freeze()
            let errors = site.scratch.path / "settle.err"
            let waiting = try ChildProcess(
                [Tracker.binary, "query", "--state", site.tracker.settings.state.string, "--settle"],
                output: ("/dev/null", errors))
            let socket = "/proc/\(waiting.pid)/syscall"
            let isAsking = wait(atMost: 10) {
                // recvmsg(2) or recvfrom(2), of x86-64 or arm64.
                let call = (try? Disk.read(Path(socket))).map { String(decoding: $0, as: UTF8.self) } ?? ""
                return ["47 ", "45 ", "212 ", "207 "].contains { call.hasPrefix($0) }
            }
            #expect(isAsking)
            site.tracker.signal(SIGTERM)
            site.tracker.thaw()
            let ended = waiting.waitForExit(atMost: 5)
            // It may have been answered before the signal was taken.
            #expect(ended == .exited(75) || ended == .exited(0), "\(String(describing: ended))")
            #expect(site.tracker.waitForExit(atMost: 5) == .exited(0))
            let after = try site.query(["--settle"])
            #expect(after.status == .exited(69) && after.errors.contains("no tracker runs"), "\(after)")
            #expect(after.output.isEmpty)
            #expect(try site.rows([]).contains { $0.path == site.root / "file" })
        }
    }
}
