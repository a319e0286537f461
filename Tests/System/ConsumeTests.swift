import Glibc
import LinuxKernel
import Testing

extension ConsumeSystemTests {
    /// `changes consume`, run by run.
    @Suite struct ConsumeTests {
        @Test(.timeLimit(.minutes(1))) func aFirstRunGivesEverythingAndLaterOnesWhatChanged() throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            try Disk.makeDirectory(site.root / "sub")
            try Disk.write(site.root / "sub/old")
            try site.start()
            let recorder = try Recorder(site)
            let (completed, first) = try recorder.run()
            #expect(completed.isSuccess, "\(completed)")
            #expect(completed.errors.contains("everything that exists is handed out: it never ran"), "\(completed)")
            #expect(first?.full == "first")
            #expect(first?.paths == Set(try site.list().entries.keys))
            // A directory comes before what is in it, each once.
            #expect(first?.lines == first?.lines.sorted())

            let again = try recorder.run()
            #expect(again.completed.isSuccess && again.completed.errors.isEmpty && again.batch == nil, "\(again)")

            try Disk.write(site.root / "new")
            try Disk.append(site.root / "new", Array("more".utf8))
            try Disk.unlink(site.root / "sub/old")
            try site.settled()
            let second = try #require(try recorder.take())
            #expect(second.full == "")
            #expect(second.paths.isSuperset(of: [site.root / "new", site.root / "sub/old"]))
            #expect(second.lines.count == second.paths.count)
            #expect(try recorder.take() == nil)
            site.tracker.stop()
            // The store alone will do.
            #expect(try recorder.take() == nil)
        }

        @Test(.timeLimit(.minutes(1))) func whatFailsComesAgain() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            _ = try recorder.take()
            try Disk.write(site.root / "one")
            try site.settled()
            let failed = try recorder.run(exit: 7)
            #expect(failed.completed.status == .exited(7) && failed.completed.errors.contains("exit status 7"))
            #expect(failed.batch?.paths.contains(site.root / "one") == true)
            func end(_ command: [String]) throws -> Completed { try site.changes(["consume", "copy", "--"] + command) }
            #expect(try end(["sh", "-c", "kill -9 $$"]).status == .exited(137))
            #expect(try end(["sh", "-c", "kill -TERM $$"]).status == .exited(143))
            // The statuses that are the product's own pass through as well.
            #expect(try end(["sh", "-c", "exit 75"]).status == .exited(75))
            let missing = try end(["/no/such/command"])
            #expect(missing.status == .exited(127) && missing.errors.contains("no such command"), "\(missing)")
            let listed = try site.changes(["consumer", "show", "copy"])
            #expect(Path(listed.output).string.contains("no such command"), "\(listed)")
            let refused = try end([site.root.string])
            #expect(refused.status == .exited(126) && refused.errors.contains(site.root.string), "\(refused)")
            #expect(try site.changes(["consume", "copy"]).status == .exited(2))
            #expect(try site.changes(["consume", "../x", "--", "true"]).status == .exited(2))
            #expect(try recorder.take()?.paths == failed.batch?.paths)
            #expect(try recorder.take() == nil)
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func theCommandFindsWhatItNeeds() throws {
            let site = try Site()
            try site.start()
            let print = [
                "sh", "-c",
                "cat > /dev/null; umask; pwd; ls -l /proc/self/fd/ | grep -c lock; env | grep ^CHANGES_ | sort",
            ]
            func words(_ environment: [String: String] = [:]) throws -> [String] {
                let completed = try site.changes(
                    ["consume", "copy", "--"] + print, directory: site.outside, environment: environment)
                #expect(completed.isSuccess, "\(completed)")
                return Recorder.lines(completed.output).map(\.string)
            }
            let first = try words(["CHANGES_AFTER": "outer"])
            #expect(first[1] == site.outside.string)
            #expect(first.contains("CHANGES_CONSUMER=copy") && first.contains("CHANGES_FULL=first"), "\(first)")
            #expect(first.contains("CHANGES_AFTER=0") && first.filter { $0.hasPrefix("CHANGES_") }.count == 5)
            try Disk.write(site.root / "one")
            try site.settled()
            let second = try words(["CHANGES_FULL": "outer"])
            #expect(second.contains("CHANGES_FULL=") && !second.contains("CHANGES_AFTER=0"), "\(second)")
            site.tracker.stop()
        }

        /// A command need not read what it is given.
        @Test(.timeLimit(.minutes(1))) func aCommandThatDoesNotReadIsTakenAtItsWord() throws {
            let site = try Site()
            // More than a pipe holds.
            for number in 0..<600 {
                try Disk.write(site.root / Path([UInt8](repeating: 0x6C, count: 200) + Array("-\(number)".utf8)))
            }
            try site.start()
            let all = Set(try site.list().entries.keys)
            func leave(_ name: String, _ options: [String], _ script: String) throws -> Completed {
                try site.changes(["consume", name] + options + ["--", "sh", "-c", script])
            }
            let left = try leave("one", [], "exec < /dev/null; exit 0")
            #expect(left.isSuccess && left.errors.contains("without reading all"), "\(left)")
            #expect(try Recorder(site, "one").take() == nil)
            let failed = try leave("two", [], "exec < /dev/null; exit 3")
            #expect(failed.status == .exited(3))
            // A part of everything was given: that counts as done, the rest does not.
            let cut = try leave("three", ["--max", "400"], "exec < /dev/null; exit 0")
            #expect(cut.isSuccess, "\(cut)")
            let rest = try #require(try Recorder(site, "three").take())
            #expect(rest.paths.count >= all.count - 400 && rest.paths.isSubset(of: all), "\(rest.paths.count)")
            // What the command leaves behind may hold the pipe.
            let held = try leave("four", [], "sleep 600 > /dev/null 2>&1 & echo $!; exit 0")
            #expect(held.isSuccess, "\(held)")
            if let sleeper = pid_t(Path(held.output.dropLast()).string) { kill(sleeper, SIGKILL) }
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func noMoreThanWanted() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            _ = try recorder.take()
            for number in 0..<25 { try Disk.write(site.root / Path("f\(number)")) }
            try site.settled()
            var given: Set<Path> = []
            var sizes: [Int] = []
            while let batch = try recorder.take(["--max", "10"]) {
                sizes.append(batch.lines.count)
                given.formUnion(batch.lines)
            }
            #expect(sizes.allSatisfy { $0 <= 10 } && sizes.count >= 3, "\(sizes)")
            #expect(given.isSuperset(of: (0..<25).map { site.root / Path("f\($0)") }))
            site.tracker.stop()
        }

        /// Everything, in several runs, while directories are renamed from what is done to what is not and back.
        @Test(.timeLimit(.minutes(1))) func everythingInSeveralRunsWhileTheTreeChanges() throws {
            let seed = Scale.seeds(1, full: 1)[0]
            print("everythingInSeveralRunsWhileTheTreeChanges: CHANGES_TEST_SEED=\(seed)")
            var random = SplitMix64(seed: seed)
            // The roots lie so that their bytes and their components are in different orders.
            let site = try Site(roots: ["a-backup"]) { settings, scratch in
                settings.roots = [scratch.string + "/srv/*-backup", scratch.string + "/srv/a/*-backup"]
            }
            try Disk.makeDirectory(site.base / "a")
            let roots = [site.root, site.base / "a/b-backup", site.base / "a/c-backup"]
            for root in roots {
                if root != site.root { try Disk.makeDirectory(root) }
                for directory in 0..<6 {
                    let path = root / Path("d\(directory)")
                    try Disk.makeDirectory(path)
                    for file in 0..<5 { try Disk.write(path / Path("f\(file)")) }
                }
            }
            try site.tracker.start()
            let recorder = try Recorder(site)
            var given: Set<Path> = []
            var reasons: Set<String> = []
            var round = 0
            while let batch = try recorder.take(["--max", "9"]) {
                #expect(batch.lines.count <= 9)
                given.formUnion(batch.lines)
                reasons.insert(batch.full)
                round += 1
                if round > 15 { break }
                let root = roots.randomElement(using: &random)!
                let directories = try Disk.names(of: root)
                guard let directory = directories.sorted().randomElement(using: &random) else { continue }
                try Disk.rename(root / directory, roots.randomElement(using: &random)! / Path("m\(round)"))
                try Disk.write(root / Path("new\(round)"))
                try site.settled()
            }
            try site.settled()
            while let batch = try recorder.take() { given.formUnion(batch.lines) }
            #expect(reasons == ["first", ""] && round > 5, "\(reasons) \(round)")
            let listing = try Listing(roots)
            let missing = Set(listing.entries.keys).subtracting(given)
            #expect(missing.isEmpty, "seed \(seed): \(missing.sorted().prefix(5)) of \(missing.count)")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func whichPathsAndHow() throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            let strange = [
                Path(Array("new\nline".utf8)), Path([0x66, 0xFF, 0xFE]), Path("back\\slash"), Path("-dash"), Path(" "),
                Path([UInt8](repeating: 0x78, count: 255)),
            ]
            for name in strange { try Disk.write(site.root / name) }
            try site.start()
            let raw = try #require(try Recorder(site, "raw").take(["-0", "--under", "a-backup"]))
            #expect(raw.paths == Set([site.root] + strange.map { site.root / $0 }))
            let relative = try #require(try Recorder(site, "relative").take(["-0", "--relative-to", site.root.string]))
            #expect(relative.paths == Set([Path("./")] + strange.map { "./" + $0 }))
            let escaped = try #require(try Recorder(site, "lines").take())
            let paths = try escaped.lines.map { try ChangelogText.unescape($0.bytes[...]) }
            #expect(Set(paths) == Set(try site.list().entries.keys))

            let recorder = try Recorder(site, "kinds")
            _ = try recorder.take()
            let goneOnly = try Recorder(site, "gone")
            // Nothing that exists is gone, and so it need not be asked.
            #expect(try goneOnly.take(["--gone"]) == nil)
            try Disk.write(site.root / "stays")
            try Disk.unlink(site.root / "back\\slash")
            try Disk.write(site.roots[1] / "other")
            try site.settled()
            #expect(try goneOnly.take(["--gone"])?.lines == [Path(site.root.bytes + Array("/back\\134slash".utf8))])
            let existing = try #require(try recorder.take(["--existing", "--under", site.root.string]))
            #expect(existing.paths.contains(site.root / "stays"))
            #expect(!existing.paths.contains { $0.string.contains("134slash") || $0.isAtOrBelow(site.roots[1]) })
            // All of it is behind the cursor now.
            #expect(try recorder.take() == nil)
            for wrong in [["--existing", "--gone"], ["--max", "0"], ["--quiet", "1s"], ["--wait", "--loop"]] {
                #expect(try recorder.run(wrong).completed.status == .exited(2), "\(wrong)")
            }
            let apart = ["--relative-to", site.root.string, "--under", site.roots[1].string]
            #expect(try recorder.run(apart).completed.status == .exited(2))
            site.tracker.stop()
        }

        /// More than a pipe takes in one piece for certain (PIPE_BUF). Killed anywhere, no beginning of it is seen.
        @Test(.timeLimit(.minutes(1)), arguments: [[], ["-0"]])
        func pathsLongerThanAPieceOfAPipe(options: [String]) throws {
            let site = try Site()
            let long = try Self.makeDeep(in: site.root, bytes: 9_000)
            try site.tracker.start()
            let recorder = try Recorder(site)
            let whole = try #require(try recorder.take(options))
            #expect(whole.paths.contains(long), "\(whole.lines.last as Path?)")
            let known = whole.paths
            for round in 0..<Scale.pick(3, full: 40) {
                _ = try site.changes(["consumer", "reset", "copy"])
                // It reads so slowly that it is killed within the long ones, mostly.
                let slow = #"""
                    exec 9< /dev/stdin; : > "$0/part.$$"
                    while dd bs=1000 count=1 <&9 2> /dev/null > "$0/piece.$$" && [ -s "$0/piece.$$" ]; do
                        cat "$0/piece.$$" >> "$0/part.$$"; : > "$0/begun"
                    done
                    mv "$0/part.$$" "$0/$(date +%s%N).whole."
                    """#
                try? Disk.unlink(recorder.directory / "begun")
                let child = try recorder.launch(options, script: slow)
                #expect(wait(atMost: 10, every: 1) { Disk.exists(recorder.directory / "begun") })
                pause(milliseconds: round * 7 % 40)
                child.signal(SIGKILL)
                var batch: Recorder.Batch?
                let isWhole = try wait(atMost: 20) {
                    batch = try recorder.newBatches(isRaw: options == ["-0"]).last
                    return batch != nil
                }
                #expect(isWhole, "\(recorder.output)")
                #expect(batch?.paths.isSubset(of: known) == true, "round \(round)")
                // The lock goes with the command.
                #expect(try wait(atMost: 10) { try recorder.run(options + ["--max", "1"]).completed.isSuccess })
                _ = try recorder.newBatches()
            }
            site.tracker.stop()
        }

        /// Makes directories in each other, as far as no path reaches by name.
        ///
        /// - Returns: the path of the last one.
        private static func makeDeep(in root: Path, bytes: Int) throws -> Path {
            var path = root
            var held = OwnedDescriptor(owning: try Disk.check("open", root) { open($0, O_RDONLY | O_DIRECTORY) })
            let name = Path([UInt8](repeating: 0x64, count: 200))
            while path.bytes.count < bytes {
                try Disk.check("mkdirat", name) { mkdirat(held.number, $0, 0o755) }
                held = OwnedDescriptor(
                    owning: try Disk.check("openat", name) { openat(held.number, $0, O_RDONLY | O_DIRECTORY) })
                path = path / name
            }
            return path
        }

        @Test(.timeLimit(.minutes(1))) func signalsEndTheCommandToo() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            let waiting = #": > "$0/begun"; exec sleep 600"#
            for (number, ignored) in [(SIGTERM, false), (SIGINT, false), (SIGHUP, false), (SIGHUP, true)] {
                try? Disk.unlink(recorder.directory / "begun")
                let child = try recorder.launch(
                    [], script: ignored ? #"trap "" TERM; : > "$0/begun"; sleep 0.3; exit 0"# : waiting)
                #expect(wait(atMost: 10, every: 1) { Disk.exists(recorder.directory / "begun") }, "\(recorder.output)")
                child.signal(ignored ? SIGTERM : number)
                let expected: Int32 = 128 + (ignored ? SIGTERM : number)
                #expect(child.waitForExit(atMost: 10) == .exited(expected), "\(recorder.output)")
                // The command is gone, and its lock.
                #expect(try recorder.take(["--max", "1", "--gone"]) == nil)
                _ = try site.changes(["consumer", "reset", "copy"])
            }
            // Also a command that exits with 0 then moves nothing.
            #expect(try recorder.take()?.full == "requested")
            site.tracker.stop()
        }

        /// As nohup(1) and some supervisors start it.
        @Test(.timeLimit(.minutes(1))) func ignoredSignalsStayIgnored() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            var all = recorder.arguments([], script: #": > "$0/begun"; grep SigIgn /proc/self/status; sleep 0.5; cat"#)
            all.insert(contentsOf: ["--state", site.tracker.settings.state.string], at: 2)
            let output = site.scratch.path / "nohup.out"
            let child = try ChildProcess(
                ["perl", "-e", "$SIG{HUP} = $SIG{CHLD} = 'IGNORE'; exec @ARGV", Tracker.binary] + all,
                output: (output, output))
            #expect(wait(atMost: 10, every: 1) { Disk.exists(recorder.directory / "begun") })
            child.signal(SIGHUP)
            let said = { (try? Disk.read(output)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
            #expect(child.waitForExit(atMost: 10) == .exited(0), "\(said())")
            // SIGHUP is the lowest bit. SIGPIPE and SIGCHLD are as a new program expects them; above 31 are real-time
            // signals, of which the C library leaves some alone.
            let line = said().split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
            let ignored = line.flatMap { $0.split(separator: "\t").last }.flatMap { UInt64($0, radix: 16) }
            #expect(ignored.map { $0 & 0x7FFF_FFFF } == 1, "\(said())")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func withoutAStoreOrItsFirstWalk() throws {
            let site = try Site()
            let recorder = try Recorder(site)
            let none = try recorder.run()
            #expect(none.completed.status == .exited(69) && none.batch == nil, "\(none)")
            // Nothing is made where there is nothing.
            #expect(try Disk.names(of: site.tracker.settings.state).isEmpty)
        }

        @Test(.timeLimit(.minutes(1))) func aReplacedStoreGivesEverything() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            _ = try recorder.take()
            site.tracker.stop()
            for name in try Disk.names(of: site.tracker.settings.state) where name.string.hasPrefix("store.db") {
                try Disk.unlink(site.tracker.settings.state / name)
            }
            try Disk.write(site.root / "meanwhile")
            try site.tracker.start()
            let failed = try recorder.run(exit: 1)
            #expect(failed.completed.errors.contains("the store is another one"), "\(failed)")
            let batch = try #require(try recorder.take())
            #expect(batch.full == "store-replaced" && batch.paths.contains(site.root / "meanwhile"))
            #expect(try recorder.take() == nil)
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func removedHistoryGivesEverything() throws {
            let site = try Site()
            for number in 0..<20 { try Disk.write(site.root / Path("f\(number)")) }
            try site.start()
            let recorder = try Recorder(site)
            _ = try recorder.take()
            for number in 0..<5 { try Disk.append(site.root / Path("f\(number)"), [1]) }
            try site.settled()
            site.tracker.stop()
            // Kept for it, whatever the soft limit says.
            site.tracker.settings.more = "[store]\nmax_size = 1\n"
            try site.tracker.writeConfiguration()
            try site.tracker.start()
            try site.settled()
            #expect(try recorder.run(exit: 1).batch?.paths.contains(site.root / "f4") == true)
            site.tracker.stop()
            site.tracker.settings.more += "max_size_hard = 1\n"
            try site.tracker.writeConfiguration()
            try site.tracker.start()
            let isRemoved = try wait(atMost: 10) {
                try Path(site.changes(["consumer", "list"]).output).string.contains("was removed")
            }
            #expect(isRemoved, "\(site.diagnosis)")
            let status = try site.changes(["status"])
            #expect(status.status == .exited(1) && Path(status.output).string.contains("fell so far behind"))
            let (completed, batch) = try recorder.run()
            #expect(completed.isSuccess && completed.errors.contains("had not seen was removed"), "\(completed)")
            #expect(batch?.full == "history-removed")
            #expect(batch?.paths == Set(try site.list().entries.keys))
            #expect(try recorder.take() == nil)
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aFullDiskOfItsOwnLosesNothing() throws {
            let site = try Site()
            try site.start()
            let place = site.tracker.settings.state / "consumers"
            try Disk.makeDirectory(place)
            let mounted = try Mounted(tmpfsAt: place, size: "192k")
            let recorder = try Recorder(site)
            try Disk.withOpen(place / "fill", O_WRONLY | O_CREAT) { descriptor in
                let block = [UInt8](repeating: 1, count: 4_096)
                while Glibc.write(descriptor, block, block.count) > 0 {}
            }
            let full = try recorder.run()
            #expect(full.completed.status == .exited(74) && full.batch == nil, "\(full)")
            #expect(full.completed.errors.contains("space"), "\(full)")
            try Disk.unlink(place / "fill")
            _ = try recorder.take()
            try Disk.write(site.root / "one")
            try site.settled()
            // It fills up while the command runs: what it did is done once more.
            let filling = try site.changes(
                [
                    "consume", "copy", "--", "sh", "-c",
                    "cat > /dev/null; cat /dev/zero > \(place)/fill 2> /dev/null; exit 0",
                ])
            #expect(filling.status == .exited(74) && filling.errors.contains("space"), "\(filling)")
            try Disk.unlink(place / "fill")
            #expect(try recorder.take()?.paths.contains(site.root / "one") == true)
            #expect(try recorder.take() == nil)
            site.tracker.stop()
            try mounted.unmount()
        }
    }
}
