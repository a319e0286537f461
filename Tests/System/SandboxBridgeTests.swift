import Glibc
import LinuxKernel
import Offsite
import Testing

extension CommandSystemTests {
    /// The way of a sandboxed rsync to its ssh outside.
    @Suite(.enabled(if: Privilege.canMount, "\(Privilege.needsMount)")) struct SandboxBridgeTests {
        /// Drops the options and the host, as ssh does, and runs the command here.
        private static let shell = #"""
            while [ "$1" != nas ]; do shift; done
            shift
            exec sh -c "$*"
            """#

        private func ssh(_ program: Path, host: String = "nas") -> SenderSandbox.Destination {
            .ssh(command: [program.bytes, Array("-p".utf8), Array("22".utf8)], host: Array(host.utf8))
        }

        private func sending(_ site: SandboxSite, _ options: String...) -> [String] {
            ["rsync", "-a", "--from0", "--files-from=-"] + options
                + [site.source.string + "/", "me@nas:\(site.copy.string)/"]
        }

        @Test(.timeLimit(.minutes(1))) func filesGoThroughAndNothingElse() throws {
            let site = try SandboxSite()
            let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
            try Disk.write(site.source / "file", [])
            try Disk.write(site.source / "small", Array("small".utf8))
            try Disk.withOpen(site.source / "large", O_WRONLY | O_CREAT) { descriptor in
                try content.withUnsafeBytes { try writeAll($0, to: descriptor) }
            }
            try Disk.makeDirectory(site.outside / "d")
            try Disk.write(site.outside / "d/secret", Array("secret".utf8))
            try Disk.symlink(site.outside / "d", at: site.source / "d")
            let program = try site.script("ssh", Self.shell)
            let list = "./file\0./small\0./large\0"
            let sent = try site.start(sending(site), list: list, to: ssh(program))
            #expect(try sent.finish() == 0, "\(sent.errors)")
            #expect(try Disk.read(site.copy / "large") == content)
            let leak = try site.start(
                sending(site, "--no-implied-dirs"), list: "./small\0./d/secret\0", to: ssh(program))
            #expect(try leak.finish() == 23, "\(leak.errors)")
            #expect(!Disk.exists(site.copy / "d/secret"))
        }

        @Test(.timeLimit(.minutes(1)), arguments: [255, 12, 75, 127])
        func theExitStatusComesBack(status: Int32) throws {
            let site = try SandboxSite()
            try Disk.write(site.source / "file")
            let program = try site.script("ssh", "echo 'Permission denied' >&2; exit \(status)")
            let sent = try site.start(sending(site), list: "./file\0", to: ssh(program))
            // Without the bridge it is 12 every other time, whatever ssh says.
            #expect(try sent.finish() == status, "\(sent.errors)")
            #expect(sent.shellStatus == status)
            #expect(sent.errors.contains("Permission denied"), "\(sent.errors)")
        }

        /// The inside is not trusted with ssh's options, nor with the host.
        @Test(
            .timeLimit(.minutes(1)),
            arguments: [
                "-oProxyCommand=touch nas true", "other true", "nas -oProxyCommand=x true", "nas", "-l",
            ])
        func whatRsyncWouldNotAskIsRefused(arguments: String) throws {
            let site = try SandboxSite()
            let mark = site.scratch.path / "started"
            let program = try site.script("ssh", "touch \(mark.string)")
            // In the place of rsync, which gets `-e RELAY` first.
            let asking = try site.script("asking", #"relay=$2; shift 2; exec $relay "$@""#)
            let asked = try site.start(
                [asking.string] + arguments.split(separator: " ").map(String.init), to: ssh(program))
            #expect(try asked.finish() == 255)
            #expect(asked.errors.contains("refused"), "\(asked.errors)")
            #expect(!Disk.exists(mark), "\(asked.errors)")
        }

        @Test(.timeLimit(.minutes(1))) func aSignalToRsyncEndsEverything() throws {
            let site = try SandboxSite()
            try Disk.write(site.source / "file")
            // An ssh whose network hangs: it does not look at its pipes.
            let program = try site.script("ssh", "echo $$ > \(site.scratch.path.string)/pid; exec sleep 60")
            let sent = try site.start(sending(site), list: "./file\0", to: ssh(program))
            let pidFile = site.scratch.path / "pid"
            let isThere = wait(atMost: 10) { ((try? Disk.read(pidFile)) ?? []).last == 0x0A }
            #expect(isThere, "\(sent.errors)")
            let number = String(decoding: try Disk.read(pidFile).dropLast(), as: UTF8.self)
            let begin = MonotonicTime.now
            try sent.signal(SIGTERM)
            #expect(try sent.finish(atMost: 5) == 20, "\(sent.errors)")
            #expect(MonotonicTime.now < begin.advanced(milliseconds: 1_000))
            #expect(kill(pid_t(number)!, 0) == -1 && errno == ESRCH)
        }
    }
}
