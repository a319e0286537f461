import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// `pause`, `resume`, `reset`, `--dry-run`, and names of destinations.
    @Suite struct SyncSwitchTests {
        @Test(.timeLimit(.minutes(1))) func aPausedDestinationGetsNothing() throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "one")
            try site.start()
            try site.syncFully()
            #expect(try site.sync("pause").isSuccess)
            try Disk.write(site.site.root / "two")
            let paused = try site.sync()
            #expect(paused.status == .exited(75) && paused.errors.contains("resume"), "\(paused)")
            #expect(!Disk.exists(site.copy / "a-backup/two"))
            #expect(try site.sync("resume").isSuccess)
            try site.syncFully()
            try site.expectEqual()

            // Drift that nothing recorded is found by looking at everything.
            try Disk.unlink(site.copy / "a-backup/one")
            try site.syncFully()
            #expect(!Disk.exists(site.copy / "a-backup/one"))
            #expect(try site.sync("reset").isSuccess)
            try site.syncFully()
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `a worker resumes at once`() throws {
            let site = try SyncSite(settle: "60s")
            try site.start()
            try site.syncFully()
            let worker = try site.launch("--watch")
            defer { worker.signal(SIGTERM) }
            let record = site.site.tracker.settings.state / "consumers/offsite.worker"
            try #require(
                try wait(atMost: 20) { try String(decoding: Disk.read(record), as: UTF8.self).contains("mode watch") })
            #expect(try site.sync("pause").isSuccess)
            try Disk.makeDirectory(site.site.root / "new")
            try site.site.settled()
            #expect(try site.sync("resume").isSuccess)
            let isThere = wait(atMost: 5, every: 20) { Disk.exists(site.copy / "a-backup/new") }
            #expect(isThere, "\(site.errors)")
        }

        @Test(.timeLimit(.minutes(1))) func `before the tracker ever ran there is nothing to copy`() throws {
            let site = try SyncSite()
            try Disk.removeTree(site.site.tracker.settings.state)
            let early = try site.sync()
            #expect(early.status == .exited(69) && early.errors.contains("the tracker has not run yet"), "\(early)")
        }

        @Test(.timeLimit(.minutes(1))) func `a destination made ready has no last failure`() throws {
            let site = try SyncSite()
            try site.start()
            try site.syncFully()
            try Disk.removeTree(site.copy / ".nfs-changes")
            let refused = try site.sync()
            #expect(refused.errors.contains("run `changes sync init offsite`"), "\(refused)")
            func status() throws -> String {
                String(decoding: try site.site.changes(["status"]).output, as: UTF8.self)
            }
            #expect(try status().contains("its last run failed"))
            #expect(try site.sync("init", "--adopt").isSuccess)
            #expect(try !status().contains("its last run failed"))
        }

        @Test(.timeLimit(.minutes(1))) func aPauseStopsATransfer() throws {
            let site = try SyncSite(more: "bandwidth = \"2MB/s\"")
            try Disk.write(site.site.root / "small")
            try site.start()
            try site.syncFully()
            try Disk.write(site.site.root / "large", [UInt8](repeating: 0x61, count: 24 << 20))
            let worker = try site.launch()
            let temporary = site.copy / ".nfs-changes/tmp"
            try #require(try wait(atMost: 20, every: 5) { try !Disk.names(of: temporary).isEmpty }, "\(site.errors)")
            #expect(try site.sync("pause").isSuccess)
            #expect(worker.waitForExit(atMost: 6) == .exited(75), "\(site.errors)")
            #expect(site.errors.contains("resume") && !Disk.exists(site.copy / "a-backup/large"), "\(site.errors)")
            try Disk.write(site.site.root / "large", Array("smaller".utf8))
            #expect(try site.sync("resume").isSuccess)
            try site.syncFully()
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func progressIsShownAndTheSummaryStays() throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "file", [UInt8](repeating: 0x61, count: 300_000))
            try site.start()
            let shown = try site.sync("--progress")
            #expect(shown.isSuccess && shown.errors.contains("100%"), "\(shown)")
            #expect(shown.errors.contains(" files  292 KiB  100%  "), "\(shown)")
            #expect(shown.errors.contains("/s  0:00:00 left\u{1B}[K"), "\(shown)")
            #expect(shown.errors.contains("KiB sent") && !shown.errors.contains(" 0 B sent"), "\(shown)")
            let place = site.site.scratch.path / "back"
            let restored = try site.restore("a-backup", to: place, "--progress")
            #expect(restored.isSuccess && restored.errors.contains("1 file,"), "\(restored)")
        }

        /// At 4 MB/s, of which rsync tells once a second.
        @Test(.timeLimit(.minutes(1))) func theTimeLeftIsShownWhileAFileIsSent() throws {
            let site = try SyncSite(more: "bandwidth = \"4MB/s\"")
            for number in 0..<3 { try Disk.write(site.site.root / Path("a\(number)")) }
            try Disk.writeLarge(site.site.root / "large")
            try Disk.writeLarge(site.site.root / "larger", seed: 2)
            try site.start()
            let shown = try site.sync("--progress")
            let lines = shown.errors.split(separator: "\r").filter { $0.contains(" files  ") }
            // Some are done before the last one is; their count stays while that is sent.
            let amid = lines.filter { !$0.contains("100%") && $0.contains(" MiB  ") && $0.contains(" MiB/s  ") }
            #expect(shown.isSuccess && !amid.isEmpty, "\(shown)")
            #expect(amid.contains { $0.contains(" left") && !$0.contains("0:00:00 left") }, "\(shown)")
        }

        @Test(.timeLimit(.minutes(1))) func aDryRunWritesNothing() throws {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            for number in 0..<6 { try Disk.write(root / Path("f\(number)")) }
            try site.start()
            for isFirst in [true, false] {
                if !isFirst {
                    try site.syncFully()
                    for number in 0..<4 { try Disk.unlink(root / Path("f\(number)")) }
                    try Disk.write(root / "new")
                    try Disk.write(site.copy / "a-backup/extra")
                    // The tracker has recorded it before the listings are made.
                    try site.site.expectComplete()
                }
                let state = site.site.tracker.settings.state
                func list() throws -> [Path: ListedEntry] {
                    // What the tracker writes for itself goes on.
                    try Listing([state, site.copy]) { path in
                        ["store", "changelog"].contains { path.name.string.hasPrefix($0) }
                    }.entries
                }
                _ = try site.sync("--dry-run")
                let before = try list()
                for words in ["--dry-run", "--full"] {
                    let dry = try words == "--full" ? site.sync("--dry-run", words) : site.sync(words)
                    #expect(dry.isSuccess, "\(dry)")
                    let shown = String(decoding: dry.output, as: UTF8.self)
                    #expect(shown.contains("put     a-backup/\(isFirst ? "f5" : "new")\n"), "\(words): \(shown)")
                    if !isFirst { #expect(shown.contains("held    a-backup/f0\n"), "\(words): \(shown)") }
                    if !isFirst, words == "--full" {
                        #expect(
                            shown.contains("held    a-backup/extra\n") || shown.contains("delete  a-backup/extra\n"))
                    }
                    let after = try list()
                    // The directory for what passes through, which is empty again.
                    let passing = state / "offsite" / Path(SyncSite.name)
                    let changed = Set(before.keys).union(after.keys).filter {
                        before[$0] != after[$0] && $0 != passing && $0 != state
                    }
                    #expect(changed.isEmpty, "\(words): \(changed.sorted())")
                }
            }
        }

        @Test(.timeLimit(.minutes(1))) func unknownDestinationsAreRefused() throws {
            let site = try SyncSite()
            try site.start()
            for words in [["nowhere"], ["offsite", "nowhere"]] {
                let refused = try words.count > 1 ? site.sync(words[0], words[1]) : site.sync(words[0])
                #expect(refused.status == .exited(2) && refused.errors.contains("configured: offsite"), "\(refused)")
            }
            for command in ["init", "pause", "resume", "reset"] {
                let refused = try site.sync(command, "nowhere")
                #expect(refused.status == .exited(2) && refused.errors.contains("nowhere"), "\(refused)")
            }
            #expect(!Disk.exists(site.site.tracker.settings.state / "consumers/nowhere"))
        }
    }
}
