import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Roots that come and go. What is out of sight is not deleted.
    @Suite struct RootTests {
        @Test(.timeLimit(.minutes(1))) func oneThatAppearsLateIsLoggedInFull() throws {
            let site = try Site()
            try Disk.makeDirectory(site.outside / "full")
            try Disk.makeDirectory(site.outside / "full/sub")
            for number in 0..<20 { try Disk.write(site.outside / Path("full/sub/\(number)")) }
            try site.start()
            try Disk.makeDirectory(site.base / "made-backup")
            try Disk.write(site.base / "made-backup/file")
            try Disk.rename(site.outside / "full", site.base / "moved-backup")
            try site.expectComplete(note: "(live)")
            site.tracker.kill9()
            try Disk.makeDirectory(site.base / "down-backup")
            try Disk.write(site.base / "down-backup/file")
            try site.tracker.start()
            let changed = try site.expectComplete(note: "(while down)")
            #expect(changed.contains(site.base / "down-backup/file"))
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func oneThatIsRemovedAndMadeAgain() throws {
            let site = try Site()
            try Disk.makeDirectory(site.root / "sub")
            for number in 0..<20 { try Disk.write(site.root / Path("sub/\(number)")) }
            try site.start()
            try Disk.removeTree(site.root)
            let gone = try site.expectComplete(note: "(removed)")
            #expect(gone.contains(site.root / "sub/7"))
            try Disk.makeDirectory(site.root)
            try Disk.write(site.root / "fresh")
            let isSeen = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.logged.contains(site.root / "fresh")
            }
            #expect(isSeen, "\(site.diagnosis)")
            site.tracker.stop()
        }

        /// The removal of a directory that stood in a root's place says nothing about that root, ever after.
        @Test(.timeLimit(.minutes(1))) func theRemovalOfAnotherIsNotItsOwn() throws {
            let site = try Site()
            try Disk.write(site.root / "file")
            try site.start()
            for isSeen in [true, false] {
                try Disk.rename(site.root, site.outside / "away")
                #expect(wait(atMost: 10) { site.tracker.notify.status.contains("missing") }, "\(site.diagnosis)")
                try Disk.makeDirectory(site.root)
                if isSeen { #expect(wait(atMost: 10) { site.tracker.notify.status.contains("held") }) }
                try Disk.removeDirectory(site.root)
                try Disk.rename(site.outside / "away", site.root)
                try Disk.write(site.root / "file", Array("\(isSeen)".utf8))
                try site.expectComplete()
                try Disk.rename(site.base, site.base + ".away")
                #expect(wait(atMost: 10) { site.tracker.notify.status.contains("missing") }, "\(site.diagnosis)")
                try Disk.rename(site.base + ".away", site.base)
                try Disk.append(site.root / "file", [0x78])
                try site.expectComplete()
                try site.collect()
                #expect(!site.history.rows.contains { $0.kind == "deleted" }, "\(site.diagnosis)")
            }
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aFileSystemMountedOverItDeletesNothing() throws {
            let site = try Site()
            try Disk.makeDirectory(site.root / "sub")
            for number in 0..<20 { try Disk.write(site.root / Path("sub/\(number)")) }
            try site.start()
            let originals = Set(site.before.entries.keys)
            let mounted = try Mounted(tmpfsAt: site.root)
            try expectHeld(site)
            try mounted.unmount()
            try Disk.write(site.root / "after")
            let isSeen = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.logged.contains(site.root / "after")
            }
            #expect(isSeen, "\(site.diagnosis)")
            try expectNoDeletion(of: originals, site)
            try site.expectComplete(note: "(after the unmount)")
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func anEmptyFileSystemInItsPlaceAtTheStartDeletesNothing() throws {
            let site = try Site()
            for number in 0..<20 { try Disk.write(site.root / Path("\(number)")) }
            try site.start()
            site.tracker.stop()
            let originals = Set(site.before.entries.keys)
            let mounted = try Mounted(tmpfsAt: site.root)
            try site.tracker.start()
            try expectHeld(site)
            try expectNoDeletion(of: originals, site)
            site.tracker.stop()
            try mounted.unmount()
            try site.tracker.start()
            try Disk.write(site.root / "after")
            try expectNoDeletion(of: originals, site)
            try site.expectComplete(note: "(after the unmount)")
            site.tracker.stop()
        }

        /// `changes accept` says that what is there now is meant: only then is what is missing deleted.
        @Test(.timeLimit(.minutes(1))) func anotherDirectoryInItsPlaceIsHeldUntilAccepted() throws {
            let site = try Site()
            for number in 0..<5 { try Disk.write(site.root / Path("\(number)")) }
            try site.start()
            site.tracker.kill9()
            let originals = Set(site.before.entries.keys)
            try Disk.rename(site.root, site.outside / "old")
            try Disk.makeDirectory(site.root)
            try Disk.write(site.root / "fresh")
            try site.tracker.start()
            try expectHeld(site)
            try expectNoDeletion(of: originals, site)
            let accepted = try run([
                Tracker.binary, "accept", "--state", site.tracker.settings.state.string, site.root.string,
            ])
            #expect(accepted.isSuccess, "\(accepted.errors)")
            try site.expectComplete(note: "(accepted)")
            site.tracker.stop()
        }

        private func expectHeld(_ site: Site, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let isTold = wait(atMost: 10) { site.tracker.notify.status.contains("held") }
            #expect(isTold, "\(site.diagnosis)", sourceLocation: sourceLocation)
        }

        private func expectNoDeletion(
            of paths: Set<Path>, _ site: Site, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            try site.collect()
            let untrue = site.history.rows.filter { $0.kind == "deleted" && paths.contains($0.path) }
            #expect(untrue.isEmpty, "\(untrue.prefix(5)) \(site.diagnosis)", sourceLocation: sourceLocation)
        }
    }
}
