import ChangeStore
import Glibc
import LinuxKernel
import Testing

extension CommandSystemTests {
    /// How it behaves as a service.
    @Suite struct ServiceTests {
        @Test(.timeLimit(.minutes(1))) func aSecondTrackerIsRefused() throws {
            let site = try Site()
            try site.start()
            let second = try run(
                [
                    Tracker.binary, "track", "--config", site.tracker.configuration.string, "--root",
                    site.root.string, "--log", (site.scratch.path / "other.log").string, "--state",
                    site.tracker.settings.state.string,
                ], atMost: 10)
            #expect(second.status != .exited(0) && !second.errors.isEmpty, "\(second)")
            #expect(second.errors.contains(site.tracker.settings.state.string), "\(second.errors)")
            try Disk.write(site.root / "still-tracked")
            try site.expectComplete()
            // The lock dies with its holder.
            site.tracker.kill9()
            try site.tracker.start()
            site.tracker.stop()
        }

        /// What was looked at within the clock's granularity of its change is looked at again, so that a start does not
        /// have to take it for changed.
        @Test(.timeLimit(.minutes(1))) func aRestartRecordsNothingAgain() throws {
            let site = try Site()
            try site.start()
            for directory in 0..<20 {
                try Disk.makeDirectory(site.root / Path("d\(directory)"))
                for file in 0..<20 { try Disk.write(site.root / Path("d\(directory)/\(file)")) }
                try Disk.link(site.root / Path("d\(directory)/1"), site.root / Path("d\(directory)/link"))
            }
            try site.expectComplete()
            let isTrusted = try wait(atMost: 10, every: 50) { try racyEntries(site) == [] }
            let left = try racyEntries(site)
            #expect(isTrusted, "\(left)")
            let rows = site.history.rows.count
            site.tracker.stop()
            try site.tracker.start()
            try site.expectComplete()
            // The root itself, which has no parent to be marked in, may still be racy: README, "After a gap".
            let again = site.history.rows[rows...].filter { $0.path != site.root }
            #expect(again.isEmpty, "\(again.prefix(10))")
            site.tracker.stop()
        }

        /// The names that the index does not trust, the roots apart.
        private func racyEntries(_ site: Site) throws -> [String] {
            let reader = try IndexReader(stateDirectory: site.tracker.settings.state.bytes)
            return try reader.directories().flatMap { directory in
                try reader.entries(of: directory.id).filter(\.entry.attributes.isRacy)
                    .map { String(decoding: $0.name, as: UTF8.self) }
            }
        }

        /// A store that went away is not written any more, and nothing about that is silent.
        @Test(.timeLimit(.minutes(1)), arguments: [false, true]) func aStoreThatIsRemoved(whileRunning: Bool) throws {
            let site = try Site()
            try site.start()
            try Disk.write(site.root / "before")
            try site.expectComplete()
            let position = site.tracker.settings.state / Path("changelog.position")
            let isSaved = wait(atMost: 10) {
                (try? Disk.read(position)).map { !$0.suffix(3).elementsEqual(" 0\n".utf8) } ?? false
            }
            #expect(isSaved)
            if !whileRunning { site.tracker.stop() }
            for part in ["", "-wal", "-shm"] { try Disk.unlink(site.tracker.settings.state / Path("store.db" + part)) }
            if whileRunning {
                try Disk.write(site.root / "during")
            } else {
                try site.tracker.start()
            }
            let isTold = wait(atMost: 10) { site.tracker.errors.contains("critical: the store is a new one") }
            #expect(isTold, "\(site.diagnosis)")
            // What is there before the new store's first walk has ended is its baseline.
            let isWatching = wait(atMost: 10) {
                let lines = site.tracker.errors.split(separator: "\n")
                let told = lines.lastIndex { $0.contains("critical: the store is a new one") } ?? lines.endIndex
                return lines[told...].contains { $0.contains("every root is watched") }
            }
            #expect(isWatching, "\(site.diagnosis)")
            try Disk.write(site.root / "after")
            let isLogged = try wait(atMost: 10) {
                try site.log.refresh()
                return site.log.lines.contains(site.root / "after")
            }
            #expect(isLogged, "\(site.diagnosis)")
            site.tracker.stop()
        }

        /// The directory's own time tells of names that are excluded.
        @Test(.timeLimit(.minutes(1))) func excludedNamesChangeTheirDirectory() throws {
            let site = try Site()
            try Disk.makeDirectory(site.root / "directory")
            try site.start()
            try Disk.write(site.root / "directory/.nfs0001")
            let changed = try site.expectComplete()
            #expect(changed.contains(site.root / "directory"))
            site.tracker.stop()
        }

        /// The log and the state are never tracked, also where they are reached through a symlink.
        @Test(.timeLimit(.minutes(1))) func ownFilesBehindASymlinkAreNotTracked() throws {
            let site = try Site { settings, scratch in
                settings.log = scratch / "link/own.log"
                settings.state = scratch / "link/own-state"
            }
            try Disk.makeDirectory(site.root / "inside")
            try Disk.symlink(site.root / "inside", at: site.scratch.path / "link")
            // Making it would change the time of its directory, whenever that is looked at first.
            try Disk.write(site.root / "inside/own.log", [])
            try site.start()
            for name in ["one", "two"] {
                try Disk.write(site.root / Path(name))
                let isSeen = try wait(atMost: 10) {
                    try site.collect()
                    return site.recorded.logged.contains(site.root / Path(name))
                }
                #expect(isSeen, "\(site.diagnosis)")
            }
            #expect(!site.history.rows.contains { $0.path.isBelow(site.root / "inside") }, "\(site.history.rows)")
            let verified = try site.tracker.verifyIndex()
            #expect(verified.isSuccess, "\(verified)")
            site.tracker.stop()
        }

        @Test(
            .timeLimit(.minutes(1)),
            arguments: [
                ("[watch]\nrots = []\n", "rots"), ("[watch]\npoll_interval = \"often\"\n", "poll_interval"),
                ("[watch]\nexclude = 5\n", "exclude"), ("[store]\nmax_size = \"much\"\n", "max_size"),
            ])
        func aBadConfigurationEndsWith78(_ text: String, _ key: String) throws {
            let scratch = try Scratch()
            let file = scratch.path / "config.toml"
            try Disk.write(file, Array(text.utf8))
            for command in [["check-config"], ["track"]] {
                let ended = try run([Tracker.binary] + command + ["--config", file.string], atMost: 10)
                #expect(ended.status == .exited(78), "\(command): \(ended)")
                #expect(ended.errors.contains("\(file.string):2"), "\(ended.errors)")
                #expect(ended.errors.contains(key), "\(ended.errors)")
            }
        }

        /// SIGHUP in the middle of a storm: the new root is tracked, and the old one's events are not lost.
        @Test(.timeLimit(.minutes(2))) func aReloadAddsARootAndLosesNothing() throws {
            let site = try Site(roots: ["a-backup"]) { settings, scratch in
                settings.rootsInFile = true
                settings.roots = [(scratch / "srv/a-backup").string]
            }
            try Disk.makeDirectory(site.base / "b-backup")
            try Disk.write(site.base / "b-backup/existing")
            try site.start()
            let writers = Writers(root: site.root, files: 5_000, writers: 4)
            _ = wait(atMost: 30, every: 1) { writers.fileCount > 1_000 || writers.isFinished }
            site.tracker.settings.roots.append((site.base / "b-backup").string)
            try site.tracker.writeConfiguration()
            let ready = site.tracker.notify.count(of: "READY")
            site.tracker.signal(SIGHUP)
            #expect(
                wait(atMost: 20) { site.tracker.notify.count(of: "READY") > ready }, "\(site.diagnosis)")
            #expect(site.tracker.notify.count(of: "RELOADING") == 1)
            writers.join()
            try Disk.write(site.base / "b-backup/new")
            let changed = try site.expectComplete()
            #expect(changed.contains(site.base / "b-backup/new"))
            site.tracker.stop()
        }

        /// One thread stands still and the others go on: the pings to the watchdog stop, and come again with it.
        @Test(.timeLimit(.minutes(1)), arguments: ["tracker", "reader"])
        func aStuckThreadStopsThePings(_ name: String) throws {
            let site = try Site { settings, _ in settings.wrapper = ["env", "WATCHDOG_USEC=1000000"] }
            try site.start()
            var pings: Int { site.tracker.notify.count(of: "WATCHDOG") }
            #expect(wait(atMost: 10) { pings > 2 }, "\(site.diagnosis)")
            let holder = try StoppedThread(named: name, of: site.tracker.pid)
            try Disk.write(site.root / "waiting")
            var seen = (count: pings, since: Timestamp.now)
            let ended = wait(atMost: 20) {
                if pings != seen.count { seen = (pings, .now) }
                // Longer than three of the usual intervals.
                return Timestamp.now.nanoseconds - seen.since.nanoseconds > 800_000_000
            }
            #expect(ended, "the pings went on: \(site.diagnosis)")
            #expect(site.tracker.notify.status.contains("stuck: \(name)"), "\(site.tracker.notify.status)")
            #expect(site.tracker.isRunning)
            try holder.release()
            #expect(wait(atMost: 10) { pings > seen.count }, "\(site.diagnosis)")
            try site.expectComplete()
            site.tracker.stop()
        }
    }
}
