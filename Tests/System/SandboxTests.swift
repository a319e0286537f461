import Glibc
import LinuxKernel
import Offsite
import Testing

extension CommandSystemTests {
    /// rsync in a mount namespace of its own: real rsync, real mounts.
    @Suite(.enabled(if: Privilege.canMount, "\(Privilege.needsMount)")) struct SandboxTests {
        @Test func itIsAvailableWhereItCanBe() {
            #expect(SenderSandbox.isAvailable)
        }

        @Test(.timeLimit(.minutes(1))) func aSwappedDirectoryLeaksNothing() throws {
            let site = try SandboxSite()
            try Disk.makeDirectory(site.source / "d")
            try Disk.write(site.source / "d/file", Array("inside".utf8))
            try Disk.write(site.source / "other", Array("other".utf8))
            try Disk.write(site.outside / "file", Array("secret".utf8))
            // What rsync sees when it opens, if the swap comes after its list: here it comes before.
            try Disk.rename(site.source / "d", site.scratch.path / "away")
            try Disk.symlink(site.outside, at: site.source / "d")
            let list = site.scratch.path / "list"
            try Disk.write(list, Array("./other\0./d/file\0".utf8))
            let arguments = ["--no-implied-dirs", site.source.string + "/"]

            let plain = try run(
                ["rsync", "-a", "--from0", "--files-from=\(list.string)"] + arguments + [site.copy.string + "/"])
            #expect(plain.isSuccess, "\(plain)")
            #expect(try Disk.read(site.copy / "d/file") == Array("secret".utf8))

            try Disk.removeTree(site.copy)
            try Disk.makeDirectory(site.copy)
            let boxed = try site.start(
                site.copying("--no-implied-dirs"), list: "./other\0./d/file\0", to: .local(site.copy.bytes))
            #expect(try boxed.finish() == 23, "\(boxed.errors)")
            #expect(!Disk.exists(site.copy / "d/file"), "\(boxed.errors)")
            #expect(try Disk.read(site.copy / "other") == Array("other".utf8))
        }

        @Test(.timeLimit(.minutes(1))) func onlyTheSourceIsThereAndNothingCanBeWritten() throws {
            let site = try SandboxSite()
            try Disk.write(site.source / "file")
            try Disk.makeDirectory(site.source / "mount")
            let mounted = try Mounted(tmpfsAt: site.source / "mount")
            try Disk.write(site.source / "mount/deep", Array("deep".utf8))
            let skeleton = site.scratch.path / "skeleton"
            let notes = site.scratch.path / "notes"
            for directory in [skeleton, notes] { try Disk.makeDirectory(directory) }
            let look = """
                cat "$1/mount/deep"; echo
                for place in "$1" "$1/mount" "$2" / /dev /usr/bin /etc; do
                    if (echo x > "$place/new") 2>/dev/null; then echo "wrote $place"; fi
                done
                echo noted > "$3/note" && echo x > /dev/null && head -c 1 /dev/urandom > /dev/null || echo "no devices"
                for name in /* /etc/*; do echo "$name"; done
                """
            let inspecting = try site.start(
                ["sh", "-c", look, "sh", site.source.string, skeleton.string, notes.string],
                readOnly: [skeleton], writable: [notes], to: .daemon)
            #expect(try inspecting.finish() == 0, "\(inspecting.errors)")
            let lines = inspecting.output.split(separator: "\n").map(String.init)
            #expect(lines.first == "deep", "\(inspecting.errors)")
            #expect(!lines.contains { $0.hasPrefix("wrote") || $0.hasPrefix("no devices") }, "\(lines)")
            #expect(Disk.exists(notes / "note"))
            let top = "/" + site.source.string.split(separator: "/")[0]
            let allowed = ["/bin", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/usr", top]
            let files = ["/etc/gai.conf", "/etc/hosts", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/resolv.conf"]
            #expect(lines.dropFirst().allSatisfy { allowed.contains($0) || files.contains($0) }, "\(lines)")
            // The host's own view is what it was.
            try Disk.write(site.source / "mount/deep")
            try mounted.unmount()
        }

        /// A kernel before 5.12, as strace(1) plays it.
        @Test(.timeLimit(.minutes(1)), .enabled(if: (try? run(["strace", "-V"]).isSuccess) == true, "needs strace"))
        func anOlderKernelMakesTheSame() throws {
            let site = try SandboxSite()
            try Disk.makeDirectory(site.source / "mount")
            let mounted = try Mounted(tmpfsAt: site.source / "mount")
            let write = """
                for place in "$1" "$1/mount" / /dev /usr/bin; do
                    if (echo x > "$place/new") 2>/dev/null; then echo "wrote $place"; fi
                done
                echo x > /dev/null && echo x > "$2/note" && echo done
                """
            let completed = try run([
                "strace", "-f", "-o", "/dev/null", "-e", "inject=mount_setattr:error=ENOSYS", Tracker.binary,
                "sandboxed-sender", "--source", site.source.string, "--bind-writable", site.copy.string, "--", "sh",
                "-c",
                write, "sh", site.source.string, site.copy.string,
            ])
            #expect(completed.isSuccess, "\(completed)")
            #expect(String(decoding: completed.output, as: UTF8.self) == "done\n", "\(completed)")
            try mounted.unmount()
        }

        @Test(.timeLimit(.minutes(1))) func rootIsLeftWithReadingOnly() throws {
            let site = try SandboxSite()
            let waiting = try site.start(["sleep", "60"], to: .daemon)
            // It is the child itself that became the program.
            let status = Path("/proc/\(waiting.process)/status")
            var text = ""
            let isThere = wait(atMost: 10) {
                text = String(decoding: (try? Disk.read(status)) ?? [], as: UTF8.self)
                return text.hasPrefix("Name:\tsleep")
            }
            #expect(isThere, "\(text) \(waiting.errors)")
            for line in ["CapInh:\t0000000000000000", "CapPrm:\t0000000000000004", "CapEff:\t0000000000000004"] {
                #expect(text.contains(line), "\(text)")
            }
            #expect(text.contains("CapBnd:\t0000000000000004") && text.contains("NoNewPrivs:\t1"), "\(text)")
            try waiting.signal(SIGTERM)
            #expect(try waiting.finish(atMost: 2) == 128 + SIGTERM)
        }

        /// A file that only another user may read, an owner to keep, and a device node.
        @Test(.timeLimit(.minutes(1))) func aLocalCopyKeepsOwners() throws {
            let site = try SandboxSite()
            try Disk.write(site.source / "file", Array("theirs".utf8))
            try Disk.changeOwner(site.source / "file", 1234, 2345)
            try Disk.changeMode(site.source / "file", 0o400)
            try require(["mknod", (site.source / "node").string, "c", "1", "3"])
            let copying = try site.start(
                site.copying("--numeric-ids"), list: "./file\0./node\0", to: .local(site.copy.bytes))
            #expect(try copying.finish() == 0, "\(copying.errors)")
            let status = try Disk.status(site.copy / "file")
            #expect(status.st_uid == 1234 && status.st_gid == 2345 && status.st_mode & 0o7777 == 0o400)
            #expect(try Disk.status(site.copy / "node").st_rdev == 0x103)
        }

        @Test(.timeLimit(.minutes(1))) func aStepThatFailsIsNamed() throws {
            let site = try SandboxSite()
            try Disk.symlink(site.source, at: site.scratch.path / "link")
            func failure(_ source: Path, _ command: String...) throws -> Completed {
                try run([Tracker.binary, "sandboxed-sender", "--source", source.string, "--"] + command)
            }
            for (source, command, message) in [
                (site.scratch.path / "missing", "true", "bind \(site.scratch.path)/missing: No such file or directory"),
                (site.scratch.path / "link", "true", "bind \(site.scratch.path)/link: Too many levels"),
                ("/", "true", "bind /: Invalid argument"),
                (site.source, "no-such-program", "find no-such-program: No such file or directory"),
            ] {
                let completed = try failure(source, command)
                #expect(completed.status == .exited(71), "\(completed)")
                #expect(completed.errors.hasPrefix("changes: sandboxed-sender: \(message)"), "\(completed)")
                #expect(completed.errors.split(separator: "\n").count == 1)
            }
            // Without the privilege.
            let plain = try run([
                "setpriv", "--bounding-set=-sys_admin", Tracker.binary, "sandboxed-sender", "--source",
                site.source.string, "--", "true",
            ])
            #expect(plain.status == .exited(71) && plain.errors.contains("unshare the mounts"), "\(plain)")
        }
    }
}
