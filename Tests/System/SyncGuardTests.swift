import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// What `changes sync` must never do: delete at a destination because something is wrong with the source, with its
    /// own state, or with the destination.
    @Suite struct SyncGuardTests {
        /// A site whose root has some files that are copied.
        private func filledSite(_ names: [String] = ["one", "two", "three"], maxDelete: String = "100%") throws
            -> SyncSite
        {
            let site = try SyncSite(maxDelete: maxDelete)
            for name in names { try Disk.write(site.site.root / Path(name), Array(name.utf8)) }
            try site.start()
            try site.syncFully()
            return site
        }

        /// Expects a run that deletes nothing, says why, and exits 1; and one that is allowed to, and makes both equal.
        private func expectHeld(
            _ site: SyncSite, _ extras: [String], because reason: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            for _ in 0..<2 {
                let held = try site.sync()
                #expect(held.status == .exited(1), "\(held)", sourceLocation: sourceLocation)
                #expect(
                    held.errors.contains(" held (\(reason)"), "\(held)", sourceLocation: sourceLocation)
                let copied = try site.copied()
                for extra in extras { #expect(copied.contains(extra), "\(copied)", sourceLocation: sourceLocation) }
            }
            let dry = try site.sync("--dry-run")
            let shown = String(decoding: dry.output, as: UTF8.self)
            for extra in extras {
                #expect(shown.contains("held    \(extra)\n"), "\(dry) \(shown)", sourceLocation: sourceLocation)
            }
            let allowed = try site.sync("--allow-deletes")
            #expect(allowed.isSuccess, "\(allowed)", sourceLocation: sourceLocation)
            try site.expectEqual(sourceLocation: sourceLocation)
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)", sourceLocation: sourceLocation)
        }

        // MARK: Whose copy it is

        @Test(.timeLimit(.minutes(1))) func aTargetWithFilesIsTakenOverOnlyWhenAsked() throws {
            let site = try SyncSite()
            for name in ["same", "other"] { try Disk.write(site.site.root / Path(name), Array(name.utf8)) }
            try require(["cp", "-a", site.site.root.string, site.copy.string])
            try Disk.write(site.copy / "a-backup/other", Array("another content".utf8))
            try Disk.write(site.copy / "a-backup/extra")
            let before = try Listing([site.copy])
            #expect(throws: CommandFailed.self) { try site.start() }
            #expect(try Listing([site.copy]).entries == before.entries)
            let refused = try site.sync()
            #expect(refused.status == .exited(69) && refused.errors.contains("has no marker"), "\(refused)")
            #expect(try Listing([site.copy]).entries == before.entries)

            let made = try site.sync("init", "--adopt")
            #expect(made.isSuccess, "\(made)")
            let same = try Disk.status(site.copy / "a-backup/same").st_ino
            try expectHeld(site, ["a-backup/extra"], because: "it is the first run")
            #expect(try Disk.status(site.copy / "a-backup/same").st_ino == same, "what was equal was sent")
        }

        /// Expects runs that write nothing at all, and that the copy is taken over when that is asked for.
        private func expectRefused(
            _ site: SyncSite, _ extras: [String], because reason: String, isKnown: Bool = false,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let before = try Listing([site.copy])
            // It has this host's marker in any case.
            for words in [[], ["--full"], ["--allow-deletes"]] + (isKnown ? [] : [["init"]]) {
                let refused = try site.sync(words: words)
                #expect(refused.status == .exited(78), "\(words): \(refused)", sourceLocation: sourceLocation)
                #expect(refused.errors.contains("--adopt"), "\(refused)", sourceLocation: sourceLocation)
                if words != ["init"] {
                    #expect(refused.errors.contains(reason), "\(refused)", sourceLocation: sourceLocation)
                }
                #expect(try Listing([site.copy]).entries == before.entries, sourceLocation: sourceLocation)
            }
            let adopted = try site.sync("init", "--adopt")
            #expect(adopted.isSuccess, "\(adopted)", sourceLocation: sourceLocation)
            let next = try site.sync()
            #expect(next.status == .exited(1), "\(next)", sourceLocation: sourceLocation)
            #expect(
                next.errors.contains("deletions are held (it is the first run")
                    || next.errors.contains("deletions are held (the copy has just been taken over"),
                "\(next)", sourceLocation: sourceLocation)
            let copied = try site.copied()
            for extra in extras { #expect(copied.contains(extra), "\(copied)", sourceLocation: sourceLocation) }
            try site.syncFully("--allow-deletes", sourceLocation: sourceLocation)
            try site.expectEqual(sourceLocation: sourceLocation)
        }

        /// State lost, the host installed anew, and the first dumps are there: the day on which the copy is needed.
        @Test(.timeLimit(.minutes(1))) func `a new store writes nothing to the copy of another`() throws {
            let site = try filledSite()
            site.site.tracker.stop()
            for name in ["one", "two", "three"] { try Disk.unlink(site.site.root / Path(name)) }
            try Disk.write(site.site.root / "fresh")
            let state = site.site.scratch.path / "new-state"
            try Disk.makeDirectory(state)
            site.site.tracker.settings.state = state
            try site.site.tracker.start()
            try expectRefused(
                site, ["a-backup/one", "a-backup/three", "a-backup/two"],
                because: "this copy was made from another store")
        }

        @Test(.timeLimit(.minutes(1))) func `nothing is written to the copy of another host`() throws {
            let site = try filledSite()
            let marker = site.copy / ".nfs-changes/marker"
            let text = String(decoding: try Disk.read(marker), as: UTF8.self)
            let machine = try #require(text.split(separator: "\n").first { $0.hasPrefix("machine ") })
            try Disk.write(
                marker, Array((text.replacing(machine, with: "machine 00000000000000000000000000000000")).utf8))
            try Disk.write(site.copy / "a-backup/theirs")
            try Disk.unlink(site.site.root / "one")
            try Disk.write(site.site.root / "two", Array("empty".utf8))
            try expectRefused(
                site, ["a-backup/one", "a-backup/theirs"], because: "another host wrote this copy before")
        }

        /// A state directory from a backup: what was carried since is unknown to it.
        @Test(.timeLimit(.minutes(1))) func `a state that went back writes nothing`() throws {
            let site = try filledSite()
            let state = site.site.tracker.settings.state
            let old = site.site.scratch.path / "old-state"
            site.site.tracker.stop()
            try require(["cp", "-a", state.string, old.string])
            try site.site.tracker.start()
            try Disk.write(site.site.root / "later")
            try Disk.write(site.site.root / "changed", Array("1".utf8))
            try site.syncFully()
            site.site.tracker.stop()
            try Disk.removeTree(state)
            try Disk.rename(old, state)
            // The source went back, too.
            try Disk.unlink(site.site.root / "later")
            try site.site.tracker.start()
            try Disk.unlink(site.site.root / "one")
            try Disk.write(site.site.root / "changed", Array("older".utf8))
            try expectRefused(
                site, ["a-backup/later", "a-backup/one"], because: "the copy is newer than what this host knows of it",
                isKnown: true)
        }

        /// An empty volume in the place of the copy, made ready by `init`, and one that went back to a snapshot.
        @Test(.timeLimit(.minutes(1))) func anotherVolumeIsFilled() throws {
            let site = try filledSite()
            let snapshot = site.site.scratch.path / "snapshot"
            try require(["cp", "-a", site.copy.string, snapshot.string])
            try Disk.write(site.site.root / "four")
            try site.syncFully()
            try require(["rsync", "-aI", "--delete", snapshot.string + "/", site.copy.string + "/"])
            try Disk.write(site.site.root / "five")
            let back = try site.sync()
            #expect(back.isSuccess && back.errors.contains("older than what was copied"), "\(back)")
            try site.expectEqual()

            for name in try Disk.names(of: site.copy) { try Disk.removeTree(site.copy / name) }
            let missing = try site.sync()
            #expect(missing.status == .exited(69) && missing.errors.contains("has no marker"), "\(missing)")
            #expect(try Disk.names(of: site.copy).isEmpty)
            #expect(try site.sync("init").isSuccess)
            let filled = try site.sync()
            #expect(filled.isSuccess, "\(filled)")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func aForeignMarkerIsRefused() throws {
            let site = try filledSite()
            let marker = site.copy / ".nfs-changes/marker"
            let text = String(decoding: try Disk.read(marker), as: UTF8.self)
            try Disk.write(site.site.root / "new")
            for changed in [text.replacing("destination offsite", with: "destination other"), "nonsense\n"] {
                try Disk.write(marker, Array(changed.utf8))
                let refused = try site.sync()
                #expect(refused.status == .exited(78) && refused.errors.contains("the marker of"), "\(refused)")
                #expect(!Disk.exists(site.copy / "a-backup/new"))
            }
            try Disk.write(marker, Array(text.utf8))
            try site.syncFully()
            try site.expectEqual()
        }

        // MARK: What is wrong with the source

        /// Nothing is deleted in a run and in one that looks at everything.
        private func expectKept(
            _ site: SyncSite, _ names: [String], note: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            for words in [[], ["--full"]] {
                let completed = try words.isEmpty ? site.sync() : site.sync(words[0])
                let copied = try site.copied()
                for name in names {
                    #expect(
                        copied.contains(name), "\(note) \(words): \(completed) \(copied)",
                        sourceLocation: sourceLocation)
                }
            }
        }

        private static let names = ["a-backup/one", "a-backup/three", "a-backup/two"]

        @Test(.timeLimit(.minutes(1))) func aRootThatIsAwayDeletesNothing() throws {
            let site = try filledSite()
            let root = site.site.root
            let elsewhere = site.site.scratch.path / "elsewhere"
            try Disk.rename(root, elsewhere)
            try expectKept(site, Self.names, note: "missing")
            try Disk.makeDirectory(root)
            try expectKept(site, Self.names, note: "replaced")
            try Disk.write(root / "new")
            try expectKept(site, Self.names, note: "replaced and filled")
            try Disk.removeTree(root)
            try Disk.rename(elsewhere, root)
            try Disk.write(root / "four")
            try site.syncFully()
            try site.expectEqual()

            let base = site.site.base
            try Disk.rename(base, base + ".away")
            try expectKept(site, Self.names, note: "source missing")
            try Disk.makeDirectory(base)
            try expectKept(site, Self.names, note: "source empty")
            try Disk.removeDirectory(base)
            try Disk.rename(base + ".away", base)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func whatIsUnmountedIsNotDeleted() throws {
            let site = try SyncSite()
            let root = site.site.root
            let mounted = try Mounted(tmpfsAt: root)
            try Disk.makeDirectory(root / "data")
            let inner = try Mounted(tmpfsAt: root / "data")
            for name in ["one", "two", "data/three"] { try Disk.write(root / Path(name)) }
            let names = ["a-backup/one", "a-backup/two", "a-backup/data/three"]
            try site.start()
            try site.syncFully()
            try inner.unmount(lazily: true)
            try expectKept(site, names, note: "a file system in the root is not mounted")
            try mounted.unmount(lazily: true)
            try expectKept(site, names, note: "the root is not mounted")
        }

        /// While rsync is at work, a file system goes, and a directory goes and comes back.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func whatGoesDuringARunIsNotDeleted() throws {
            let site = try SyncSite()
            let root = site.site.root
            for name in ["data", "dir"] { try Disk.makeDirectory(root / Path(name)) }
            let mounted = try Mounted(tmpfsAt: root / "data")
            for name in ["data/one", "dir/one", "gone"] { try Disk.write(root / Path(name)) }
            try site.start()
            try site.syncFully()
            let fake = try site.fake([.waits])
            for name in ["data/two", "dir/two", "dir/one", "data/one"] {
                try Disk.write(root / Path(name), Array("more".utf8))
            }
            try Disk.unlink(root / "gone")
            let worker = try site.launch(environment: fake.environment)
            try fake.waitForCall()
            try mounted.unmount(lazily: true)
            try Disk.rename(root / "dir", site.site.outside / "dir")
            try fake.release()
            let status = worker.waitForExit(atMost: 30)
            #expect(status != nil)
            let copied = try site.copied()
            #expect(copied.contains("a-backup/data/one") && copied.contains("a-backup/dir/one"), "\(copied)")
            try Disk.rename(site.site.outside / "dir", root / "dir")
            // What was set aside meanwhile is looked at again.
            #expect(try site.sync("resume").isSuccess)
            _ = try site.sync()
            let after = try site.copied()
            #expect(after.contains("a-backup/data/one"), "\(after)")
            for name in ["one", "two"] {
                #expect(try Disk.read(site.copy / "a-backup/dir" / Path(name)) == Disk.read(root / "dir" / Path(name)))
            }
            #expect(!Disk.exists(site.copy / "a-backup/gone"))
        }

        // MARK: Where nothing may go

        @Test(.timeLimit(.minutes(1))) func aTargetInTheSourceIsRefused() throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "file")
            try site.site.start()
            try Disk.makeDirectory(site.site.base / "inside")
            try Disk.makeDirectory(site.site.root / "inside")
            let link = site.site.scratch.path / "link"
            try Disk.symlink(site.site.root / "inside", at: link)
            let places = [
                site.site.root / "inside", site.site.base / "inside", site.site.scratch.path, site.site.base, link,
            ]
            for place in places {
                let text = """
                    [[destination]]
                    name = "offsite"
                    source = "\(site.site.base)"
                    target = "\(place)"

                    """
                try Disk.write(site.configuration, Array(text.utf8))
                for words in [["init", "--adopt"], ["init"]] {
                    let made = try words.count > 1 ? site.sync(words[0], words[1]) : site.sync(words[0])
                    #expect(made.status == .exited(78), "\(place): \(made)")
                }
                let refused = try site.sync()
                #expect(refused.status == .exited(78), "\(place): \(refused)")
                #expect(!Disk.exists(place / ".nfs-changes"))
            }
        }

        /// DSM's own directories and the worker's are in nobody's way, and stay.
        @Test(.timeLimit(.minutes(1))) func foreignDirectoriesStay() throws {
            let site = try filledSite()
            let foreign = ["@eaDir", "#recycle", "#snapshot", "a-backup/@eaDir", "a-backup/#recycle"]
            for name in foreign {
                try Disk.makeDirectory(site.copy / Path(name))
                try Disk.write(site.copy / Path(name) / "theirs")
            }
            try Disk.write(site.copy / "a-backup/extra")
            try Disk.makeDirectory(site.site.root / "@eaDir")
            try Disk.write(site.site.root / "@eaDir/ours")
            try Disk.unlink(site.site.root / "one")
            for words in ["--once", "--full", "--allow-deletes"] {
                let completed = try site.sync(words)
                #expect(completed.isSuccess, "\(completed)")
            }
            #expect(!Disk.exists(site.copy / "a-backup/extra") && !Disk.exists(site.copy / "a-backup/one"))
            for name in foreign {
                #expect(try Disk.names(of: site.copy / Path(name)) == ["theirs"])
            }
        }
    }
}
