import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// How much `changes sync` deletes before somebody has to say that it is meant (`max_delete`).
    @Suite struct SyncDeletionTests {
        private func weeks(_ numbers: ClosedRange<Int>, in root: Path) throws {
            for week in numbers {
                try Disk.makeDirectory(root / Path("w\(week)"))
                for file in 0..<20 { try Disk.write(root / Path("w\(week)/f\(file)")) }
            }
        }

        /// A name that is gone, there again when the batch is planned, and gone when it is sent: no row tells of that.
        @Test(.timeLimit(.minutes(1))) func whatIsThereForAMomentOnlyIsDeleted() throws {
            let site = try SyncSite()
            let root = site.site.root
            for name in ["file", "other"] { try Disk.write(root / Path(name)) }
            try site.start()
            try site.syncFully()
            try Disk.unlink(root / "file")
            try site.site.settled()
            site.site.tracker.stop()
            try Disk.makeDirectory(root / "file")
            let fake = try site.fake([.waits, .passes])
            let worker = try site.launch(environment: fake.environment)
            try fake.waitForCall()
            try Disk.removeDirectory(root / "file")
            try fake.release()
            #expect(worker.waitForExit(atMost: 30) == .exited(75), "\(site.errors)")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func massDeletionsWaitAndNothingElse() throws {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            try weeks(1...8, in: root)
            try site.start()
            try site.syncFully()
            // One of eight.
            try Disk.removeTree(root / "w1")
            try weeks(9...9, in: root)
            let rotated = try site.sync()
            #expect(rotated.isSuccess, "\(rotated)")
            try site.expectEqual()

            // Three of eight in one run, two more in the next: all of them wait, and what is new is carried.
            for week in 2...4 { try Disk.removeTree(root / Path("w\(week)")) }
            try Disk.write(root / "new")
            let held = try site.sync()
            #expect(held.status == .exited(1) && held.errors.contains("more than"), "\(held)")
            #expect(Disk.exists(site.copy / "a-backup/new") && Disk.exists(site.copy / "a-backup/w2/f0"))
            try Disk.removeTree(root / "w5")
            #expect(try site.sync().status == .exited(1))
            #expect(Disk.exists(site.copy / "a-backup/w5/f0"))
            // However much comes: they go on waiting.
            try weeks(11...20, in: root)
            for _ in 0..<2 { #expect(try site.sync().status == .exited(1)) }
            for week in [2, 5, 20] { #expect(Disk.exists(site.copy / Path("a-backup/w\(week)/f0"))) }

            // What is undone waits no more.
            try weeks(2...4, in: root)
            #expect(try site.sync().status == .exited(1))
            try weeks(5...5, in: root)
            let undone = try site.sync()
            #expect(undone.isSuccess, "\(undone)")
            try site.expectEqual()

            for week in 2...16 { try? Disk.removeTree(root / Path("w\(week)")) }
            #expect(try site.sync().status == .exited(1))
            let allowed = try site.sync("--allow-deletes")
            #expect(allowed.isSuccess, "\(allowed)")
            try site.expectEqual()
        }

        /// A rename is no deletion, and hides none.
        @Test(.timeLimit(.minutes(1))) func aRenameHidesNoDeletion() throws {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            try weeks(1...2, in: root)
            try site.start()
            try site.syncFully()
            try Disk.rename(root / "w2", root / "w3")
            let renamed = try site.sync()
            #expect(renamed.isSuccess && !Disk.exists(site.copy / "a-backup/w2"), "\(renamed)")
            try site.expectEqual()

            for file in 0..<20 { try Disk.unlink(root / Path("w1/f\(file)")) }
            try Disk.rename(root / "w1", root / "w4")
            let held = try site.sync()
            #expect(held.status == .exited(1) && Disk.exists(site.copy / "a-backup/w1/f0"), "\(held)")
            try Disk.rename(root / "w3", root / "w5")
            for file in 0..<20 { try Disk.unlink(root / Path("w5/f\(file)")) }
            #expect(try site.sync().status == .exited(1))
            #expect(Disk.exists(site.copy / "a-backup/w3/f0"))
            #expect(try site.sync("--allow-deletes").isSuccess)
            try site.expectEqual()
        }

        /// What arrives under passing names makes up for no deletion.
        @Test(.timeLimit(.minutes(1))) func newFilesHideNoDeletion() throws {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            try weeks(1...2, in: root)
            try site.start()
            try site.syncFully()
            for file in 0..<20 { try Disk.write(root / Path("t\(file).part")) }
            try site.site.expectComplete()
            for file in 0..<20 { try Disk.rename(root / Path("t\(file).part"), root / Path("t\(file)")) }
            try Disk.removeTree(root / "w1")
            let held = try site.sync()
            #expect(held.status == .exited(1) && Disk.exists(site.copy / "a-backup/w1/f0"), "\(held)")
            #expect(Disk.exists(site.copy / "a-backup/t1"))
        }

        /// A file in the place of a directory would take with it all that the destination has in there.
        @Test(.timeLimit(.minutes(1))) func aReplacedDirectoryWaitsToo() throws {
            let site = try SyncSite(maxDelete: "30%")
            let root = site.site.root
            try weeks(1...2, in: root)
            try site.start()
            try site.syncFully()
            try Disk.removeTree(root / "w1")
            try Disk.write(root / "w1", Array("a file".utf8))
            try Disk.write(root / "new")
            for _ in 0..<2 {
                let held = try site.sync()
                #expect(held.status == .exited(1), "\(held)")
                #expect(Disk.exists(site.copy / "a-backup/w1/f0") && Disk.exists(site.copy / "a-backup/new"))
            }
            let allowed = try site.sync("--allow-deletes")
            #expect(allowed.isSuccess, "\(allowed)")
            try site.expectEqual()
        }
    }
}
