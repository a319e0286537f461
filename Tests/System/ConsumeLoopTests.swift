import Glibc
import LinuxKernel
import Testing

extension ConsumeSystemTests {
    /// `changes consume` that waits, and that goes on for ever.
    @Suite struct ConsumeLoopTests {
        private func end(_ child: ChildProcess, _ recorder: Recorder) {
            #expect(wait(atMost: 10, every: 1) { child.takesSignals }, "\(recorder.output)")
            child.signal(SIGTERM)
            #expect(child.waitForExit(atMost: 10) == .exited(128 + SIGTERM), "\(recorder.output)")
        }

        /// Waits until all of these were given.
        private func given(
            _ paths: Set<Path>, _ recorder: Recorder, atMost seconds: Double = 15,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> [Recorder.Batch] {
            var batches: [Recorder.Batch] = []
            let isGiven = try wait(atMost: seconds) {
                batches += try recorder.newBatches()
                return paths.isSubset(of: batches.reduce(into: Set<Path>()) { $0.formUnion($1.lines) })
            }
            #expect(isGiven, "\(batches)\n\(recorder.output)", sourceLocation: sourceLocation)
            return batches
        }

        @Test(.timeLimit(.minutes(1))) func waitingEndsWithTheFirstBatchOfItsOwn() throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            try site.start()
            let recorder = try Recorder(site)
            _ = try recorder.take()
            let child = try recorder.launch(["--wait", "--under", site.root.string])
            // Not for this one.
            try Disk.write(site.roots[1] / "other")
            try site.settled()
            let isPast = try wait(atMost: 10) { try site.cursorIsAtEnd(of: "copy") }
            #expect(isPast && child.isRunning, "\(recorder.output)")
            try Disk.write(site.root / "mine")
            #expect(child.waitForExit(atMost: 10) == .exited(0), "\(recorder.output)")
            #expect(try recorder.newBatches().last?.lines.contains(site.root / "mine") == true)
            // A signal ends the waiting.
            let waiting = try recorder.launch(["--wait", "--under", (site.root / "never").string])
            end(waiting, recorder)
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func aLoopGathersUntilItIsQuiet() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            let loop = try recorder.launch(["--loop", "--quiet", "500ms"])
            _ = try given([site.root], recorder)
            // Changes that follow each other closely are one batch.
            var paths: Set<Path> = []
            for number in 0..<15 {
                try Disk.write(site.root / Path("f\(number)"))
                paths.insert(site.root / Path("f\(number)"))
                pause(milliseconds: 10)
            }
            let batches = try given(paths, recorder)
            #expect(batches.count == 1, "\(batches)")
            end(loop, recorder)
            // But they wait no longer than they may.
            let hurried = try recorder.launch(["--loop", "--quiet", "1h", "--max-delay", "1s"])
            try Disk.write(site.root / "late")
            _ = try given([site.root / "late"], recorder)
            end(hurried, recorder)
            site.tracker.stop()
        }

        /// What is cut by --max goes on at once: no quiet time is waited for in between.
        @Test(.timeLimit(.minutes(1))) func aLoopCatchesUpAtOnce() throws {
            let site = try Site()
            for number in 0..<60 { try Disk.write(site.root / Path("old\(number)")) }
            try site.start()
            let recorder = try Recorder(site)
            let loop = try recorder.launch(["--loop", "--quiet", "600ms", "--max", "7"])
            let seconds = try measured { _ = try given(Set(site.before.entries.keys), recorder) }
            #expect(seconds < 4, "\(seconds)")
            for number in 0..<60 { try Disk.write(site.root / Path("new\(number)")) }
            let more = try measured { _ = try given(Set((0..<60).map { site.root / Path("new\($0)") }), recorder) }
            #expect(more < 4, "\(more)")
            end(loop, recorder)
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func aLoopOutlivesTheTrackerAndTheStore() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            let loop = try recorder.launch(["--loop", "--quiet", "1ms"])
            _ = try given([site.root], recorder)
            site.tracker.kill9()
            try Disk.write(site.root / "down")
            try site.tracker.start()
            _ = try given([site.root / "down"], recorder)
            site.tracker.stop()
            for name in try Disk.names(of: site.tracker.settings.state) where name.string.hasPrefix("store.db") {
                try Disk.unlink(site.tracker.settings.state / name)
            }
            try Disk.write(site.root / "without")
            try site.tracker.start()
            let all = try given([site.root / "without", site.root / "down"], recorder)
            #expect(all.last?.full == "store-replaced", "\(all)")
            try Disk.write(site.root / "after")
            _ = try given([site.root / "after"], recorder)
            #expect(loop.isRunning)
            // A loop whose own file went must not go on with one that nobody finds.
            try Disk.unlink(site.tracker.settings.state / "consumers/copy.db")
            try Disk.write(site.root / "last")
            #expect(loop.waitForExit(atMost: 20) == .exited(74), "\(recorder.output)")
            #expect(recorder.output.contains("start it again"))
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func aLoopTriesAgainAfterAFailure() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            let failing = #"if [ -e "$0/well" ]; then "# + "\n" + Recorder.script + "\nelse exit 9; fi"
            let loop = try recorder.launch(["--loop", "--quiet", "1ms"], script: failing)
            #expect(wait(atMost: 10) { recorder.output.contains("exit status 9") && loop.isRunning })
            let status = try site.changes(["status", "--json"])
            #expect(status.status == .exited(1))
            #expect(Path(status.output).string.contains("exit status was 9"), "\(status)")
            try Disk.write(recorder.directory / "well")
            _ = try given([site.root], recorder)
            #expect(try wait(atMost: 5) { try site.changes(["status"]).isSuccess })
            end(loop, recorder)
            site.tracker.stop()
        }

        /// A store whose first walk is not done says too little for a first run.
        @Test(.timeLimit(.minutes(1))) func theFirstWalkIsWaitedFor() throws {
            let site = try Site()
            for directory in 0..<40 {
                try Disk.makeDirectory(site.root / Path("d\(directory)"))
                for file in 0..<100 { try Disk.write(site.root / Path("d\(directory)/f\(file)"), []) }
            }
            let recorder = try Recorder(site)
            let all = Set(try site.list().entries.keys)
            try site.tracker.launch()
            var once: (completed: Completed, batch: Recorder.Batch?)?
            // There is no store yet, or an unfinished one, or a whole one: nothing in between is given.
            _ = try wait(atMost: 20, every: 1) {
                once = try recorder.run(["--wait"])
                return once?.completed.status != .exited(69)
            }
            #expect(once?.completed.isSuccess == true, "\(String(describing: once))")
            #expect(once?.batch?.paths == all, "\(once?.batch?.lines.count ?? 0) of \(all.count)")
            #expect(wait(atMost: 20) { site.tracker.notify.count(of: "READY") > 0 })
            site.tracker.stop()
        }
    }
}

extension ChildProcess {
    /// Whether it has come to where signals are something to read for it (signalfd(2)).
    fileprivate var takesSignals: Bool {
        let place = "/proc/\(pid)/fd"
        return ((try? Disk.names(of: Path(place))) ?? []).contains { name in
            (try? run(["readlink", "\(place)/\(name)"]).output)?.starts(with: "anon_inode:[signalfd]".utf8) == true
        }
    }
}

extension Site {
    /// Whether `changes consumer show` has nothing left for it.
    fileprivate func cursorIsAtEnd(of name: String) throws -> Bool {
        let shown = try changes(["consumer", "show", name])
        return Path(shown.output).string.contains("up to date")
    }
}
