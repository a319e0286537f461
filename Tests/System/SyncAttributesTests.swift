import Glibc
import Testing

extension ReceiverSystemTests {
    /// ACLs, extended attributes and modes, as the configuration has them.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct SyncAttributesTests {
        /// `u::rw-,u:5:r--,g::---,m::r--,o::---` as the kernel has it.
        private static let accessList: [UInt8] = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 5, 0, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255,
            16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
        ]

        private static let hasBoth: Bool = {
            guard let scratch = try? Scratch(), (try? Disk.write(scratch.path / "one")) != nil else { return false }
            return (try? Disk.setAttribute(scratch.path / "one", "user.test", [1])) != nil
                && (try? Disk.setAttribute(scratch.path / "one", "system.posix_acl_access", accessList)) != nil
        }()

        @Test(.timeLimit(.minutes(1)), .enabled(if: hasBoth, "the file system of the scratch directory keeps no ACLs"))
        func `ACLs and extended attributes are copied, verified and repaired`() throws {
            let server = try SSHServer()
            defer { server.server.stop() }
            let site = try SyncSite(over: server, more: "acls = true\nxattrs = true")
            site.comparing += ["--acls", "--xattrs"]
            let one = site.site.root / "one"
            try Disk.write(one)
            try Disk.setAttribute(one, "user.test", Array("value".utf8))
            try Disk.setAttribute(one, "system.posix_acl_access", Self.accessList)
            try site.start()
            try site.syncFully()
            try site.expectEqual()
            let names = try run(["getfattr", "-m", "-", "--absolute-names", (site.copy / "a-backup/one").string])
            if names.isSuccess {
                let text = String(decoding: names.output, as: UTF8.self)
                #expect(text.contains("user.test") && text.contains("system.posix_acl_access"), "\(text)")
            }
            #expect(try site.verify().isSuccess)
            try Disk.setAttribute(site.copy / "a-backup/one", "user.test", Array("other".utf8))
            let verified = try site.verify()
            let text = String(decoding: verified.output, as: UTF8.self)
            #expect(verified.status == .exited(1) && text == "metadata  a-backup/one\n", "\(verified) \(text)")
            _ = try site.verify("--repair")
            #expect(try site.verify().isSuccess)
            // A change of one is a change.
            try Disk.setAttribute(one, "user.test", Array("third".utf8))
            try site.syncFully()
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: hasBoth)) func `init refuses a receiver that keeps no ACLs`() throws
        {
            let scratch = try Scratch()
            let real = Path(try run(["sh", "-c", "command -v rsync"]).output.filter { $0 != 0x0A })
            // What one that was built without them says.
            let script = """
                #!/bin/sh
                case "$1 $2" in
                    "--server -"*A*e.*) echo "rsync: ACLs are not supported on this server" >&2; exit 1;;
                esac
                exec \(real) "$@"

                """
            try Disk.write(scratch.path / "rsync", Array(script.utf8))
            try Disk.changeMode(scratch.path / "rsync", 0o755)
            let server = try SSHServer(searchPath: scratch.path)
            defer { server.server.stop() }
            let site = try SyncSite(over: server, more: "acls = true")
            try site.site.start()
            let made = try site.sync("init")
            #expect(!made.isSuccess && made.errors.contains("keeps no ACLs (acls = true)"), "\(made)")
        }

        @Test(.timeLimit(.minutes(1))) func `modes that are dropped are left alone at the destination`() throws {
            let server = try SSHServer()
            defer { server.server.stop() }
            let site = try SyncSite(over: server, more: "permissions = \"drop\"")
            try Disk.makeDirectory(site.site.root / "d", mode: 0o700)
            try Disk.write(site.site.root / "d/one")
            try Disk.changeMode(site.site.root / "d/one", 0o400)
            try site.start()
            try site.syncFully()
            func mode(_ name: String) throws -> mode_t { try Disk.status(site.copy / Path(name)).st_mode & 0o7777 }
            // The receiver's umask decides.
            #expect(try mode("a-backup/d") == 0o755 && mode("a-backup/d/one") == 0o644)
            try Disk.changeMode(site.copy / "a-backup/d", 0o770)
            try Disk.changeMode(site.copy / "a-backup/d/one", 0o660)
            try Disk.changeMode(site.site.root / "d", 0o755)
            try Disk.changeMode(site.site.root / "d/one", 0o600)
            try site.syncFully()
            #expect(try mode("a-backup/d") == 0o770 && mode("a-backup/d/one") == 0o660)
            let verified = try site.verify()
            #expect(verified.isSuccess, "\(verified)")
            // Another setting of what is copied has everything looked at.
            let text = String(decoding: try Disk.read(site.configuration), as: UTF8.self)
            try Disk.write(
                site.configuration, Array(text.replacing("permissions = \"drop\"", with: "permissions = \"keep\"").utf8)
            )
            let changed = try site.sync()
            #expect(
                changed.isSuccess && changed.errors.contains("the configuration of what is copied changed"),
                "\(changed)")
            #expect(try mode("a-backup/d") == 0o755 && mode("a-backup/d/one") == 0o600)
            try site.expectEqual()
        }
    }
}
