import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Disks that fill up, connections and processes that end or hang in mid-file: nothing is lost, and the next run goes
    /// on where this one was.
    @Suite struct SyncFailureTests {
        private static let large = 8 << 20

        /// Something that no compression makes smaller.
        private func writeLarge(_ path: Path, size: Int = large, seed: UInt64 = 1) throws {
            var random = SplitMix64(seed: seed)
            var bytes: [UInt8] = []
            bytes.reserveCapacity(size)
            while bytes.count < size { withUnsafeBytes(of: random.next()) { bytes += $0 } }
            try Disk.write(path, bytes)
        }

        /// Bytes of a file that the receiver has so far, under whatever name.
        private func received(_ site: SyncSite) throws -> Int {
            try Listing([site.copy]).entries.filter { path, entry in
                path.name.string.contains("large") && entry.mode & S_IFMT == S_IFREG
            }.map { try Int(Disk.status($0.key).st_size) }.max() ?? 0
        }

        private func waitForHalf(_ site: SyncSite, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let isThere = wait(atMost: 20, every: 5) { ((try? received(site)) ?? 0) > Self.large / 3 }
            try #require(isThere, "\(site.errors)", sourceLocation: sourceLocation)
        }

        /// Bytes that a run says it sent.
        private func sent(_ text: String) -> Double {
            text.split(separator: "\n").compactMap { line -> Double? in
                guard let end = line.firstRange(of: " sent,") else { return nil }
                let words = line[..<end.lowerBound].split(separator: " ")
                guard words.count >= 2, let number = Double(words[words.count - 2]) else { return nil }
                let units = ["B": 1.0, "KiB": 1_024, "kB": 1_000, "MiB": 1_048_576, "MB": 1_000_000]
                return number * (units[String(words[words.count - 1])] ?? .nan)
            }.reduce(0, +)
        }

        private func expectNoLeftovers(_ site: SyncSite, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let left = try Listing([site.copy]).entries.keys.filter {
                $0.name == ".nfs-changes-partial" || $0.parent.name == "tmp" || $0.name.string.hasPrefix(".large.")
            }
            #expect(left.isEmpty, "\(left)", sourceLocation: sourceLocation)
        }

        // MARK: Full

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aFullDestinationHolds() throws {
            let site = try SyncSite(more: "min_free = \"0%\"")
            let mounted = try Mounted(tmpfsAt: site.copy, size: "6m")
            let root = site.site.root
            try Disk.write(root / "small")
            try site.start()
            try site.syncFully()
            try writeLarge(root / "large")
            for _ in 0..<2 {
                let full = try site.sync()
                #expect(full.status == .exited(75) && full.errors.contains("full"), "\(full)")
                #expect(Disk.exists(site.copy / "a-backup/small"))
            }
            try mounted.remount("size=32m")
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
            try expectNoLeftovers(site)
        }

        // MARK: Cut off

        private static let slow = "bandwidth = \"8MB/s\""

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aKilledReceiverIsResumedInMidFile() throws {
            let server = try SSHServer()
            let site = try SyncSite(server, more: Self.slow)
            let root = site.site.root
            try Disk.makeDirectory(root / "dir")
            try Disk.write(root / "small")
            try site.start()
            try site.syncFully()
            try writeLarge(root / "dir/large")
            // The server ends the connection: the receiver keeps what it has.
            let worker = try site.launch()
            try waitForHalf(site)
            try server.server.killSessions { $0.executable?.name == "sshd" }
            #expect(worker.waitForExit(atMost: 20) == .exited(75), "\(site.errors)")
            #expect(try wait(atMost: 10) { try server.server.sessions().isEmpty })
            let resumed = try site.sync()
            #expect(resumed.isSuccess, "\(resumed)")
            #expect(sent(resumed.errors) < Double(Self.large) * 0.8, "\(resumed)")
            try site.expectEqual()
            try expectNoLeftovers(site)

            // The receiver itself is killed: its temporary file is of no use, and is removed.
            try writeLarge(root / "dir/large", seed: 2)
            let second = try site.launch()
            let isThere = try wait(atMost: 20, every: 5) { try !Disk.names(of: site.copy / ".nfs-changes/tmp").isEmpty }
            try #require(isThere, "\(site.errors)")
            try server.server.killSessions { $0.executable?.name == "rsync" }
            #expect(second.waitForExit(atMost: 20) == .exited(75), "\(site.errors)")
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
            try expectNoLeftovers(site)
        }

        /// What was half sent and is gone, or another file, by then leaves nothing behind.
        @Test(
            .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func partsOfFilesAreRemoved() throws {
            let server = try SSHServer()
            let site = try SyncSite(server, more: Self.slow)
            let root = site.site.root
            for name in ["dir", "other"] { try Disk.makeDirectory(root / Path(name)) }
            try site.start()
            try site.syncFully()
            try writeLarge(root / "dir/large")
            let worker = try site.launch()
            try waitForHalf(site)
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 5) == .exited(143), "\(site.errors)")
            #expect(Disk.exists(site.copy / "a-backup/dir/.nfs-changes-partial/large"))
            try Disk.rename(root / "dir/large", root / "other/elsewhere")
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
            try expectNoLeftovers(site)
        }

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: NetworkPair.obstacle == nil, "\(NetworkPair.obstacle ?? "")"),
            .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aCutNetworkIsLeftInTimeAndResumed() throws {
            let pair = try NetworkPair()
            let server = try SSHServer(address: pair.far.address, wrapper: pair.far.wrapper)
            let site = try SyncSite(server, more: Self.slow)
            site.wrapper = pair.near.wrapper
            let root = site.site.root
            try Disk.write(root / "small")
            try site.start()
            try site.syncFully()
            try writeLarge(root / "large")
            let worker = try site.launch()
            try waitForHalf(site)
            try pair.cut()
            worker.signal(SIGTERM)
            let took = measured { #expect(worker.waitForExit(atMost: 10) == .exited(143), "\(site.errors)") }
            #expect(took < 5.5, "\(took)")
            try pair.restore()
            // The other side may not have noticed yet: its receiver holds the lock.
            try site.syncFully()
            try site.expectEqual()
            try expectNoLeftovers(site)
        }

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aHungReceiverDoesNotHoldUpTheEnd() throws {
            let server = try SSHServer()
            let site = try SyncSite(server, more: Self.slow)
            try Disk.write(site.site.root / "small")
            try site.start()
            try site.syncFully()
            try writeLarge(site.site.root / "large")
            let worker = try site.launch()
            try waitForHalf(site)
            try server.server.freezeSessions()
            worker.signal(SIGTERM)
            let took = measured { #expect(worker.waitForExit(atMost: 10) == .exited(143), "\(site.errors)") }
            #expect(took < 5, "\(took)")
            server.server.thaw()
            #expect(try wait(atMost: 10) { try server.server.sessions().isEmpty })
            try site.syncFully()
            try site.expectEqual()
            try expectNoLeftovers(site)
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

        /// The receiver of a worker that is gone wakes up after the file changed.
        @Test(
            .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func anOldReceiverOverwritesNothing() throws {
            let server = try SSHServer()
            let site = try SyncSite(server, more: Self.slow)
            let root = site.site.root
            try Disk.write(root / "small")
            try site.start()
            try site.syncFully()
            try writeLarge(root / "large")
            let worker = try site.launch()
            try waitForHalf(site)
            #expect(try server.server.freezeSessions { $0.executable?.name == "rsync" } >= 1)
            let others = try ProcessTable().descendants(of: [worker.pid])
            worker.signal(SIGKILL)
            _ = worker.waitForExit(atMost: 10)
            for process in others { process.signal(SIGKILL) }
            try Disk.write(root / "large", Array("another content".utf8))
            let busy = try site.sync()
            #expect(busy.status == .exited(75) && busy.errors.contains("another receiver"), "\(busy)")
            server.server.thaw()
            try site.syncFully()
            try site.expectEqual()
            #expect(try Disk.read(site.copy / "a-backup/large") == Array("another content".utf8))
            try expectNoLeftovers(site)
        }
    }
}
