import Glibc
import Testing

extension ReceiverSystemTests {
    /// One command on the other side makes a batch durable and writes the marker, before the worker commits.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
    struct SyncSealTests {
        private static func cursor(of site: SyncSite) throws -> Int? {
            let text = String(decoding: try Disk.read(site.copy / ".nfs-changes/marker"), as: UTF8.self)
            return text.split(separator: "\n").last.flatMap { Int($0.dropFirst("cursor ".count)) }
        }

        @Test(.timeLimit(.minutes(1)))
        func theMarkerFollowsEachRun() throws {
            let server = try SSHServer()
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try site.start()
            try Disk.write(site.site.root / "one")
            try site.syncFully("--allow-deletes")
            let first = try #require(try Self.cursor(of: site))
            try Disk.write(site.site.root / "two")
            try Disk.unlink(site.site.root / "one")
            try site.syncFully()
            try site.expectEqual()
            #expect(try #require(try Self.cursor(of: site)) > first)
            let own = try Disk.names(of: site.copy / ".nfs-changes").map(\.string)
            #expect(Set(own) == ["marker", "lock", "tmp"])
            #expect(try Disk.status(site.copy / ".nfs-changes/marker").st_mode & 0o777 == 0o600)
        }

        /// The worker dies when the marker is ahead of what it committed. It is its own batch, so nothing is held; that
        /// of a host that went back to an older state is not.
        @Test(.timeLimit(.minutes(1)))
        func aWorkerThatDiesBeforeItCommitsKnowsItsMarker() throws {
            let tools = try Scratch()
            let hang = tools.path / "hang"
            // In the place of mv(1), which puts the marker in place: it ends when it may.
            let mv = tools.path / "mv"
            try Disk.write(mv, Array("#!/bin/sh\n/bin/mv \"$@\"\nwhile test -e \(hang); do sleep 0.02; done\n".utf8))
            try Disk.changeMode(mv, 0o755)
            try Disk.changeMode(tools.path, 0o755)
            let server = try SSHServer(searchPath: tools.path)
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try site.start()
            let root = site.site.root
            for name in ["one", "two"] { try Disk.write(root / Path(name)) }
            try site.syncFully("--allow-deletes")
            let known = try #require(try Self.cursor(of: site))
            let consumer = site.site.tracker.settings.state / "consumers/\(Path(SyncSite.name)).db"
            let before = try Disk.read(consumer)

            try Disk.write(root / "three")
            try Disk.write(hang)
            let worker = try site.launch()
            #expect(try wait(atMost: 20) { try Self.cursor(of: site).map { $0 > known } ?? false }, "\(site.errors)")
            worker.signal(SIGKILL)
            _ = worker.waitForExit(atMost: 10)
            try Disk.unlink(hang)
            try Disk.unlink(root / "one")
            try site.syncFully(note: "after the worker died")
            try site.expectEqual(note: "after the worker died")

            try Disk.write(consumer, before)
            try Disk.unlink(root / "two")
            let held = try site.sync()
            #expect(held.status == .exited(78) && held.errors.contains("newer than what this host knows"), "\(held)")
            #expect(Disk.exists(site.copy / "a-backup/two"))
        }

        @Test(.timeLimit(.minutes(1)))
        func nothingIsWrittenWhereTheMarkerIsGoneOrAReceiverIsAtWork() throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            try site.start()
            try site.syncFully("--allow-deletes")
            let own = site.copy / ".nfs-changes"
            try Disk.write(site.site.root / "one")
            let other = try ChildProcess(["flock", "--no-fork", "\(own)/lock", "sleep", "60"])
            #expect(try wait(atMost: 10) { try !run(["flock", "-n", "\(own)/lock", "true"]).isSuccess })
            #expect(try site.sync().status == .exited(75))
            other.signal(SIGKILL)
            _ = other.waitForExit(atMost: 10)
            try Disk.rename(own / "marker", own / "moved")
            #expect(try site.sync().status == .exited(69))
            #expect(!Disk.exists(site.copy / "a-backup/one"))
            try Disk.rename(own / "moved", own / "marker")
        }
    }
}
