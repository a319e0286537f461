import Glibc
import Testing

extension ReceiverSystemTests {
    /// The ways to log in, and what keeps one out.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct SyncLoginTests {
        private func expectCopied(_ site: SyncSite, _ note: String) throws {
            try site.syncFully("--allow-deletes", note: note)
            try Disk.write(site.site.root / "later", Array(note.utf8))
            try site.syncFully(note: note)
            #expect(try Disk.read(site.copy / "a-backup/later") == Array(note.utf8))
        }

        private func fingerprint(_ server: SSHServer) throws -> String {
            let key = try run(["ssh-keygen", "-lf", "\(server.scratch.path)/host_key.pub"])
            return String(decoding: key.output.split(separator: 0x20)[1], as: UTF8.self)
        }

        @Test(.timeLimit(.minutes(1))) func `a host key that changed is named, and replaced on request`() throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, trustsHost: false)
            try site.start("--host-key", try fingerprint(server))
            try site.syncFully("--allow-deletes")
            let state = site.site.tracker.settings.state
            let known = state / "offsite/known_hosts"
            let name = String(decoding: try Disk.read(known).prefix { $0 != 0x20 }, as: UTF8.self)
            let other = site.site.scratch.path / "other"
            try SSHServer.makeKey(other)
            try Disk.write(known, Array("\(name) ".utf8) + Disk.read(other + ".pub"))

            let refused = try site.sync()
            let sentence = "run `changes sync init --replace-host-key \(SyncSite.name)`"
            #expect(refused.status == .exited(78) && refused.errors.contains(sentence), "\(refused)")
            #expect(!refused.errors.contains("\\015"), "\(refused)")
            let doctor = try run([
                Tracker.binary, "doctor", "--config", site.configuration.string, "--state", state.string,
            ])
            #expect(String(decoding: doctor.output, as: UTF8.self).contains(sentence), "\(doctor)")
            let asked = try site.sync("init", "--replace-host-key")
            #expect(try asked.status == .exited(78) && asked.errors.contains(fingerprint(server)), "\(asked)")
            let made = try site.sync("init", "--replace-host-key", "--host-key", try fingerprint(server))
            #expect(made.isSuccess, "\(made)")
            #expect(try Disk.read(known).filter { $0 == 0x0A }.count == 1, "the old key is gone")
            try expectCopied(site, "after")
        }

        @Test(.timeLimit(.minutes(1))) func `a refused key and a host that is off are said with a remedy`() throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            try site.start()
            try site.syncFully()
            try Disk.write(server.scratch.path / "authorized_keys", [])
            let refused = try site.sync()
            #expect(refused.status == .exited(1), "\(refused)")
            #expect(
                refused.errors.contains("refuses the ssh key: put the line in \(server.identity).pub"), "\(refused)")
            server.server.stop()
            let off = try site.sync()
            #expect(off.status == .exited(75), "\(off)")
            #expect(off.errors.contains("127.0.0.1 cannot be reached: switch it on"), "\(off)")
        }

        @Test(.timeLimit(.minutes(1))) func `a key with a passphrase is named as the cause`() throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            try require(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", server.identity.string])
            try site.site.start()
            let refused = try site.sync("init")
            #expect(refused.status == .exited(1), "\(refused)")
            #expect(
                refused.errors.contains("needs a passphrase") && refused.errors.contains("ssh-keygen -p"), "\(refused)")
            let doctor = try run([
                Tracker.binary, "doctor", "--config", site.configuration.string, "--state",
                site.site.tracker.settings.state.string,
            ])
            #expect(String(decoding: doctor.output, as: UTF8.self).contains("needs a passphrase"), "\(doctor)")
        }

        @Test(.timeLimit(.minutes(1)), arguments: [120, 40])
        func `a long TMPDIR, and one that is not there, is no obstacle`(_ length: Int) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            try site.start()
            let place = site.site.scratch.path / Path(String(repeating: "t", count: length))
            if length > 100 { try Disk.makeDirectory(place) }
            let done = try site.sync("--allow-deletes", environment: ["TMPDIR": place.string])
            #expect(done.isSuccess, "\(done)")
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Self.hasIPv6, "needs ::1"))
        func `an IPv6 address is a target`() throws {
            let server = try SSHServer(address: "[::1]")
            let site = try SyncSite(over: server, trustsHost: false)
            try site.start("--host-key", try fingerprint(server))
            try expectCopied(site, "over IPv6")
            #expect(try site.restore("a-backup/later", to: site.site.scratch.path / "back").isSuccess)
        }

        private static let hasIPv6 = (try? run(["sh", "-c", "grep -q ' lo$' /proc/net/if_inet6"]).isSuccess) == true

        @Test(.timeLimit(.minutes(1))) func `a jump host is passed with the same care`() throws {
            let bastion = try SSHServer()
            let server = try SSHServer()
            // One key for both.
            try Disk.write(bastion.scratch.path / "authorized_keys", Disk.read(server.scratch.path / "client_key.pub"))
            let copy = server.target / "copy"
            try server.receiver.makeDirectory(copy)
            let site = try SyncSite(
                target: "\(server.user)@\(server.address):\(copy)", copy: copy,
                more: """
                    ssh = { port = \(server.port), identity = "\(server.identity)", jump = "\(bastion.user)@127.0.0.1:\(bastion.port)" }
                    """)
            try site.site.start()
            let first = try site.sync("init")
            #expect(try first.status == .exited(78) && first.errors.contains(fingerprint(bastion)), "\(first)")
            let second = try site.sync("init", "--host-key", try fingerprint(bastion))
            #expect(try second.status == .exited(78) && second.errors.contains(fingerprint(server)), "\(second)")
            let made = try site.sync("init", "--host-key", try fingerprint(server))
            #expect(made.isSuccess, "\(made)")
            try expectCopied(site, "through the bastion")
            #expect(bastion.diagnosis.contains("Accepted publickey"))
            #expect(
                try Disk.read(site.site.tracker.settings.state / "offsite/known_hosts").filter { $0 == 0x0A }.count == 2
            )
        }

        /// As DSM does for those who are no administrators: rsync, and a word for everything else.
        @Test(.timeLimit(.minutes(1)), arguments: [255, 1])
        func `a login that may only run rsync copies, and says what it cannot`(_ status: Int) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            let only =
                "case $SSH_ORIGINAL_COMMAND in 'rsync '*) exec $SSH_ORIGINAL_COMMAND;; "
                + "*) echo Permission denied, please try again. >&2; exit \(status);; esac"
            try server.allow(keyOptions: "command=\"\(only)\"")
            try site.site.start()
            let made = try site.sync("init")
            #expect(made.isSuccess, "\(made)")
            #expect(String(decoding: made.output, as: UTF8.self).contains("runs rsync only"), "\(made)")
            site.comparing = CopyComparison.droppedOwnership
            try expectCopied(site, "by rsync alone")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `BusyBox's flock keeps receivers apart as well`() throws {
            let bin = try Scratch()
            try Disk.changeMode(bin.path, 0o755)
            let flock = bin.path / "flock"
            let text = """
                #!/bin/sh
                for word; do case $word in -E) echo "flock: invalid option -- 'E'" >&2; exit 1;; esac; done
                exec /usr/bin/flock "$@"

                """
            try Disk.write(flock, Array(text.utf8))
            try Disk.changeMode(flock, 0o755)
            let server = try SSHServer(searchPath: bin.path)
            let site = try SyncSite(over: server)
            try site.site.start()
            let made = try site.sync("init")
            #expect(String(decoding: made.output, as: UTF8.self).contains("receiver: rsync"), "\(made)")
            try expectCopied(site, "with BusyBox")
            let holder = try ChildProcess(
                ["flock", "\(site.copy)/.nfs-changes/lock", "sleep", "60"], output: (bin.path / "out", bin.path / "err")
            )
            defer { holder.signal(SIGKILL) }
            try Disk.write(site.site.root / "locked")
            let isHeld = try wait(atMost: 10, every: 20) {
                try !run(["flock", "-n", "\(site.copy)/.nfs-changes/lock", "true"]).isSuccess
            }
            #expect(isHeld)
            let busy = try site.sync()
            #expect(busy.status == .exited(75) && busy.errors.contains("another receiver"), "\(busy)")
        }
    }
}
