import Glibc
import LinuxKernel
import Testing

extension CommandSystemTests {
    /// `changes status`: the screen, the JSON object and the exit status.
    @Suite struct StatusCommandTests {
        private func status(_ site: Site, _ code: Int32, _ more: String...) throws -> String {
            let completed = try site.changes(["status"] + more)
            #expect(completed.status == .exited(code), "\(completed)\n\(site.diagnosis)")
            return String(decoding: completed.output, as: UTF8.self)
        }

        private func json(_ site: Site, _ code: Int32) throws -> JSONValue {
            let text = try status(site, code, "--json")
            return try #require(JSONValue(Array(text.utf8)), "\(text)")
        }

        @Test(.timeLimit(.minutes(1))) func aHealthyOne() throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            for name in ["x", "y", "x/z"] { try Disk.makeDirectory(site.root / Path(name)) }
            try site.start()
            let recorder = try Recorder(site)
            _ = try recorder.take()
            for number in 0..<7 { try Disk.write(site.root / Path("f\(number)"), [1, 2, 3]) }
            try Disk.makeDirectory(site.roots[1] / "late")
            try site.settled()
            var value = try json(site, 0)
            // What is counted is told within a second or so.
            let isCounted = try wait(atMost: 5, every: 100) {
                value = try json(site, 0)
                let minutes = value["tracker"]?["changes_per_minute"]?.array.compactMap(\.number) ?? []
                return minutes.reduce(0, +) >= 8 && value["tracker"]?["watches"] == value["tracker"]?["directories"]
                    && (value["tracker"]?["log"]?["seq"]?.number ?? 0) > 0
            }
            #expect(isCounted, "\(value)")
            #expect(value["health"] == .string("healthy") && value["reasons"] == .array([]))
            #expect(value["state_directory"]?.text == site.tracker.settings.state.string)
            let tracker = try #require(value["tracker"])
            #expect(tracker["pid"]?.number == Double(site.tracker.pid) && tracker["phase"] == .string("watching"))
            #expect(tracker["changes_per_minute"]?.array.count == 60 && tracker["watch_limit"]?.number ?? 0 > 0)
            #expect(tracker["polled"] == .number(0) && tracker["overflows"] == .number(0))
            #expect(tracker["roots"]?.array.map { $0["directories"] } == [.number(4), .number(2)])
            #expect(tracker["roots"]?.array.map { $0["state"] } == [.string("watched"), .string("watched")])
            #expect(tracker["log"]?["owed"] == .number(0))
            #expect(tracker["log"]?["path"]?.text == site.tracker.settings.log.string)
            let store = try #require(value["store"])
            #expect(store["uuid"]?.text?.count == 36 && store["last_seq"]?.number ?? 0 >= 8)
            #expect(store["bytes"]?.number ?? 0 > 0 && store["history_bytes"]?.number ?? 0 > 0)
            #expect(store["oldest"]?.text?.hasSuffix("Z") == true)
            let consumer = try #require(value["consumers"]?.array.first)
            #expect(consumer["name"] == .string("copy") && consumer["standing"] == .string("cursor"))
            #expect(consumer["paths"]?.number ?? 0 >= 8 && consumer["bytes"]?.number ?? 0 >= 21)
            #expect(consumer["last_success"]?.text != nil && consumer["last_error"] == nil)

            let text = try status(site, 0)
            for words in [
                "tracker    healthy, running since ", ", process \(site.tracker.pid), ", "watches    6 of ",
                "4 directories \(site.root)", "2 directories \(site.roots[1])", "last hour  ", "nothing owed",
                "store      \(site.tracker.settings.state)", "           UUID ", "consumers  copy: behind by ",
                "the oldest ", "last success ",
            ] {
                #expect(text.contains(words), "\(words)\n\(text)")
            }
            #expect(!text.contains("\u{1B}") && text.utf8.last == 0x0A && text.split(separator: "\n").count < 24)
            print(text)
            let failed = try recorder.run(exit: 4)
            #expect(failed.completed.status == .exited(4))
            #expect(
                try status(site, 1).contains("copy: DEGRADED, ")
                    && status(site, 1).contains("! its last run failed: the command's exit status was 4"))
            #expect(try json(site, 1)["consumers"]?.array.first?["last_error"]?.text?.contains("was 4") == true)
            _ = try recorder.take()
            #expect(try status(site, 0).contains("copy: up to date"))
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func noneRuns() throws {
            let site = try Site()
            let nothing = try json(site, 2)
            #expect(nothing["health"] == .string("not running"))
            #expect(nothing["tracker"] == .null && nothing["store"] == .null && nothing["consumers"] == .array([]))
            #expect(try status(site, 2).contains("no store in"))
            try site.start()
            _ = try Recorder(site).take()
            site.tracker.stop()
            let stopped = try json(site, 2)
            #expect(stopped["tracker"] == .null && stopped["store"]?["uuid"] != nil)
            let text = try status(site, 2)
            #expect(text.contains("not running") && text.contains("what follows is what the store holds"), "\(text)")
            #expect(text.contains("copy: up to date"))
            // A killed one leaves its socket behind.
            try site.tracker.start()
            site.tracker.kill9()
            #expect(try json(site, 2)["health"] == .string("not running"))
            #expect(try status(site, 2, "--check", "tracker").hasPrefix("tracker: not running, "))
            #expect(try status(site, 0, "--check", "copy").hasPrefix("copy: healthy"))
            #expect(try site.changes(["status", "--color", "always"]).output.contains(0x1B))
        }

        @Test(.timeLimit(.minutes(1))) func aLogThatCannotBeWritten() throws {
            let site = try Site { settings, scratch in settings.log = scratch / "not there/changes.log" }
            try site.tracker.start()
            try Disk.write(site.root / "one")
            try site.settled()
            var value = JSONValue.null
            let isTold = try wait(atMost: 10, every: 50) {
                value = try json(site, 1)
                return value["tracker"]?["log"]?["owed"]?.number ?? 0 > 0
            }
            #expect(isTold, "\(value)")
            #expect(value["health"] == .string("degraded"))
            #expect(value["reasons"]?.array.contains { $0.text?.contains("cannot append") == true } == true, "\(value)")
            let text = try status(site, 1)
            #expect(text.contains("DEGRADED") && text.contains(" owed") && text.contains("! log: "), "\(text)")
            try Disk.makeDirectory(site.scratch.path / "not there")
            let isWell = try wait(atMost: 15, every: 50) { try site.changes(["status"]).isSuccess }
            #expect(isWell, "\(site.diagnosis)")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aHeldRoot() throws {
            let site = try Site()
            try Disk.write(site.root / "file")
            try site.tracker.start()
            let mounted = try Mounted(tmpfsAt: site.root)
            var value = JSONValue.null
            let isTold = try wait(atMost: 10, every: 50) {
                let text = try site.changes(["status", "--json"]).output
                value = JSONValue(text) ?? .null
                return value["tracker"]?["roots"]?.array.first?["state"] == .string("held")
            }
            #expect(isTold, "\(value)")
            let text = try status(site, 1)
            #expect(text.contains("HELD") && text.contains("is held"), "\(text)")
            try mounted.unmount()
            let isWell = try wait(atMost: 15, every: 50) { try site.changes(["status"]).isSuccess }
            #expect(isWell, "\(site.diagnosis)")
            site.tracker.stop()
        }

        /// A consumer whose file is no database weakens nothing but itself, and is named.
        @Test(.timeLimit(.minutes(1))) func aConsumerThatCannotBeRead() throws {
            let site = try Site()
            try site.start()
            _ = try Recorder(site).take()
            let broken = site.tracker.settings.state / "consumers/broken.db"
            try Disk.write(broken, [UInt8](repeating: 0x7A, count: 5_000))
            let value = try json(site, 1)
            #expect(value["consumers"]?.array.map { $0["name"] } == [.string("broken"), .string("copy")])
            #expect(value["consumers"]?.array.first?["standing"] == .string("unreadable"))
            #expect(try status(site, 1).contains("broken: DEGRADED, cannot be read"))
            // It is not the tracker's fault, and each can be asked for alone.
            #expect(try status(site, 1).contains("tracker    healthy") && value["health"] == .string("degraded"))
            #expect(value["tracker"]?["health"] == .string("healthy"))
            #expect(try status(site, 0, "--check", "tracker").hasPrefix("tracker: healthy, watching "))
            #expect(try status(site, 0, "--check", "copy") == "copy: healthy, up to date\n")
            #expect(try status(site, 2, "--check", "broken").hasPrefix("broken: not running, it cannot be read"))
            #expect(try status(site, 2, "--check", "nobody").isEmpty)
            // Neither can it be used, and nothing is run on its account.
            let used = try Recorder(site, "broken").run()
            #expect(used.completed.status == .exited(74) && used.batch == nil, "\(used)")
            #expect(try site.changes(["consumer", "remove", "broken"]).isSuccess)
            #expect(try json(site, 0)["health"] == .string("healthy"))
            site.tracker.stop()
        }
    }
}
