import ChangeStore
import Glibc
import Testing

extension ReceiverSystemTests {
    /// The receiver of a worker that is gone wakes up after the file changed: it overwrites nothing.
    @Suite struct SyncOldReceiverTests {
        /// A worker that was killed in mid-file, with its receiver asleep; the file has another content since.
        private func abandon(_ site: SyncSite, _ server: Server) throws {
            let file = site.site.root / "large"
            try Disk.writeLarge(file)
            let worker = try site.launch()
            try site.waitForHalf()
            #expect(try server.freezeSessions { $0.executable?.name == "rsync" } >= 1)
            let others = try ProcessTable().descendants(of: [worker.pid])
            worker.signal(SIGKILL)
            _ = worker.waitForExit(atMost: 10)
            for process in others { process.signal(SIGKILL) }
            try Disk.write(file, Array("another content".utf8))
        }

        private func expectCarried(_ site: SyncSite) throws {
            try site.syncFully()
            try site.expectEqual()
            #expect(try Disk.read(site.copy / "a-backup/large") == Array("another content".utf8))
            try site.expectNoLeftovers()
        }

        @Test(
            .thorough, .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func overSSHItsLockIsSeen() throws {
            let server = try SSHServer()
            let site = try SyncSite.slow(server)
            try abandon(site, server.server)
            let busy = try site.sync()
            #expect(busy.status == .exited(75) && busy.errors.contains("another receiver"), "\(busy)")
            server.server.thaw()
            try expectCarried(site)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"))
        func aDaemonWithOneConnectionAdmitsNoOther() throws {
            let daemon = try RsyncDaemon()
            defer { daemon.server.stop() }
            let site = try SyncSite.slow(daemon)
            try abandon(site, daemon.server)
            let busy = try site.sync()
            #expect(busy.status == .exited(75) && busy.errors.contains("max connections"), "\(busy)")
            daemon.server.thaw()
            try expectCarried(site)
        }

        /// Nothing tells of it there, so that it is waited for as long as rsync waits.
        @Test(
            .thorough, .timeLimit(.minutes(1)),
            .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"),
            arguments: [0, 2])
        func aDaemonWithManyIsWaitedFor(_ connections: Int) throws {
            let daemon = try RsyncDaemon(connections: connections)
            defer { daemon.server.stop() }
            let site = try SyncSite.slow(daemon)
            try abandon(site, daemon.server)
            for _ in 0..<2 {
                let waiting = try site.sync()
                #expect(waiting.status == .exited(75), "\(waiting)")
                #expect(waiting.errors.contains("`max connections = 1`"), "\(waiting)")
            }
            daemon.server.thaw()
            // The time is over.
            do {
                let state = site.site.tracker.settings.state.bytes
                try Consumer(name: SyncSite.name, stateDirectory: state).setNote("receiver-end", Array("1 asked".utf8))
            }
            try expectCarried(site)
            #expect(try site.sync().isSuccess)
        }
    }
}
