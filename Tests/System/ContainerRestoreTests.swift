import Glibc
import Testing

extension SystemTests {
    /// The worst day from its beginning, on a host of its own: the program, the configuration and the key.
    @Suite(
        .thorough, .enabled(if: Container.obstacle == nil, "\(Container.obstacle ?? "")"),
        .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
    struct ContainerRestoreTests {
        @Test(.timeLimit(.minutes(2))) func `an empty host is what the old one was, and goes on with its copy`() throws
        {
            let scratch = try Scratch()
            let container = try Container(in: scratch.path)
            func run(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> Completed {
                let done = try container.execute(arguments, atMost: 60)
                try #require(done.isSuccess, "\(arguments): \(done)", sourceLocation: sourceLocation)
                return done
            }
            try startNAS(container)
            let root = container.path("/srv/nfs/x-backup")
            for week in ["2026-47", "2026-48"] as [Path] { try Disk.makeDirectory(root / week) }
            for index in 0..<200 {
                let name = Path("file \(index)")
                try Disk.write(root / "2026-47" / name, Array("content \(index)".utf8))
                if index % 10 == 0 { try Disk.changeMode(root / "2026-47" / name, 0o640) }
                try Disk.link(root / "2026-47" / name, root / "2026-48" / name)
            }
            try Disk.symlink("file 3", at: root / "2026-48/latest")
            _ = try run("systemctl", "start", Container.unit)
            let fingerprint = try fingerprint(container)
            _ = try run("changes", "sync", "init", "nas", "--host-key", fingerprint)
            _ = try run("changes", "sync", "nas", "--allow-deletes")
            let original = scratch.path / "original"
            try require(["cp", "-a", container.path("/srv/nfs").string, original.string])

            // The host is gone.
            _ = try run("systemctl", "stop", Container.unit)
            for path: Path in ["/srv/nfs", "/var/lib/nfs-changes"] { try Disk.removeTree(container.path(path)) }
            try Disk.write(container.path("/etc/machine-id"), Array("0123456789abcdef0123456789abcdef\n".utf8))

            let listed = try run("changes", "ls", "nas", "x-backup")
            #expect(String(decoding: listed.output, as: UTF8.self).contains("2026-48/"), "\(listed)")
            let restored = try run(
                "changes", "restore", "nas", "--all", "--to", "/srv/nfs", "--host-key", fingerprint)
            print("the day: \(restored.errors)")
            // rsync enters no directory through /proc.
            let back = scratch.path / "back"
            try require(["cp", "-a", container.path("/srv/nfs").string, back.string])
            let compared = try CopyComparison(
                original, back, options: SyncSite.dropping, excluding: [], comparesTop: false)
            #expect(compared.isEqual, "\(compared.differences)")
            _ = try run("systemctl", "start", Container.unit)
            _ = try run("changes", "sync", "init", "nas", "--adopt")
            let first = try run("changes", "sync", "nas", "--allow-deletes")
            let sent = try #require(first.bytesSent)
            print("sent again after the restore: \(sent) bytes of 401 files")
            #expect(sent < 40_000, "\(first.errors)")
            let verified = try run("changes", "verify", "nas", "--checksum")
            #expect(verified.isSuccess, "\(verified)")
        }

        private func fingerprint(_ container: Container) throws -> String {
            let key = try container.execute(["ssh-keygen", "-lf", "/etc/sshd/host.pub"])
            return String(decoding: key.output.split(separator: 0x20)[1], as: UTF8.self)
        }

        /// In the same container, which has no other network.
        private func startNAS(_ container: Container) throws {
            let place = container.path("/etc/sshd")
            for path: Path in ["/etc/sshd", "/etc/nfs-changes", "/volume1", "/volume1/nfs"] {
                try Disk.makeDirectory(container.path(path))
            }
            for name in ["host", "client"] as [Path] { try SSHServer.makeKey(place / name) }
            let server = """
                Port 2222
                ListenAddress 127.0.0.1
                HostKey /etc/sshd/host
                AuthorizedKeysFile /etc/sshd/client.pub
                PermitRootLogin yes
                StrictModes no
                PidFile none

                """
            try Disk.write(place / "config", Array(server.utf8))
            let configuration = """
                [[destination]]
                name = "nas"
                source = "/srv/nfs"
                target = "root@127.0.0.1:/volume1/nfs"
                ssh = { port = 2222, identity = "/etc/sshd/client" }
                settle = "0s"
                max_delete = "100%"

                """
            try Disk.write(container.path("/etc/nfs-changes/config.toml"), Array(configuration.utf8))
            let started = try container.execute([
                "sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd -f /etc/sshd/config -E /etc/sshd/log",
            ])
            try #require(started.isSuccess, "\(started)")
        }
    }
}
