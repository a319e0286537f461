import Glibc
import LinuxKernel
import Testing

extension LogSystemTests {
    /// The text log, whatever others do to it.
    @Suite struct ChangelogTests {
        /// A wrong place shows at the start and not at night, when the first change comes.
        @Test(.timeLimit(.minutes(1))) func aLogThatCannotBeWrittenIsToldAtTheStart() throws {
            let site = try Site { settings, scratch in settings.log = scratch / "not there/changes.log" }
            try site.start()
            let isTold = wait(atMost: 10) { site.tracker.notify.status.contains("cannot append to the log") }
            #expect(isTold, "\(site.diagnosis)")
            try Disk.makeDirectory(site.scratch.path / "not there")
            let isWell = wait(atMost: 20) { site.tracker.notify.status.contains("log up to date") }
            #expect(isWell, "\(site.diagnosis)")
            site.tracker.stop()
        }

        /// Sequence numbers jump after a crash; what is owed does not.
        @Test(.timeLimit(.minutes(1))) func whatIsOwedIsCounted() throws {
            let site = try Site()
            try site.start()
            try Disk.write(site.root / "one")
            try site.expectComplete()
            site.tracker.kill9()
            try site.tracker.start()
            try site.expectComplete()
            try Disk.rename(site.tracker.settings.log, site.scratch.path / "moved.log")
            try Disk.makeDirectory(site.tracker.settings.log)
            try Disk.write(site.root / "two")
            let isTold = wait(atMost: 20) {
                let status = site.tracker.notify.status
                return status.contains(": 1 line owed") || status.contains(": 2 lines owed")
            }
            #expect(isTold, "\(site.diagnosis)")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(2)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aFullFileSystemIsMadeUpForInOrder() throws {
            let site = try Site()
            let mounted = try Mounted(tmpfsAt: site.scratch.path / "log", size: "1m")
            try site.start()
            for number in 0..<6_000 {
                let name = Path([UInt8](repeating: 0x6C, count: 200) + Array("-\(number)".utf8))
                try Disk.write(site.root / name, [])
            }
            let isTold = wait(atMost: 30) { site.tracker.notify.status.contains("log") }
            #expect(isTold, "\(site.diagnosis)")
            try mounted.remount("size=16m")
            try site.expectComplete(atMost: 30)
            try expectOrder(site)
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aReadOnlyFileSystemIsMadeUpFor() throws {
            let site = try Site()
            let mounted = try Mounted(tmpfsAt: site.scratch.path / "log")
            try site.start()
            try Disk.write(site.root / "first")
            try site.expectComplete()
            // An open file would make the remount EBUSY; a disk that fails does not ask.
            site.tracker.kill9()
            try mounted.remount("ro")
            try site.tracker.start()
            for number in 0..<100 { try Disk.write(site.root / Path("\(number)")) }
            let isRecorded = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.latest[site.root / "99"] != nil
            }
            #expect(isRecorded, "\(site.diagnosis)")
            #expect(!site.recorded.logged.contains(site.root / "99"))
            try mounted.remount("rw")
            try site.expectComplete()
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func aMissingDirectoryIsMadeUpFor() throws {
            let site = try Site()
            try Disk.removeTree(site.scratch.path / "log")
            try site.start()
            for number in 0..<100 { try Disk.write(site.root / Path("\(number)")) }
            let isRecorded = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.latest[site.root / "99"] != nil
            }
            #expect(isRecorded, "\(site.diagnosis)")
            if !Disk.exists(site.scratch.path / "log") { try Disk.makeDirectory(site.scratch.path / "log") }
            try site.expectComplete()
            try expectOrder(site)
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func nothingIsWrittenUnderAnEmptyMountPoint() throws {
            let site = try Site { settings, scratch in settings.requireMount = scratch / "log" }
            try site.start()
            try Disk.write(site.root / "early")
            let isRecorded = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.latest[site.root / "early"] != nil
            }
            #expect(isRecorded, "\(site.diagnosis)")
            #expect(wait(atMost: 10) { site.tracker.notify.status.contains("log") }, "\(site.diagnosis)")
            #expect(try Listing([site.scratch.path / "log"]).entries.count == 1)
            // The mount itself is the reason to try again: nobody waits for the next of the ever rarer attempts.
            let mounted = try Mounted(tmpfsAt: site.scratch.path / "log")
            let isPrompt = try wait(atMost: 2) {
                try Disk.exists(site.tracker.settings.log)
                    && ChangelogText.paths(Disk.read(site.tracker.settings.log)).contains(site.root / "early")
            }
            #expect(isPrompt, "\(site.diagnosis)")
            try site.expectComplete()
            site.tracker.stop()
            try mounted.unmount()
            #expect(try Listing([site.scratch.path / "log"]).entries.count == 1)
        }

        /// Rotated again and again while a storm runs: all generations together have every line, in order.
        @Test(.timeLimit(.minutes(2))) func movedAwayDuringAStorm() throws {
            let site = try Site()
            try site.start()
            let log = site.tracker.settings.log
            var generations: [Path] = []
            try storms(over: site) {
                pause(milliseconds: 20)
                let away = log + Path(".\(generations.count)")
                if Disk.exists(log) {
                    try Disk.rename(log, away)
                    generations.append(away)
                }
                return generations.count > 2
            }
            let expected = Completeness.expected(before: site.before, after: try site.list())
            var lines: [Path] = []
            let isComplete = try wait(atMost: 30, every: 100) {
                lines = try (generations + [log]).filter(Disk.exists).flatMap { try ChangelogText.paths(Disk.read($0)) }
                let all = Set(lines)
                let parents = Set(lines.map(\.parent))
                return expected.allSatisfy {
                    all.contains($0.path) || ($0.mayFollowFromEntries && parents.contains($0.path))
                }
            }
            #expect(isComplete && generations.count > 1, "\(site.diagnosis)")
            try site.history.refresh()
            let isOrdered = try wait(atMost: 10, every: 100) {
                lines = try (generations + [log]).filter(Disk.exists).flatMap { try ChangelogText.paths(Disk.read($0)) }
                return areTold(site.history.rows, by: lines)
            }
            #expect(
                isOrdered,
                "\(site.history.rows.count) rows, \(lines.count) lines in \(generations.count + 1) generations")
            site.tracker.stop()
        }

        /// Truncated while a storm runs: only what was in the file at that moment is gone.
        @Test(.timeLimit(.minutes(2))) func truncatedDuringAStorm() throws {
            let site = try Site()
            try site.start()
            let log = site.tracker.settings.log
            var lines: [Path] = []
            var truncations = 0
            try storms(over: site) {
                pause(milliseconds: 50)
                // Between the reading and the truncation nobody may append, or the test loses lines itself.
                try site.tracker.freeze()
                if Disk.exists(log) {
                    let text = try Disk.read(log)
                    #expect(text.isEmpty || text.last == 0x0A)
                    lines += try ChangelogText.paths(text)
                    try Disk.truncate(log, to: 0)
                    truncations += 1
                }
                site.tracker.thaw()
                return truncations > 2
            }
            let expected = Completeness.expected(before: site.before, after: try site.list())
            let isComplete = try wait(atMost: 30, every: 100) {
                let all = Set(lines + (try ChangelogText.paths(Disk.read(log))))
                let parents = Set(all.map(\.parent))
                return expected.allSatisfy {
                    all.contains($0.path) || ($0.mayFollowFromEntries && parents.contains($0.path))
                }
            }
            #expect(isComplete && truncations > 1, "\(site.diagnosis)")
            #expect(!(try Disk.read(log)).contains(0), "a hole: written at an old offset")
            site.tracker.stop()
        }

        /// Runs storms, one after the other, with `act` meanwhile, until it says that it has been done often enough.
        private func storms(over site: Site, _ act: () throws -> Bool) throws {
            var isEnough = false
            let deadline = Deadline(60)
            var round = 0
            while !isEnough && !deadline.isOver {
                round += 1
                let directory = site.root / "storm\(round)"
                try Disk.makeDirectory(directory)
                let writers = Writers(root: directory, files: Scale.pick(4_000, full: 60_000), writers: 4)
                while !writers.isFinished { isEnough = try act() }
                writers.join()
                #expect(writers.errors == [])
            }
        }

        private func expectOrder(_ site: Site, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try site.collect()
            let rows = site.history.rows
            let isOrdered = areTold(rows, by: site.log.lines)
            #expect(isOrdered, "\(rows.count) rows, \(site.log.lines.count) lines", sourceLocation: sourceLocation)
        }

        /// Whatever appeared or went has its line, in the rows' order, and whatever changed has one.
        private func areTold(_ rows: [HistoryRow], by lines: [Path]) -> Bool {
            let all = Set(lines)
            let logged = rows.filter { $0.kind != "baseline" && $0.kind != "untracked" }
            guard logged.allSatisfy({ all.contains($0.path) }) else { return false }
            return isSubsequence(
                logged.filter { ["created", "moved", "deleted"].contains($0.kind) }.map(\.path), of: lines)
        }

        /// True if `part` can be had from `whole` by leaving elements out.
        private func isSubsequence(_ part: [Path], of whole: [Path]) -> Bool {
            var rest = part[...]
            for element in whole where element == rest.first { rest.removeFirst() }
            return rest.isEmpty
        }
    }
}
