import Glibc
import Testing

extension SyncSystemTests {
    /// What a destination has and the configuration no longer copies.
    @Suite struct SyncOrphansTests {
        private func text(_ site: SyncSite, _ words: String...) throws -> String {
            let listed = try run(
                [Tracker.binary, "sync", "orphans", SyncSite.name] + words
                    + ["--config", site.configuration.string, "--state", site.site.tracker.settings.state.string])
            #expect(listed.isSuccess, "\(listed)")
            return String(decoding: listed.output, as: UTF8.self)
        }

        private func configure(_ site: SyncSite, _ line: String) throws {
            try Disk.append(site.configuration, Array((line + "\n").utf8))
        }

        @Test(.timeLimit(.minutes(1))) func `what is excluded later is counted, listed and removed when asked`() throws
        {
            let site = try SyncSite()
            let root = site.site.root
            for name in ["keep", "cache", "cache/deep"] { try Disk.makeDirectory(root / Path(name)) }
            for name in ["keep/one", "keep/two.tmp", "cache/three", "cache/deep/four"] {
                try Disk.write(root / Path(name), Array(name.utf8))
            }
            try site.start()
            try site.syncFully()
            #expect(try text(site) == "")
            // DSM's own, which is nobody's orphan.
            try Disk.makeDirectory(site.copy / "@eaDir")
            try configure(site, #"exclude = ["cache", "*.tmp"]"#)
            try site.syncFully()
            #expect(try text(site) == "a-backup/cache  (4 paths)\na-backup/keep/two.tmp\n")
            #expect(try text(site, "--json").contains(#"{"path":"a-backup/cache","paths":4}"#))
            let status = try site.site.changes(["status"])
            let screen = String(decoding: status.output, as: UTF8.self)
            #expect(
                screen.contains("5 paths at the destination no longer copied: `changes sync orphans offsite`"),
                "\(screen)")
            let before = try Listing([site.copy])
            let refused = try site.sync("orphans", SyncSite.name, "--remove")
            #expect(refused.status == .exited(2) && refused.errors.contains("--yes"), "\(refused)")
            #expect(try Listing([site.copy]).entries == before.entries)

            let removed = try site.sync("orphans", SyncSite.name, "--remove", "--yes")
            #expect(removed.isSuccess && removed.errors.contains("5 deleted"), "\(removed)")
            #expect(try site.copied() == ["@eaDir", "a-backup", "a-backup/keep", "a-backup/keep/one"])
            #expect(try text(site) == "")
            // The time of the directory that lost a name is its source's.
            let time = try Disk.status(site.copy / "a-backup/keep").st_mtim.tv_sec
            #expect(try time == Disk.status(root / "keep").st_mtim.tv_sec)
            let verified = try site.verify()
            #expect(verified.isSuccess, "\(verified)")
        }

        @Test(.timeLimit(.minutes(1))) func `what is copied again is no orphan and is not removed`() throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "one.tmp")
            try site.start()
            try site.syncFully()
            try configure(site, #"exclude = ["*.tmp"]"#)
            try site.syncFully()
            #expect(try text(site) == "a-backup/one.tmp\n")
            try configure(site, #"include = ["one.tmp"]"#)
            #expect(try text(site) == "")
            let removed = try site.sync("orphans", SyncSite.name, "--remove", "--yes")
            #expect(removed.isSuccess && removed.errors.contains("no orphans"), "\(removed)")
            try site.syncFully()
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `a root that is taken out is an orphan without a full scan`() throws {
            let site = try SyncSite(roots: ["a-backup", "b-backup"])
            for root in site.site.roots {
                try Disk.makeDirectory(root / "d")
                try Disk.write(root / "d/one")
            }
            try site.start()
            try site.syncFully()
            site.site.tracker.stop()
            site.site.tracker.settings.roots = [site.site.root.string]
            try site.site.tracker.start()
            let synced = try site.sync()
            #expect(synced.isSuccess && !synced.errors.contains("full scan"), "\(synced)")
            #expect(try text(site) == "b-backup  (3 paths)\n")
            #expect(try site.copied().contains("b-backup/d/one"))
            let removed = try site.sync("orphans", SyncSite.name, "--remove", "--yes")
            #expect(removed.isSuccess, "\(removed)")
            #expect(try site.copied() == ["a-backup", "a-backup/d", "a-backup/d/one"])
            #expect(Disk.exists(site.site.roots[1] / "d/one"))
        }
    }
}
