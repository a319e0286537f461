import Glibc
import LinuxKernel
import Testing

extension TimedSystemTests {
    /// `changes query --follow`.
    @Suite struct FollowTests {
        @Test(.timeLimit(.minutes(1))) func beginsWithTheLastAndGoesOn() throws {
            let site = try Site()
            try site.start()
            for number in 0..<30 {
                try Disk.write(site.root / Path("old-\(number)"))
                // One after the other: their order is that of the history.
                _ = try site.query(["--settle", "--count"])
            }
            let all = try site.rows(["--history"])
            let follower = try Follower(site)
            let three = try Follower(site, ["--limit", "3"])
            let since = try Follower(site, ["--since", "seq:\(all[4].sequence)"])
            let chosen = try Follower(
                site, ["--since", "seq:0", "--name", "*.sql", "--kind", "created,deleted", "--type", "file"])
            defer { for follower in [follower, three, since, chosen] { follower.stop() } }
            func expect(_ follower: Follower, _ expected: [HistoryRow]) throws {
                let hasCome = try wait(atMost: 10) { try follower.rows().count >= expected.count }
                #expect(hasCome, "\(follower.errors)")
                #expect(try follower.rows().map(\.sequence) == expected.map(\.sequence))
            }
            try expect(follower, all.suffix(10))
            try expect(three, all.suffix(3))
            try expect(since, Array(all[5...]))

            var delays: [Double] = []
            for number in 0..<11 {
                let path = site.root / Path("new-\(number)")
                let start = MonotonicTime.now
                try Disk.write(path)
                #expect(try follower.waits(for: path, every: 1), "\(follower.errors)\n\(site.diagnosis)")
                delays.append(Double(MonotonicTime.now - start) / 1e9)
            }
            delays.sort()
            print("--follow shows a lone change after: median \(delays[5]) s, worst \(delays[10]) s")
            #expect(delays[10] < 0.5)

            for name in ["a.sql", "b.txt"] { try Disk.write(site.root / Path(name)) }
            try Disk.makeDirectory(site.root / "c.sql")
            _ = try site.query(["--settle", "--count"])
            try Disk.unlink(site.root / "a.sql")
            #expect(try wait(atMost: 10) { try chosen.rows().count == 2 }, "\(chosen.errors)")
            #expect(try chosen.rows().map(\.kind) == ["created", "deleted"])
            #expect(try chosen.rows().allSatisfy { $0.path == site.root / "a.sql" })
            site.tracker.stop()
        }

        /// Neither a restart nor a crash nor a storm makes it leave out or repeat anything.
        @Test(.timeLimit(.minutes(5))) func overRestartsAndStorms() throws {
            let site = try Site()
            try site.start()
            let follower = try Follower(site, ["--since", "seq:0"])
            defer { follower.stop() }
            for round in 0..<Scale.pick(3, full: 20) {
                let writers = Writers(
                    root: site.root, files: Scale.pick(1_500, full: 20_000), writers: 3, renaming: true,
                    tag: "r\(round)-")
                _ = wait(atMost: 30, every: 1) { writers.fileCount > 500 || writers.isFinished }
                if round % 3 == 1 { site.tracker.stop() }
                if round % 3 == 2 { site.tracker.kill9() }
                if !site.tracker.isRunning { try site.tracker.start() }
                writers.join()
                #expect(writers.errors == [])
                try site.expectComplete(atMost: 60, note: "round \(round)")
            }
            let all = try site.rows(["--history"])
            let isComplete = try wait(atMost: 20, every: 50) {
                try follower.rows().last?.sequence == all.last?.sequence
            }
            #expect(isComplete, "\(follower.errors)")
            let followed = try follower.rows().map(\.sequence)
            #expect(followed.count == all.count && followed == all.map(\.sequence))
            #expect(follower.isRunning && follower.errors == "", "\(follower.errors)")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func aStoreThatIsReplacedIsTold() throws {
            let site = try Site()
            try site.start()
            try Disk.write(site.root / "before")
            try site.expectComplete()
            let follower = try Follower(site)
            defer { follower.stop() }
            #expect(try follower.waits(for: site.root / "before"))
            site.tracker.stop()
            for name in try Disk.names(of: site.tracker.settings.state) {
                try Disk.removeTree(site.tracker.settings.state / name)
            }
            try site.tracker.start()
            try Disk.write(site.root / "after")
            #expect(try follower.waits(for: site.root / "after"), "\(follower.errors)\n\(site.diagnosis)")
            #expect(follower.errors.contains("the store was replaced"), "\(follower.errors)")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func endsWithItsReader() throws {
            let site = try Site()
            try site.start()
            for number in 0..<3 { try Disk.write(site.root / Path("\(number)")) }
            try site.expectComplete()
            let took = try measured {
                let first = try run(
                    [
                        "sh", "-c", "set -e; \"$0\" query --follow --format paths --state \"$1\" | head -n 1",
                        Tracker.binary, site.tracker.settings.state.string,
                    ], atMost: 10)
                #expect(first.isSuccess && first.output.count { $0 == UInt8(ascii: "\n") } == 1, "\(first)")
            }
            #expect(took < 5, "\(took)")
            site.tracker.stop()
        }

        /// A whole second without being put on a processor once.
        @Test(.timeLimit(.minutes(1))) func sleepsWhileNothingHappens() throws {
            let site = try Site()
            try site.start()
            try Disk.write(site.root / "file")
            try site.expectComplete()
            let follower = try Follower(site)
            defer { follower.stop() }
            #expect(try follower.waits(for: site.root / "file"))
            // The tracker still writes down how far the log is, and looks once more at what changed a moment ago.
            let isAsleep = try wait(atMost: 10, every: 0) {
                let before = try follower.contextSwitches()
                pause(milliseconds: 1_000)
                return try follower.contextSwitches() == before
            }
            #expect(isAsleep)
            site.tracker.stop()
        }
    }
}
