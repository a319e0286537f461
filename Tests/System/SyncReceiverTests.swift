import ChangeStore
import Glibc
import Testing

extension ReceiverSystemTests {
    /// What the other side can do is tried before it is relied on, and again when one of the rsyncs is another.
    @Suite struct SyncReceiverTests {
        /// An rsync that keeps its arguments, says of its version what a file does, and refuses what another file names.
        private struct Receiver {
            let scratch: Scratch
            var version: Path { scratch.path / "version" }
            private var arguments: Path { scratch.path / "log/arguments" }

            /// - Parameter tracer: a command that runs what follows it.
            init(refusing option: String = "none", through tracer: String = "") throws {
                scratch = try Scratch()
                try Disk.makeDirectory(scratch.path / "log")
                try Disk.changeMode(scratch.path / "log", 0o777)
                let real = Path(try run(["sh", "-c", "command -v rsync"]).output.filter { $0 != 0x0A })
                let script = """
                    #!/bin/sh
                    if test "$1" = --version; then cat \(version); exit; fi
                    echo "$@" >>\(arguments)
                    case " $* " in *" \(option) "*) echo "invalid file mode 00 for nothing" >&2; exit 2;; esac
                    exec \(tracer) \(real) "$@"

                    """
                try Disk.write(scratch.path / "rsync", Array(script.utf8))
                try Disk.changeMode(scratch.path / "rsync", 0o755)
                try say(version: "3.9.1")
            }

            func say(version: String) throws {
                try Disk.write(self.version, Array("rsync  version \(version)  protocol version 32\n".utf8))
            }

            /// How many runs deleted by list since the last call.
            func takeDeletions() throws -> Int {
                let text = Disk.exists(arguments) ? String(decoding: try Disk.read(arguments), as: UTF8.self) : ""
                try Disk.write(arguments, [])
                try Disk.changeMode(arguments, 0o666)
                return text.split(separator: "\n").filter { $0.contains("--delete-missing-args") }.count
            }
        }

        private func known(_ site: SyncSite) throws -> String {
            let consumer = try Consumer(name: SyncSite.name, stateDirectory: site.site.tracker.settings.state.bytes)
            return String(decoding: try consumer.note("receiver") ?? [], as: UTF8.self)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func eachVersionIsTriedOnce() throws {
            let receiver = try Receiver()
            let server = try SSHServer(searchPath: receiver.scratch.path)
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try site.start()
            #expect(try receiver.takeDeletions() == 1)
            #expect(try known(site).contains("version 3.9.1"))
            try Disk.write(site.site.root / "one")
            try site.syncFully()
            #expect(try receiver.takeDeletions() == 0)
            try receiver.say(version: "3.9.2")
            try site.syncFully()
            #expect(try receiver.takeDeletions() == 1)
            #expect(try known(site).contains("version 3.9.2"))
            try site.syncFully()
            #expect(try receiver.takeDeletions() == 0)
            try site.expectEqual()
            #expect(try Disk.names(of: site.copy / ".nfs-changes/tmp").isEmpty)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func whatRefusesDeletionByListDeletesByFilter() throws {
            let receiver = try Receiver(refusing: "--delete-missing-args")
            let server = try SSHServer(searchPath: receiver.scratch.path)
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try site.start()
            #expect(try receiver.takeDeletions() == 1)
            #expect(try !known(site).contains("deletion-by-list"))
            try Disk.makeDirectory(site.site.root / "directory")
            try Disk.write(site.site.root / "directory/file")
            try site.syncFully()
            try Disk.removeTree(site.site.root / "directory")
            try site.syncFully()
            try site.expectEqual()
            #expect(try receiver.takeDeletions() == 0)
        }

        /// Where no command can sync the disk, rsync does it file by file.
        @Test(.timeLimit(.minutes(1)), .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"))
        func aDaemonSyncsFiles() throws {
            let daemon = try RsyncDaemon()
            defer { daemon.server.stop() }
            let site = try SyncSite(over: daemon)
            try site.start()
            let known = try known(site)
            #expect(known.contains("Protocol versions: remote=") && known.contains("\nfsync"), "\(known)")
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aRestrictedKeySyncsFiles() throws {
            let server = try SSHServer()
            defer { server.server.stop() }
            let site = try SyncSite(over: server, isRestricted: true)
            try site.start()
            let known = try known(site)
            #expect(known.contains("Protocol versions: remote=") && known.contains("\nfsync"), "\(known)")
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aKeyThatIsRestrictedLaterIsTold() throws {
            let server = try SSHServer()
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try site.start()
            try Disk.write(site.site.root / "one")
            try site.syncFully()
            try server.allow(keyOptions: SSHServer.restricted(to: "/"))
            try Disk.write(site.site.root / "two")
            let told = try site.sync()
            #expect(told.status == .exited(1) && told.errors.contains("`changes sync init offsite` again"), "\(told)")
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aFileSystemWithoutAttributesKeepsNoOwners() throws {
            let site = try SyncSite(more: #"ownership = "fake-super""#)
            try require(["mount", "-t", "ramfs", "none", site.copy.string])
            defer { _ = try? run(["umount", site.copy.string]) }
            let refusal = #expect(throws: CommandFailed.self) { try site.start() }
            #expect(refusal?.errors.contains("keeps no extended attributes") == true, "\(String(describing: refusal))")
        }

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"),
            .enabled(if: Programs.obstacle("strace") == nil, "needs strace"))
        func aFileSystemWithoutHardLinksIsNoPlaceForACopy() throws {
            // As link(2) fails on FAT.
            let receiver = try Receiver(through: "strace -f -o /dev/null -e inject=link,linkat:error=EPERM")
            let server = try SSHServer(searchPath: receiver.scratch.path)
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            let refusal = #expect(throws: CommandFailed.self) { try site.start() }
            #expect(refusal?.errors.contains("has no hard links") == true, "\(String(describing: refusal))")
        }
    }
}
