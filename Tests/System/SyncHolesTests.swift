import Glibc
import Testing

extension ReceiverSystemTests {
    /// Files with holes: they take no more room at the destination, and their holes no bandwidth.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct SyncHolesTests {
        private static let size = 256 << 20

        /// A file with eight mebibytes of data in the middle of a hole.
        private func writeImage(_ path: Path) throws {
            try Disk.writeLarge(path + ".data")
            let data = try Disk.read(path + ".data")
            try Disk.unlink(path + ".data")
            try Disk.write(path, [])
            try Disk.truncate(path, to: Self.size)
            try Disk.withOpen(path, O_WRONLY) { descriptor in
                lseek(descriptor, Self.size / 2, SEEK_SET)
                try Disk.put(data, to: descriptor, path)
            }
        }

        private func blocks(_ path: Path) throws -> Int { Int(try Disk.status(path).st_blocks) * 512 }

        @Test(.timeLimit(.minutes(2))) func `a file with holes keeps them and they are not sent`() throws {
            let server = try SSHServer()
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try writeImage(site.site.root / "vm.raw")
            try site.start()
            let sent = try #require(try site.sync().bytesSent)
            #expect(sent < 10 << 20, "\(sent) bytes sent for 8 MiB of data in \(Self.size >> 20) MiB")
            #expect(try blocks(site.copy / "a-backup/vm.raw") < 9 << 20)
            try site.expectEqual()
            let back = site.site.scratch.path / "back"
            let restored = try site.restore(Path("a-backup/vm.raw"), to: back)
            #expect(restored.isSuccess, "\(restored)")
            #expect(try blocks(back / "vm.raw") < 9 << 20)
        }

        @Test(.timeLimit(.minutes(2))) func `a file with holes keeps them when its transfer is resumed`() throws {
            let server = try SSHServer()
            defer { server.server.stop() }
            let site = try SyncSite.slow(server)
            try writeImage(site.site.root / "large.raw")
            let sender = try site.launch()
            let isThere = wait(atMost: 30, every: 5) {
                (try? Listing([site.copy]).entries.keys.contains { path in
                    try path.name.string.contains("large") && blocks(path) > 2 << 20
                }) == true
            }
            try #require(isThere, "\(site.errors)")
            sender.signal(SIGTERM)
            #expect(sender.waitForExit(atMost: 30) != nil)
            try site.syncFully()
            #expect(try blocks(site.copy / "a-backup/large.raw") < 9 << 20)
            try site.expectEqual()
        }
    }
}
