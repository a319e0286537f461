import Glibc
import LinuxKernel
import Testing

extension ReceiverSystemTests {
    /// Disks that fill up, connections and processes that end or hang in mid-file: nothing is lost, and the next run goes
    /// on where this one was.
    @Suite struct SyncFailureTests {
        // MARK: Full

        /// The week that was rotated away fills the destination, and the new one does not fit beside it.
        @Test(
            .timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"),
            arguments: ["0%", "45%"])
        func roomIsMadeWhenAsked(_ minFree: String) throws {
            let site = try SyncSite(more: "min_free = \"\(minFree)\"", maxDelete: "30%")
            let mounted = try Mounted(tmpfsAt: site.copy, size: "13m")
            defer { withExtendedLifetime(mounted) {} }
            let root = site.site.root
            for week in ["old", "kept"] { try Disk.makeDirectory(root / Path(week)) }
            for number in 0..<10 { try Disk.write(root / "kept" / Path("\(number)")) }
            try Disk.writeLarge(root / "old/large")
            try site.start()
            if minFree != "0%" { try mounted.remount("size=64m") }
            try site.syncFully()
            try mounted.remount("size=13m")
            try Disk.removeTree(root / "old")
            try Disk.makeDirectory(root / "new")
            try Disk.writeLarge(root / "new/large", seed: 2)
            let full = try site.sync()
            #expect(full.status == .exited(75) && full.errors.contains("--make-room"), "\(full)")
            #expect(Disk.exists(site.copy / "a-backup/old/large"))
            let made = try site.sync("--make-room")
            #expect(made.errors.contains("deleted to make room"), "\(made)")
            #expect(made.isSuccess, "\(made)")
            try site.expectEqual()
            #expect(!Disk.exists(site.copy / "a-backup/old"))
        }

        /// The part of a file that nobody may finish any more is all that fills it.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func `room is made in a first copy that was cut, too`() throws {
            let site = try SyncSite(more: "min_free = \"0%\"")
            let mounted = try Mounted(tmpfsAt: site.copy, size: "6m")
            defer { withExtendedLifetime(mounted) {} }
            let root = site.site.root
            try Disk.writeLarge(root / "large")
            try site.start()
            let full = try site.sync()
            #expect(full.status == .exited(75) && full.errors.contains("full"), "\(full)")
            try Disk.unlink(root / "large")
            for number in 0..<20 { try Disk.write(root / Path("\(number)"), Array(repeating: 1, count: 50_000)) }
            let stuck = try site.sync()
            #expect(stuck.status == .exited(75) && stuck.errors.contains("--make-room"), "\(stuck)")
            let made = try site.sync("--make-room")
            #expect(made.isSuccess && made.errors.contains("parts of cut files removed"), "\(made)")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aFullDestinationHolds() throws {
            let site = try SyncSite(more: "min_free = \"0%\"")
            let mounted = try Mounted(tmpfsAt: site.copy, size: "6m")
            let root = site.site.root
            try Disk.write(root / "small")
            try site.start()
            try site.syncFully()
            try Disk.writeLarge(root / "large")
            for _ in 0..<2 {
                let full = try site.sync()
                #expect(full.status == .exited(75) && full.errors.contains("full"), "\(full)")
                #expect(Disk.exists(site.copy / "a-backup/small"))
            }
            try mounted.remount("size=32m")
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
            try site.expectNoLeftovers()
        }

        // MARK: Cut off

        @Test(
            .thorough, .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aKilledReceiverIsResumedInMidFile() throws {
            let server = try SSHServer()
            let site = try SyncSite.slow(server) { try Disk.makeDirectory($0.site.root / "dir") }
            let root = site.site.root
            try Disk.writeLarge(root / "dir/large")
            // The server ends the connection: the receiver keeps what it has.
            let worker = try site.launch()
            try site.waitForHalf()
            try server.server.killSessions { $0.executable?.name == "sshd" }
            #expect(worker.waitForExit(atMost: 20) == .exited(75), "\(site.errors)")
            #expect(try wait(atMost: 10) { try server.server.sessions().isEmpty })
            let resumed = try site.sync()
            #expect(resumed.isSuccess, "\(resumed)")
            #expect(Double(resumed.bytesSent ?? .max) < Double(Disk.large) * 0.8, "\(resumed)")
            try site.expectEqual()
            try site.expectNoLeftovers()

            // The receiver itself is killed: its temporary file is of no use, and is removed.
            try Disk.writeLarge(root / "dir/large", seed: 2)
            let second = try site.launch()
            let isThere = try wait(atMost: 20, every: 5) { try !Disk.names(of: site.copy / ".nfs-changes/tmp").isEmpty }
            try #require(isThere, "\(site.errors)")
            try server.server.killSessions { $0.executable?.name == "rsync" }
            #expect(second.waitForExit(atMost: 20) == .exited(75), "\(site.errors)")
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
            try site.expectNoLeftovers()
        }

        /// What was half sent and is gone, or another file, by then leaves nothing behind.
        @Test(
            .thorough, .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func partsOfFilesAreRemoved() throws {
            let server = try SSHServer()
            let site = try SyncSite.slow(server) { site in
                for name in ["dir", "other"] { try Disk.makeDirectory(site.site.root / Path(name)) }
            }
            let root = site.site.root
            try Disk.writeLarge(root / "dir/large")
            let worker = try site.launch()
            try site.waitForHalf()
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 5) == .exited(143), "\(site.errors)")
            #expect(Disk.exists(site.copy / "a-backup/dir/.nfs-changes-partial/large"))
            try Disk.rename(root / "dir/large", root / "other/elsewhere")
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
            try site.expectNoLeftovers()
        }

        // MARK: One at a time

        @Test(.timeLimit(.minutes(1))) func aSecondWorkerIsRefused() throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "file")
            try site.start()
            let fake = try site.fake([.waits])
            let worker = try site.launch(environment: fake.environment)
            try fake.waitForCall()
            let second = try site.sync()
            #expect(second.status == .exited(75) && second.errors.contains("runs already"), "\(second)")
            // Whatever became of the worker: its rsync is still at work.
            worker.signal(SIGKILL)
            _ = worker.waitForExit(atMost: 10)
            let busy = try site.sync()
            #expect(busy.status == .exited(75) && busy.errors.contains("another receiver"), "\(busy)")
            try fake.release()
            try site.syncFully()
            try site.expectEqual()
        }
    }
}
