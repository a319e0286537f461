import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// What the history does not tell, because the tracker or the machine ended without a warning.
    @Suite struct SyncLostHistoryTests {
        /// Rows that were committed may not be on the disk yet when the power goes: the store is put back to what it was,
        /// and so is the source.
        @Test(.timeLimit(.minutes(1))) func `a power cut that takes back a rename leaves the copy equal`() throws {
            let site = try SyncSite()
            let root = site.site.root
            try Disk.write(root / "old", Array("dump".utf8))
            try Disk.write(root / "other")
            try site.start()
            try site.syncFully()
            let state = site.site.tracker.settings.state
            let kept = site.site.scratch.path / "durable"
            try Disk.makeDirectory(kept)
            for file in ["store.db", "store.db-wal"] {
                try require(["cp", (state / Path(file)).string, kept.string])
            }
            try Disk.rename(root / "old", root / "keep")
            try Disk.write(root / "lost")
            try site.syncFully()
            #expect(try site.copied().contains("a-backup/keep"))

            site.site.tracker.kill9()
            try Disk.unlink(state / "store.db-shm", ifThere: true)
            for file in ["store.db", "store.db-wal"] {
                try require(["cp", (kept / Path(file)).string, state.string])
            }
            try Disk.rename(root / "keep", root / "old")
            try Disk.unlink(root / "lost")
            try site.site.tracker.start()
            let synced = try site.sync("--allow-deletes")
            #expect(synced.isSuccess && synced.errors.contains("a power loss took back history"), "\(synced)")
            try site.expectEqual()
            let again = try site.sync()
            #expect(again.isSuccess && !again.errors.contains("power loss"), "\(again)")
        }

        /// What the images of two file systems hold while they are in use is what a power cut leaves of them.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canLoop, "needs root and loop devices"))
        func `a power cut of real disks leaves the copy equal`() throws {
            let site = try SyncSite()
            let root = site.site.root
            let scratch = site.site.scratch.path
            let places = [site.site.base, site.site.tracker.settings.state]
            var disks = try places.enumerated().map { number, place in
                let disk = try Mounted(.ext3, at: place, image: scratch / Path("disk\(number)"))
                try disk.remount("commit=600")
                try Disk.removeDirectory(place / "lost+found")
                return disk
            }
            try Disk.makeDirectory(root)
            try Disk.write(root / "old", Array("dump".utf8))
            try Disk.write(root / "other")
            try site.start()
            try site.syncFully()
            try require(["sync"])
            try Disk.rename(root / "old", root / "keep")
            try Disk.write(root / "lost")
            try site.syncFully()
            site.site.tracker.kill9()
            for number in 0..<2 {
                try require(
                    ["cp", "--sparse=always", "\(scratch)/disk\(number)", "\(scratch)/cut\(number)"])
            }
            for disk in disks { try disk.unmount() }
            disks.removeAll()
            defer { for place in places { _ = try? run(["umount", "--lazy", place.string]) } }
            for (number, place) in places.enumerated() {
                try require(["mount", "-o", "loop", "\(scratch)/cut\(number)", place.string])
            }
            // Otherwise it shows nothing.
            try #require(Disk.exists(root / "old"), "the disk had the rename")
            try site.site.tracker.start()
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
            site.site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), arguments: [true, false])
        func `an edit with its time put back while no tracker ran is copied`(_ isKilled: Bool) throws {
            let (site, files) = try makeSite()
            try site.start()
            try site.syncFully()
            if isKilled { site.site.tracker.kill9() } else { site.site.tracker.stop() }
            try editUnseen(files, site)
            try site.site.tracker.start()
            try site.syncFully("--allow-deletes")
            try site.expectEqual(note: "which compares contents")
        }

        @Test(.timeLimit(.minutes(2)))
        func `an edit with its time put back whose events were lost is copied`() throws {
            let (site, files) = try makeSite()
            try site.start()
            try site.syncFully()
            try site.site.tracker.freeze()
            // One more than fs.inotify.max_queued_events has by default.
            for number in 0..<16_385 { try Disk.write(site.site.root / Path("\(number)"), []) }
            try editUnseen(files, site)
            site.site.tracker.thaw()
            // The event of this one comes; that of the write before it was lost.
            try Disk.changeMode(site.site.root / "renamed", 0o600)
            try site.syncFully("--allow-deletes")
            #expect(site.site.tracker.errors.contains("events were lost"), "\(site.site.diagnosis)")
            try site.expectEqual(note: "which compares contents")
        }

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: Privilege.canMakeUserNamespace, "needs unprivileged user namespaces"))
        func `an edit with its time put back in a directory without a watch is copied`() throws {
            let site = try SyncSite {
                $0.wrapper = [
                    "unshare", "-Ur", "sh", "-c",
                    "echo 20 >/proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"",
                ]
                $0.pollInterval = "1h"
            }
            let directories = (0..<60).map { site.site.root / Path("d\($0)") }
            for directory in directories {
                try Disk.makeDirectory(directory)
                try Disk.write(directory / "file", Array("before".utf8))
            }
            try site.start()
            #expect(site.site.tracker.notify.status.contains("polled"), "\(site.site.tracker.notify.status)")
            try site.syncFully()
            for directory in directories {
                try edit(directory / "file")
                try Disk.rename(directory / "file", directory / "renamed")
            }
            try site.syncFully("--allow-deletes")
            try site.expectEqual(note: "which compares contents")
            site.site.tracker.stop()
        }

        private func makeSite() throws -> (SyncSite, [Path]) {
            let site = try SyncSite()
            let files = ["alone", "one", "d/inside"].map { site.site.root / Path($0) }
            try Disk.makeDirectory(site.site.root / "d")
            for file in files { try Disk.write(file, Array("before".utf8)) }
            try Disk.link(files[1], site.site.root / "two")
            return (site, files)
        }

        private func editUnseen(_ files: [Path], _ site: SyncSite) throws {
            for file in files { try edit(file) }
            try Disk.rename(site.site.root / "d", site.site.root / "e")
            // A new name, or another one, explains the time of change and hides the edit.
            try Disk.link(files[1], site.site.root / "three")
            try Disk.rename(files[0], site.site.root / "renamed")
        }

        /// Writes in place, and puts the time back.
        private func edit(_ file: Path) throws {
            let before = try Disk.status(file)
            try Disk.withOpen(file, O_WRONLY) { try Disk.put(Array("after!".utf8), to: $0, file) }
            try Disk.setModified(file, seconds: before.st_mtim.tv_sec, nanoseconds: before.st_mtim.tv_nsec)
        }
    }
}
