import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// What the guards count over a day, however many runs it takes.
    @Suite struct SyncMassChangeTests {
        private func fill(_ directory: Path, _ files: Int, bytes: Int = 100) throws {
            try Disk.makeDirectory(directory)
            for file in 0..<files { try Disk.write(directory / Path("f\(file)"), [UInt8](repeating: 1, count: bytes)) }
        }

        /// Its roots: `a-backup` with eight directories, `b-backup` with three files.
        private func site(_ more: String = "") throws -> SyncSite {
            let site = try SyncSite(roots: ["a-backup", "b-backup"], more: more, maxDelete: "30%")
            for number in 0..<8 { try fill(site.site.base / Path("a-backup/d\(number)"), 10) }
            for name in ["x", "y", "z"] { try Disk.write(site.site.base / Path("b-backup/\(name)"), Array(name.utf8)) }
            try site.start()
            try site.syncFully()
            return site
        }

        @Test(.timeLimit(.minutes(1))) func `a deletion that takes many runs is held, and stays allowed once it was`()
            throws
        {
            let site = try site()
            var isHeld = false
            for number in 0..<8 {
                try Disk.removeTree(site.site.base / Path("a-backup/d\(number)"))
                let run = try site.sync()
                if number == 0 { #expect(run.isSuccess, "\(run)") }
                isHeld = isHeld || run.status == .exited(1) && run.errors.contains("paths of a-backup are gone")
            }
            #expect(isHeld)
            #expect(try site.copied().filter { $0.hasPrefix("a-backup/d") }.count > 60)
            // Other roots go on.
            try Disk.unlink(site.site.base / "b-backup/x")
            #expect(try site.sync().status == .exited(1))
            #expect(!Disk.exists(site.copy / "b-backup/x"))

            try site.syncFully("--allow-deletes")
            try site.expectEqual()
            try Disk.write(site.site.base / "a-backup/new")
            for number in 0..<4 { try fill(site.site.base / Path("a-backup/e\(number)"), 10) }
            try site.syncFully()
            try Disk.removeTree(site.site.base / "a-backup/e0")
            let next = try site.sync()
            #expect(next.isSuccess, "\(next)")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1)), arguments: [[], ["--full"], ["--make-room"]] as [[String]])
        func `a root that is removed with its directory is held`(_ words: [String]) throws {
            let site = try site()
            let before = try site.copied().filter { $0.hasPrefix("b-backup") }
            try Disk.removeTree(site.site.base / "b-backup")
            for words in [words, []] {
                let run = try words.first.map { try site.sync($0) } ?? site.sync()
                #expect(run.status != .exited(0) && run.errors.contains("held"), "\(run)")
                #expect(try site.copied().filter { $0.hasPrefix("b-backup") } == before)
            }
        }

        @Test(.timeLimit(.minutes(1))) func `files that are written and renamed at once are overwritten files`() throws
        {
            let site = try SyncSite(maxOverwrite: "33%")
            let root = site.site.root
            for number in 0..<40 { try Disk.write(root / Path("f\(number)"), Array("precious \(number)".utf8)) }
            try site.start()
            try site.syncFully()
            for number in 0..<40 {
                try Disk.write(root / Path("f\(number)"), [UInt8](repeating: 0x78, count: 500))
                try Disk.rename(root / Path("f\(number)"), root / Path("f\(number).enc"))
            }
            let run = try site.sync()
            #expect(run.status == .exited(1) && run.errors.contains("held"), "\(run)")
            #expect(try site.copied().filter { !$0.hasSuffix(".enc") }.count >= 41)
        }

        @Test(.timeLimit(.minutes(1))) func `overwritten files that are put back are held no longer`() throws {
            let site = try SyncSite(maxOverwrite: "33%")
            let root = site.site.root
            for number in 0..<40 { try Disk.write(root / Path("f\(number)"), Array("precious \(number)".utf8)) }
            try site.start()
            try site.syncFully()
            let kept = site.site.scratch.path / "kept"
            try require(["cp", "-a", root.string, kept.string])
            for number in 0..<30 { try Disk.write(root / Path("f\(number)"), Array("ransomed \(number)".utf8)) }
            #expect(try site.sync().status == .exited(1))
            #expect(try Disk.read(site.copy / "a-backup/f0") == Array("precious 0".utf8))
            try require(["sh", "-c", "cp -p \(kept)/* \(root)/"])
            let run = try site.sync()
            #expect(run.isSuccess, "\(run)")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `a small root that is emptied is held`() throws {
            let site = try site()
            let root = site.site.base / "b-backup"
            for (name, isHeld) in [("x", false), ("y", true), ("z", true)] {
                try Disk.unlink(root / Path(name))
                let run = try site.sync()
                #expect(run.status == .exited(isHeld ? 1 : 0), "\(name): \(run)")
                #expect(Disk.exists(site.copy / "b-backup" / Path(name)) == isHeld)
            }
            // What it says is of this run.
            let status = try site.site.changes(["status", "--json"])
            #expect(
                String(decoding: status.output, as: UTF8.self).contains("2 paths of b-backup are gone"), "\(status)")
            for name in ["y", "z"] { try Disk.write(root / Path(name)) }
            try site.syncFully()
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `two dumps of which the older goes are never held`() throws {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            for night in 1...2 { try Disk.write(root / Path("db-2026-11-\(night).sql.gz"), Array("\(night)".utf8)) }
            try site.start()
            try site.syncFully()
            for night in 3...6 {
                let name = Path("db-2026-11-\(night).sql.gz")
                try Disk.write(root / (name + ".part"), Array("\(night)".utf8))
                if night % 2 == 0 { try site.syncFully(note: "\(night), unfinished") }
                try Disk.rename(root / (name + ".part"), root / name)
                try site.syncFully(note: "\(night), new")
                try Disk.unlink(root / Path("db-2026-11-\(night - 2).sql.gz"))
                let old = try site.sync()
                #expect(old.isSuccess, "night \(night): \(old)")
            }
            try site.expectEqual()
            try Disk.unlink(root / "db-2026-11-5.sql.gz")
            let held = try site.sync()
            #expect(held.status == .exited(1), "\(held)")
            #expect(Disk.exists(site.copy / "a-backup/db-2026-11-5.sql.gz"))
        }

        @Test(.timeLimit(.minutes(1))) func `the older dump goes once the new one is there, whichever comes first`()
            throws
        {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            func dump(_ night: Int) -> Path { root / Path("db-2026-11-\(night).sql.gz") }
            let content = [UInt8](repeating: 1, count: 1_000)
            for night in 1...2 { try Disk.write(dump(night), content) }
            try site.start()
            try site.syncFully()
            for night in 3...5 {
                try Disk.unlink(dump(night - 2))
                let gone = try site.sync()
                #expect(gone.status == .exited(1) && gone.errors.contains("1 of 2 paths of a-backup"), "\(gone)")
                // A part of it makes the root no whole one.
                try Disk.write(dump(night), [1])
                #expect(try site.sync().status == .exited(1))
                #expect(Disk.exists(site.copy / "a-backup/db-2026-11-\(night - 2).sql.gz"))
                try Disk.write(dump(night), content)
                let whole = try site.sync()
                #expect(whole.isSuccess && whole.errors.contains("a-backup is whole again"), "\(night): \(whole)")
                try site.expectEqual(note: "\(night)")
                let again = try site.sync()
                #expect(again.isSuccess, "\(again)")
            }
        }

        @Test(.timeLimit(.minutes(1))) func `a root that is renamed and accepted leaves nothing that waits`() throws {
            let site = try site()
            try Disk.makeDirectory(site.site.base / "b-backup/d")
            try Disk.write(site.site.base / "b-backup/d/in")
            try site.syncFully()
            try Disk.rename(site.site.base / "b-backup", site.site.base / "c-backup")
            let isAway = try wait(atMost: 10, every: 100) { try site.sync().errors.contains("b-backup is missing") }
            #expect(isAway)
            let state = site.site.tracker.settings.state.string
            let accepted = try run([
                Tracker.binary, "accept", "\(site.site.base)/b-backup", "--state", state,
            ])
            #expect(accepted.isSuccess, "\(accepted)")
            #expect(try site.sync().status == .exited(1))
            let allowed = try site.sync("--allow-deletes")
            #expect(allowed.isSuccess && !allowed.errors.contains("postponed"), "\(allowed)")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `links whose inode stays are no lost bytes, and large files are`() throws {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            for week in ["one", "two", "three"] {
                try Disk.makeDirectory(root / Path(week))
                if week == "one" {
                    for file in 0..<10 {
                        try Disk.write(root / Path("one/f\(file)"), [UInt8](repeating: 1, count: 10_000))
                    }
                } else {
                    for file in 0..<10 { try Disk.link(root / Path("one/f\(file)"), root / Path("\(week)/f\(file)")) }
                }
            }
            for file in 0..<200 { try Disk.write(root / Path("small\(file)"), [1]) }
            try site.start()
            try site.syncFully()
            // 100 kB of 100, by name.
            try Disk.removeTree(root / "two")
            let links = try site.sync()
            #expect(links.isSuccess, "\(links)")
            try site.expectEqual()
            // Few paths, and nearly all of the bytes.
            for week in ["one", "three"] {
                for file in 0..<5 { try Disk.unlink(root / Path("\(week)/f\(file)")) }
            }
            let held = try site.sync()
            #expect(held.status == .exited(1) && held.errors.contains("% of the bytes"), "\(held)")
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
        }

        // MARK: Overwrites

        private func overwritten() throws -> SyncSite {
            let site = try SyncSite(maxDelete: "30%", maxOverwrite: "33%")
            try fill(site.site.root / "d", 60)
            try Disk.link(site.site.root / "d/f0", site.site.root / "d/link")
            try site.start()
            try site.syncFully()
            return site
        }

        @Test(.timeLimit(.minutes(1))) func `mass overwrites are held and new files go`() throws {
            let site = try overwritten()
            let (root, copy) = (site.site.root, site.copy / "a-backup")
            let old = try Disk.read(copy / "d/f1")
            for file in 0..<40 {
                try Disk.write(
                    root / Path("d/f\(file)"),
                    Array("encrypted \(file), and of about the same length as ever, more or less".utf8))
                // Fewer than twenty in one run.
                if file == 10 { try site.syncFully() }
            }
            try Disk.write(root / "new", Array("note".utf8))
            try Disk.unlink(root / "d/f59")
            let held = try site.sync()
            #expect(held.status == .exited(1) && held.errors.contains("max_overwrite"), "\(held)")
            #expect(try Disk.read(copy / "d/f20") == old && Disk.exists(copy / "new") && Disk.exists(copy / "d/f59"))
            let status = try site.site.changes(["status"])
            #expect(String(decoding: status.output, as: UTF8.self).contains("overwritten files are held"), "\(status)")
            for words in [[], ["--full"], ["--allow-deletes"]] {
                let again = try site.sync(words: words)
                #expect(again.status == .exited(1), "\(words): \(again)")
                #expect(try Disk.read(copy / "d/f20") == old, "\(words)")
            }
            #expect(!Disk.exists(copy / "d/f59"))
            try site.syncFully("--allow-overwrites")
            try site.expectEqual()
            for file in 0..<40 { try Disk.write(root / Path("d/f\(file)"), Array("once more".utf8)) }
            let usual = try site.sync()
            #expect(usual.isSuccess, "\(usual)")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `malware that renames what it encrypts leaves the copy as it was`() throws {
            for isInPlace in [true, false] {
                let site = try overwritten()
                let (root, copy) = (site.site.root, site.copy / "a-backup")
                for file in 0..<60 {
                    let name = Path("d/f\(file)")
                    if isInPlace {
                        try Disk.write(root / name, Array("encrypted".utf8))
                        try Disk.rename(root / name, root / (name + ".locked"))
                    } else {
                        try Disk.write(root / (name + ".locked"), Array("encrypted".utf8))
                        try Disk.unlink(root / name)
                    }
                    if file % 15 == 14 { _ = try site.sync() }
                }
                #expect(try site.sync().status == .exited(1))
                let left = try Disk.names(of: copy / "d").filter { !$0.string.hasSuffix(".locked") }
                #expect(left.count >= 42, "\(isInPlace): \(left.count)")
            }
        }

        @Test(.timeLimit(.minutes(1))) func `a dump that is overwritten every night is not held`() throws {
            let site = try SyncSite(maxDelete: "30%", maxOverwrite: "33%")
            for night in 0..<4 {
                try Disk.write(site.site.root / "latest.sql.gz", Array("night \(night)".utf8))
                if night == 0 { try site.start() }
                try site.syncFully(note: "night \(night)")
            }
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `a write to a file with many names counts once`() throws {
            let site = try SyncSite(maxOverwrite: "33%")
            let root = site.site.root
            try Disk.write(root / "f", [UInt8](repeating: 1, count: 1_000))
            try Disk.write(root / "other", [UInt8](repeating: 1, count: 9_000))
            for name in 0..<50 { try Disk.link(root / "f", root / Path("link\(name)")) }
            try site.start()
            try site.syncFully()
            try Disk.write(root / "link7", [UInt8](repeating: 2, count: 1_000))
            let run = try site.sync()
            #expect(run.isSuccess, "\(run)")
            try site.expectEqual()
        }

        // MARK: Two hosts

        @Test(.timeLimit(.minutes(1))) func `two hosts with one target do not overwrite each other`() throws {
            let one = try SyncSite()
            let two = try SyncSite(target: one.copy.string, copy: one.copy)
            try Disk.write(one.site.root / "file", Array("one".utf8))
            try Disk.write(two.site.root / "file", Array("second".utf8))
            try one.start()
            try two.start()
            try one.syncFully()
            let refused = try two.sync()
            #expect(refused.status == .exited(78) && refused.errors.contains("another store"), "\(refused)")
            #expect(try Disk.read(one.copy / "a-backup/file") == Array("one".utf8))
            #expect(try two.sync("init", "--adopt").isSuccess)
            _ = try two.sync()
            #expect(try Disk.read(one.copy / "a-backup/file") == Array("second".utf8))
            try Disk.write(one.site.root / "file", Array("three".utf8))
            let other = try one.sync()
            #expect(other.status == .exited(78), "\(other)")
            #expect(try Disk.read(one.copy / "a-backup/file") == Array("second".utf8))
        }

        // MARK: Room

        @Test(
            .thorough, .timeLimit(.minutes(2)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func `a transfer ends when min_free is reached`() throws {
            let site = try SyncSite(more: "min_free = \"24MiB\"\nbandwidth = \"10MB/s\"")
            let mounted = try Mounted(tmpfsAt: site.copy, size: "32m")
            defer { withExtendedLifetime(mounted) {} }
            try site.start()
            for number in 0..<2 {
                try Disk.write(
                    site.site.root / Path("large\(number)"), [UInt8](repeating: UInt8(number), count: 14 << 20))
            }
            let full = try site.sync()
            #expect(full.status == .exited(75) && full.errors.contains("too little room"), "\(full)")
            #expect(!Disk.exists(site.copy / "a-backup/large1"))
            try mounted.remount("size=128m")
            try site.syncFully()
            try site.expectEqual()
            try site.expectNoLeftovers()
        }
    }
}
