import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Renames of all sorts, seen live, in one gulp after a stop, and by the walk after a crash.
    @Suite struct MoveTests {
        @Test(.timeLimit(.minutes(3)), arguments: MoveScenario.groups)
        func nothingIsMissed(_ scenarios: MoveScenario.Group) throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            let modes = ["live", "stopped", "down"]
            for directory in site.roots + [site.outside] {
                for mode in modes { try Disk.makeDirectory(directory / Path(mode)) }
            }
            func stage(_ mode: String, _ number: Int) -> MoveScenario.Stage {
                let place = Path("\(mode)/\(number)")
                return MoveScenario.Stage(
                    here: site.roots[0] / place, there: site.roots[1] / place, outside: site.outside / place)
            }
            for (number, scenario) in scenarios.all.enumerated() {
                for stage in modes.map({ stage($0, number) }) {
                    for directory in [stage.here, stage.there, stage.outside] { try Disk.makeDirectory(directory) }
                    try scenario.prepare(stage)
                }
            }
            try site.start()
            for (number, scenario) in scenarios.all.enumerated() {
                try scenario.act(stage("live", number))
                try expectTouched(scenario, site, stage("live", number))
                // Each by itself where time is no matter: a failure of one then names it.
                if Scale.isFull { try site.expectComplete(note: "(\(scenario.name), live)") }
            }
            try site.expectComplete(note: "(\(scenarios), live)")
            func actAll(_ mode: String, then resume: () throws -> Void) throws {
                for (number, scenario) in scenarios.all.enumerated() { try scenario.act(stage(mode, number)) }
                try resume()
                for (number, scenario) in scenarios.all.enumerated() {
                    try expectTouched(scenario, site, stage(mode, number))
                }
                try site.expectComplete(note: "(\(scenarios), \(mode))")
            }
            try site.tracker.freeze()
            try actAll("stopped") { site.tracker.thaw() }
            site.tracker.kill9()
            try actAll("down") { try site.tracker.start() }
            site.tracker.stop()
        }

        private func expectTouched(_ scenario: MoveScenario, _ site: Site, _ stage: MoveScenario.Stage) throws {
            guard let touched = scenario.touched else { return }
            let isRecorded = try wait(atMost: 10) {
                try site.collect()
                return site.newRows.contains { $0.path == stage.there / touched }
            }
            #expect(isRecorded, "\(scenario.name): \(stage.there / touched) has no row\n\(site.diagnosis)")
        }

        /// A rename to an excluded name is a deletion, one from an excluded name a creation.
        @Test(.timeLimit(.minutes(1))) func excludedNamesAreOutside() throws {
            let site = try Site()
            let hidden = site.root / ".nfs000000001"
            try Disk.write(site.root / "silly")
            try site.start()
            try Disk.rename(site.root / "silly", hidden)
            let isGone = try wait(atMost: 10) {
                try site.collect()
                return site.newRows.contains { $0.path == site.root / "silly" && $0.kind == "deleted" }
            }
            #expect(isGone, "\(site.diagnosis)")
            try Disk.append(hidden, Array("more".utf8))
            try Disk.rename(hidden, site.root / "back")
            let isBack = try wait(atMost: 10) {
                try site.collect()
                return site.newRows.contains { $0.path == site.root / "back" }
            }
            #expect(isBack, "\(site.diagnosis)")
            #expect(!site.newRows.contains { $0.path == hidden })
            try site.expectComplete()
            site.tracker.stop()
        }

        /// Else a crash between the two would leave the second name without its record: the index knows an inode once.
        @Test(.timeLimit(.minutes(1))) func aChangeReachesAllNamesInOneTransaction() throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            let names = [site.roots[0] / "own", site.roots[0] / "second", site.roots[1] / "third"]
            try Disk.write(names[0])
            for name in names.dropFirst() { try Disk.link(names[0], name) }
            try site.start()
            for name in names {
                try Disk.append(name, Array("more".utf8))
                let isSeen = try wait(atMost: 10, every: 1) {
                    try site.collect()
                    return !site.newRows.isEmpty
                }
                #expect(isSeen, "\(site.diagnosis)")
                #expect(Set(site.newRows.map(\.path)) == Set(names), "after a write to \(name)")
                try site.expectComplete()
            }
            site.tracker.stop()
        }

        /// An inode number that comes back as something of another type, with two names as before.
        @Test(.timeLimit(.minutes(1)), arguments: [false, true]) func anInodeNumberThatIsAnotherType(whileDown: Bool)
            throws
        {
            let site = try Site()
            let (first, second) = (site.root / "first", site.root / "second")
            try Disk.write(first)
            try Disk.link(first, second)
            let inode = try Disk.status(first).st_ino
            try site.start()
            if whileDown { site.tracker.stop() } else { try site.tracker.freeze() }
            try Disk.unlink(first)
            try Disk.unlink(second)
            // The file system gives the number out again soon, if it does so at all.
            for attempt in 0..<1_000 {
                try Disk.symlink("target", at: first)
                if try Disk.status(first).st_ino == inode { break }
                try Disk.rename(first, site.outside / Path("\(attempt)"))
            }
            if !Disk.exists(first) { try Disk.symlink("target", at: first) }
            try Disk.link(first, second)
            if whileDown { try site.tracker.start() } else { site.tracker.thaw() }
            try site.expectComplete()
            site.tracker.stop()
        }

        /// A second change within a second waits. If its name goes meanwhile, the inode's other names still get theirs.
        @Test(.timeLimit(.minutes(1))) func whatWaitsForItsSecondReachesTheOtherNames() throws {
            let site = try Site()
            let (own, other) = (site.root / "own", site.root / "other")
            try Disk.write(own)
            try Disk.link(own, other)
            try site.start()
            func waitForRow(_ path: Path, since began: Timestamp) throws {
                let isThere = try wait(atMost: 10) {
                    try site.collect()
                    return site.newRows.contains { $0.path == path && $0.at >= began }
                }
                #expect(isThere, "\(path): \(site.diagnosis)")
            }
            var began = Timestamp.now
            try Disk.changeMode(own, 0o600)
            try waitForRow(other, since: began)
            began = .now
            // The same mode: only the event and the time of change tell of it.
            try Disk.changeMode(own, 0o600)
            // Its row says that the change before it was looked at too.
            try Disk.write(site.root / "marker")
            try waitForRow(site.root / "marker", since: began)
            try Disk.rename(own, site.root / "elsewhere")
            try waitForRow(other, since: began)
            try site.expectComplete()
            site.tracker.stop()
        }

        /// What a history row says does not change when its directory is renamed later.
        @Test(.timeLimit(.minutes(1))) func olderRowsKeepTheirPath() throws {
            let site = try Site()
            try site.start()
            try Disk.makeDirectory(site.root / "old")
            try Disk.write(site.root / "old/file")
            try site.expectComplete()
            try Disk.rename(site.root / "old", site.root / "new")
            try site.expectComplete()
            let history = History(state: site.tracker.settings.state)
            try history.refresh()
            let rows = history.rows.filter { $0.path.name == "file" }
            #expect(rows.map(\.path).contains(site.root / "old/file"))
            #expect(rows.last { $0.path == site.root / "old/file" }?.kind == "deleted")
            let moved = try #require(rows.last { $0.path == site.root / "new/file" })
            #expect(moved.kind == "moved" && moved.from == site.root / "old/file")
            site.tracker.stop()
        }
    }
}
