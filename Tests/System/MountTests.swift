import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// File systems that are mounted and unmounted below a root. What is out of sight is not deleted.
    @Suite(.enabled(if: Privilege.canMount, "\(Privilege.needsMount)")) struct MountTests {
        private func expectRow(
            _ path: Path, _ kind: String? = nil, _ site: Site, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let isThere = try wait(atMost: 10) {
                try site.collect()
                return site.newRows.contains { $0.path == path && (kind == nil || $0.kind == kind) }
            }
            #expect(isThere, "\(path): \(site.diagnosis)", sourceLocation: sourceLocation)
        }

        /// A directory with two files and a directory with one.
        private func fill(_ directory: Path) throws {
            try Disk.makeDirectory(directory)
            try Disk.makeDirectory(directory / "sub")
            for name in ["one", "two", "sub/three"] { try Disk.write(directory / Path(name)) }
        }

        /// With `one_file_system` a mount is not entered, and the directory below it is tracked once it is uncovered.
        @Test(.timeLimit(.minutes(1))) func aMountThatIsNotEnteredUncoversItsDirectory() throws {
            let site = try Site { settings, _ in settings.oneFileSystem = true }
            let place = site.root / "place"
            try fill(place)
            let mounted = try Mounted(tmpfsAt: place)
            try Disk.write(place / "inside")
            for _ in 0..<2 {
                try site.start()
                try Disk.write(place / "inside", Array("more".utf8))
                try Disk.write(site.root / "marker", Array("more".utf8))
                try expectRow(site.root / "marker", nil, site)
                #expect(!site.history.rows.contains { $0.path.isBelow(place) }, "\(site.newRows)")
                let verified = try site.tracker.verifyIndex()
                #expect(verified.isSuccess, "\(verified)")
                // The second start is one of a store that knows the mount.
                site.tracker.stop()
            }
            try Disk.unlink(place / "inside")
            try site.start()
            try mounted.unmount()
            try Disk.write(place / "uncovered")
            try Disk.append(place / "one", Array("more".utf8))
            try site.expectComplete()
            #expect(site.history.rows.contains { $0.path == place / "sub/three" })
            #expect(!site.tracker.notify.status.contains("held"), "\(site.tracker.notify.status)")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func aMountThatAppearsIsNotEnteredWithOneFileSystem() throws {
            let site = try Site { settings, _ in settings.oneFileSystem = true }
            try Disk.makeDirectory(site.root / "empty")
            try fill(site.root / "full")
            try site.start()
            for place in [site.root / "empty", site.root / "full"] {
                let mounted = try Mounted(tmpfsAt: place)
                try Disk.write(place / "inside")
                try expectRow(place, nil, site)
                let marker = site.root / Path("marker-\(place.name)")
                try Disk.write(marker)
                try expectRow(marker, nil, site)
                try mounted.unmount()
                try Disk.write(place / "after")
                try expectRow(place / "after", nil, site)
            }
            #expect(!site.history.rows.contains { $0.path.name == "inside" || $0.kind == "deleted" })
            let verified = try site.tracker.verifyIndex()
            #expect(verified.isSuccess, "\(verified)")
            site.tracker.stop()
        }

        /// The same file system shows another directory there: nothing says that what is covered was deleted.
        @Test(.timeLimit(.minutes(1))) func aBindMountDeletesNothing() throws {
            let site = try Site()
            try fill(site.root / "place")
            try Disk.makeDirectory(site.outside / "other")
            try site.start()
            let mounted = try Mounted(directory: site.outside / "other", at: site.root / "place")
            for _ in 0..<2 {
                let isHeld = wait(atMost: 10) { site.tracker.notify.status.contains("held") }
                #expect(isHeld, "\(site.diagnosis)")
                site.tracker.kill9()
                try site.tracker.start()
            }
            try mounted.unmount()
            try Disk.write(site.root / "place/after")
            try expectRow(site.root / "place/after", nil, site)
            #expect(!site.newRows.contains { $0.kind == "deleted" }, "\(site.newRows)")
            try site.expectComplete()
            site.tracker.stop()
        }

        /// What was made in a file system mounted over a tracked directory is out of sight after the unmount, and not
        /// deleted; what it covered is back.
        @Test(.timeLimit(.minutes(1))) func whatWasInAMountIsUntrackedAfterIt() throws {
            let site = try Site()
            try fill(site.root / "place")
            try site.start()
            let mounted = try Mounted(tmpfsAt: site.root / "place")
            try Disk.makeDirectory(site.root / "place/directory")
            try Disk.write(site.root / "place/directory/file")
            try expectRow(site.root / "place/directory/file", "created", site)
            try mounted.unmount()
            try expectRow(site.root / "place/directory", "untracked", site)
            #expect(!site.newRows.contains { $0.kind == "deleted" }, "\(site.newRows)")
            let verified = try site.tracker.verifyIndex()
            #expect(verified.isSuccess, "\(verified)")
            site.tracker.stop()
        }

        /// A mount point that went with its mount while the tracker was down: its disk may come back.
        @Test(.timeLimit(.minutes(1))) func aMountPointThatIsGoneIsNotDeletedUntilAccepted() throws {
            let site = try Site()
            let place = site.root / "place"
            try Disk.makeDirectory(place)
            let mounted = try Mounted(tmpfsAt: place)
            try Disk.makeDirectory(place / "inside")
            try Disk.write(place / "inside/file")
            try site.start()
            site.tracker.stop()
            try mounted.unmount()
            try Disk.removeDirectory(place)
            try site.tracker.start()
            let isTold = wait(atMost: 10) { site.tracker.notify.status.contains("mount point \(place) is missing") }
            #expect(isTold, "\(site.diagnosis)")
            try site.collect()
            #expect(!site.history.rows.contains { $0.path.isAtOrBelow(place) }, "\(site.history.rows)")
            try require([Tracker.binary, "accept", "--state", site.tracker.settings.state.string, place.string])
            try site.expectComplete()
            #expect(site.history.rows.contains { $0.kind == "deleted" && $0.path == place / "inside/file" })
            site.tracker.stop()
        }

        /// Unmounted and its directory removed: what was on the file system was not.
        @Test(.timeLimit(.minutes(1)), arguments: [false, true])
        func aMountPointThatIsRemovedAfterTheUnmountDeletesNothing(isHeldFirst: Bool) throws {
            let site = try Site()
            let place = site.root / "place"
            try Disk.makeDirectory(place)
            let mounted = try Mounted(tmpfsAt: place)
            try Disk.write(place / "file")
            try site.start()
            try mounted.unmount()
            if isHeldFirst {
                #expect(wait(atMost: 10) { site.tracker.notify.status.contains("held") }, "\(site.diagnosis)")
            }
            try Disk.removeDirectory(place)
            let isTold = wait(atMost: 10) { site.tracker.notify.status.contains("mount point \(place) is missing") }
            #expect(isTold, "\(site.diagnosis)")
            try site.collect()
            #expect(!site.history.rows.contains { $0.kind == "deleted" }, "\(site.history.rows)")
            site.tracker.stop()
        }

        /// What is excluded stays so when something is mounted on it.
        @Test(.timeLimit(.minutes(1))) func aMountOnAnExcludedNameIsNotTracked() throws {
            let site = try Site { settings, _ in settings.exclude = ["cache/"] }
            for name in ["cache", "cache/deep", "marker"] { try Disk.makeDirectory(site.root / Path(name)) }
            try site.start()
            for place in [site.root / "cache", site.root / "cache/deep"] {
                let mounted = try Mounted(tmpfsAt: place)
                try Disk.write(place / "inside")
                try Disk.write(site.root / "marker" / place.name)
                try expectRow(site.root / "marker" / place.name, nil, site)
                try mounted.unmount()
            }
            #expect(!site.history.rows.contains { $0.path.isAtOrBelow(site.root / "cache") }, "\(site.history.rows)")
            site.tracker.stop()
        }

        /// A mount is entered once the configuration says so, and no longer when it says otherwise.
        @Test(.timeLimit(.minutes(1))) func aReloadChangesWhetherMountsAreEntered() throws {
            let site = try Site { settings, _ in settings.oneFileSystem = true }
            let place = site.root / "place"
            try Disk.makeDirectory(place)
            let mounted = try Mounted(tmpfsAt: place)
            try Disk.write(place / "inside")
            try site.start()
            for (isEntered, kind) in [(true, "created"), (false, "untracked")] {
                site.tracker.settings.oneFileSystem = !isEntered
                try site.tracker.writeConfiguration()
                site.tracker.signal(SIGHUP)
                try expectRow(place / "inside", kind, site)
                let verified = try site.tracker.verifyIndex()
                #expect(verified.isSuccess, "\(verified)")
            }
            site.tracker.stop()
            try mounted.unmount()
        }

        /// A subvolume is another file system without a mount: it goes only by being deleted.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canLoop, "needs loop devices"))
        func subvolumesAreDeleted() throws {
            let scratch = try Scratch()
            let mounted = try FileSystemKind.btrfs.mount(in: scratch.path)
            func subvolume(_ verb: String, _ path: Path) throws {
                try require(["btrfs", "subvolume", verb, path.string])
            }
            do {
                let site = try Site(on: mounted.path)
                for name in ["live", "again", "down"] {
                    try subvolume("create", site.root / Path(name))
                    try Disk.write(site.root / Path("\(name)/file"))
                }
                try site.start()
                try subvolume("delete", site.root / "live")
                try subvolume("delete", site.root / "again")
                try subvolume("create", site.root / "again")
                try Disk.write(site.root / "again/new")
                let gone = try site.expectComplete(note: "(live)")
                #expect(gone.contains(site.root / "again/file"))
                site.tracker.stop()
                try subvolume("delete", site.root / "down")
                try site.tracker.start()
                try site.expectComplete(note: "(down)")
                site.tracker.stop()
            }
            try mounted.unmount()
        }
    }
}
