import Glibc
import Testing

extension CopySystemTests {
    /// The ways to another host: ssh to somebody without rights, the same with a key for rsync alone, an rsync daemon.
    @Suite struct SyncSSHTests {
        private static let noServer = SSHServer.obstacle

        @Test(.timeLimit(.minutes(2)), .enabled(if: noServer == nil, "\(noServer ?? "")"))
        func theHostsKeyIsShownAndTrusted() throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, trustsHost: false)
            try site.site.start()
            let key = try run(["ssh-keygen", "-lf", "\(server.scratch.path)/host_key.pub"])
            let fingerprint = String(decoding: key.output.split(separator: 0x20)[1], as: UTF8.self)

            let asked = try site.sync("init")
            #expect(!asked.isSuccess && asked.errors.contains(fingerprint), "\(asked)")
            let wrong = try site.sync("init", "--host-key", "SHA256:" + String(repeating: "A", count: 43))
            #expect(!wrong.isSuccess && wrong.errors.contains("none of them has"), "\(wrong)")
            #expect(try Disk.names(of: site.copy).isEmpty)
            let made = try site.sync("init", "--host-key", fingerprint)
            #expect(made.isSuccess, "\(made)")
            try Disk.write(site.site.root / "file")
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
            #expect(try Disk.status(site.copy / "a-backup/file").st_uid == server.receiver.user)
        }

        @Test(
            .timeLimit(.minutes(3)), .enabled(if: noServer == nil, "\(noServer ?? "")"),
            arguments: Scale.isThorough ? [false, true] : [false])
        func everyStepOverSSH(_ isRestricted: Bool) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, isRestricted: isRestricted)
            try expectEveryStep(site, isRestricted: isRestricted)
            #expect(try Disk.names(of: server.target).allSatisfy { ["copy", ".nfs-changes-partial"].contains($0) })
        }

        @Test(
            .thorough, .timeLimit(.minutes(3)),
            .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"))
        func everyStepToADaemon() throws {
            let daemon = try RsyncDaemon()
            let site = try SyncSite(over: daemon)
            try expectEveryStep(site, isRestricted: false)
        }

        /// Puts, forced puts, links, deletions, a directory in place of a file and back, a rename, a full run.
        private func expectEveryStep(_ site: SyncSite, isRestricted: Bool) throws {
            let root = site.site.root
            try Disk.makeDirectory(root / "d")
            for name in ["a", "d/b", "d/c", "kept"] { try Disk.write(root / Path(name), Array(name.utf8)) }
            try Disk.link(root / "a", root / "d/hard")
            try Disk.symlink("d/b", at: root / "soft")
            try Disk.makeFIFO(root / "pipe")
            try site.start()
            try site.syncFully("--allow-deletes", note: "first")
            try site.expectEqual(note: "first")
            #expect(Disk.exists(site.copy / "a-backup/pipe") != isRestricted)

            let time = try Disk.status(root / "a").st_mtim
            try Disk.write(root / "a", Array("A".utf8))
            try Disk.setModified(root / "a", seconds: time.tv_sec, nanoseconds: time.tv_nsec)
            try Disk.link(root / "d/c", root / "d/c2")
            try Disk.link(root / "soft", root / "d/soft2")
            try Disk.unlink(root / "d/b")
            try Disk.unlink(root / "kept")
            try Disk.makeDirectory(root / "kept")
            try Disk.write(root / "kept/inside")
            try site.syncFully(note: "changed")
            try site.expectEqual(note: "changed")

            try Disk.rename(root / "d", root / "renamed")
            let renamed = try site.sync()
            #expect(renamed.isSuccess && !renamed.errors.contains("sent again"), "\(renamed)")
            try site.expectEqual(note: "renamed")
            try Disk.removeTree(root / "kept")
            try Disk.write(root / "kept")
            try site.syncFully(note: "replaced")
            try site.expectEqual(note: "replaced")

            try Disk.write(site.copy / "a-backup/extra")
            try site.syncFully("--full", "--allow-deletes", note: "full")
            try site.expectEqual(note: "full")
            let verified = try site.verify("--checksum")
            #expect(verified.isSuccess, "\(verified) \(String(decoding: verified.output, as: UTF8.self))")
        }

        /// What a transfer that was cut off in mid-file has sent is not sent again.
        @Test(
            .thorough, .timeLimit(.minutes(2)), .enabled(if: noServer == nil, "\(noServer ?? "")"),
            arguments: [false, true])
        func aCutTransferGoesOn(_ isRestricted: Bool) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, isRestricted: isRestricted, more: "bandwidth = \"8MB/s\"")
            try site.start()
            try site.syncFully("--allow-deletes")
            let large = site.site.root / "large"
            try require(["dd", "if=/dev/urandom", "of=\(large)", "bs=1M", "count=24", "status=none"])
            let worker = try site.launch()
            let temporary = site.copy / ".nfs-changes/tmp"
            let isUnderWay = try wait(atMost: 20) {
                try Disk.names(of: temporary).contains { (try? Disk.status(temporary / $0).st_size) ?? 0 > 12 << 20 }
            }
            try #require(isUnderWay, "\(site.errors)")
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 5) == .exited(128 + SIGTERM), "\(site.errors)")
            let again = try site.sync()
            #expect(again.isSuccess, "\(again)")
            let sent = try #require(again.bytesSent)
            // The rrsync of rsync 3.5.0 puts another name in the place of --partial-dir, with which rsync keeps nothing.
            #expect(sent < (isRestricted ? 25 : 14) << 20, "\(sent) of 24 MiB were sent again: \(again.errors)")
            try site.expectEqual()
            let left = try Listing([server.target]).entries.keys.filter { $0.name == ".nfs-changes-partial" }
            #expect(try left.allSatisfy { try Disk.names(of: $0).isEmpty }, "\(left)")
        }
    }
}
