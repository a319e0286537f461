import Glibc
import Testing

extension ReceiverSystemTests {
    /// What a destination's file system cannot hold is found by `init`, and said once.
    @Suite struct SyncLimitsTests {
        /// An rsync at the destination after which a script does to the odd files what another file system would.
        private struct Receiver {
            let scratch: Scratch

            init(_ script: String) throws {
                scratch = try Scratch()
                let real = Path(try run(["sh", "-c", "command -v rsync"]).output.filter { $0 != 0x0A })
                let text = """
                    #!/bin/sh
                    \(real) "$@"
                    status=$?
                    for top; do :; done
                    cd "$top/probe" 2>/dev/null || exit $status
                    \(script)
                    exit $status

                    """
                try Disk.write(scratch.path / "rsync", Array(text.utf8))
                try Disk.changeMode(scratch.path / "rsync", 0o755)
            }
        }

        private static let hasServer = SSHServer.obstacle == nil

        @Test(.timeLimit(.minutes(1)), .enabled(if: hasServer)) func `a destination that folds case is refused`() throws
        {
            // One file under both names, as a look at it by either would find.
            let receiver = try Receiver("test -e CASE && ln -f CASE case")
            let server = try SSHServer(searchPath: receiver.scratch.path)
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try site.site.start()
            let made = try site.sync("init")
            #expect(made.status == .exited(1) && made.errors.contains("names that differ only in case"), "\(made)")
            try Disk.write(site.site.root / "one")
            let run = try site.sync()
            #expect(!run.isSuccess && run.errors.contains("names that differ only in case"), "\(run)")
            #expect(try site.copied().isEmpty)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: hasServer))
        func `names that are too long are quarantined one by one and said once`() throws {
            let receiver = try Receiver(
                "for name in nn*; do if test ${#name} -gt 143; then rm -f $name; fi; done")
            let server = try SSHServer(searchPath: receiver.scratch.path)
            defer { server.server.stop() }
            let site = try SyncSite(over: server)
            try site.site.start()
            let made = try site.sync("init")
            let text = String(decoding: made.output, as: UTF8.self)
            #expect(made.isSuccess && text.contains("names of 143 bytes at most"), "\(made) \(text)")
            let long = Path(String(repeating: "x", count: 144))
            let fitting = Path(String(repeating: "x", count: 143))
            try Disk.makeDirectory(site.site.root / long)
            for name in [fitting, long / "inside", "short"] { try Disk.write(site.site.root / name) }
            let first = try site.sync()
            #expect(first.status == .exited(1), "\(first)")
            #expect(first.errors.contains("a name of 144 bytes: the destination takes 143 at most"), "\(first)")
            #expect(try site.copied() == ["a-backup", "a-backup/short", "a-backup/\(fitting)"])
            try site.sync("resume")
            let second = try site.sync()
            #expect(second.status == .exited(1) && !second.errors.contains("144 bytes"), "\(second)")
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canLoop))
        func `times that a destination cannot keep are no drift`() throws {
            let scratch = try Scratch()
            let mounted = try FileSystemKind.ext3.mount(in: scratch.path)
            defer { try? mounted.unmount() }
            let copy = mounted.path / "copy"
            try Disk.makeDirectory(copy)
            let site = try SyncSite(target: copy.string, copy: copy, more: "min_free = \"0%\"")
            let times = ["far": 13_600_000_000, "new": 2_240_000_000, "now": 1_700_000_001]
            for (name, time) in times {
                try Disk.write(site.site.root / Path(name), Array(name.utf8))
                try Disk.setModified(site.site.root / Path(name), seconds: time)
            }
            try site.site.start()
            let made = try site.sync("init")
            let text = String(decoding: made.output, as: UTF8.self)
            #expect(made.isSuccess && text.contains(" to 2038 only"), "\(made) \(text)")
            try site.syncFully()
            for words in [[], ["--repair"]] {
                let verified = try words.isEmpty ? site.verify() : site.verify("--repair")
                let listed = String(decoding: verified.output, as: UTF8.self)
                #expect(verified.isSuccess && verified.errors.contains("2 times that"), "\(verified)")
                #expect(listed == "unrepresentable  a-backup/far\nunrepresentable  a-backup/new\n", "\(listed)")
            }
            // What is in such a file counts all the same.
            try Disk.write(copy / "a-backup/far", Array("raf".utf8))
            let differing = try site.verify()
            let listed = String(decoding: differing.output, as: UTF8.self)
            #expect(differing.status == .exited(1) && listed.contains("content   a-backup/far\n"), "\(listed)")
            #expect(listed.contains("unrepresentable  a-backup/new\n"), "\(listed)")
            site.site.tracker.stop()
        }

        /// btrfs without extended references has room for some 1,100 such names in a directory; ext4 has 65,000.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canLoop && Programs.obstacle("mkfs.btrfs") == nil))
        func `names beyond the most that an inode may have are quarantined one by one`() throws {
            let scratch = try Scratch()
            let mounted = try Mounted(
                .btrfs, at: scratch.path / "mounted", image: scratch.path / "image", options: ["-O", "^extref"])
            defer { try? mounted.unmount() }
            let copy = mounted.path / "copy"
            try Disk.makeDirectory(copy)
            let site = try SyncSite(target: copy.string, copy: copy, more: "min_free = \"0%\"")
            let names = (0..<1_300).map { site.site.root / Path("n\($0)") }
            try Disk.write(names[0])
            for name in names.dropFirst() { try Disk.link(names[0], name) }
            try Disk.write(site.site.root / "other")
            try site.start()
            let first = try site.sync()
            let copied = try Disk.names(of: copy / "a-backup").filter { $0 != "other" }
            #expect(copied.count > 1_000 && copied.count < names.count, "\(first)")
            let left = names.count - copied.count
            #expect(first.status == .exited(1) && first.errors.contains("\(left) paths are quarantined"), "\(first)")
            #expect(try Disk.status(copy / "a-backup" / #require(copied.first)).st_nlink == copied.count)
            #expect(try site.copied().contains("a-backup/other"))
            let verified = try site.verify()
            #expect(verified.status == .exited(1) && verified.errors.contains("no difference in what"), "\(verified)")
            #expect(verified.errors.contains("\(left) paths are quarantined"), "\(verified)")
            site.site.tracker.stop()
        }
    }
}
