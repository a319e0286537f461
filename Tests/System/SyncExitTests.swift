import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// How a run ends for each end of rsync (design: the table of exit statuses), and what becomes of the rest.
    @Suite struct SyncExitTests {
        /// What rsync says, and what the worker makes of it.
        private struct Row {
            let status: Int32
            var saying = ""
            let worker: Int32
            /// In the worker's message.
            let message: String
            /// What of rsync's command line tells the run that is meant.
            var run = "--partial-dir"
        }

        private static let rows: [Row] = [
            Row(
                status: 11, saying: "rsync: write failed on \"x\": No space left on device (28)", worker: 75,
                message: "found the destination full"),
            Row(
                status: 23, saying: "rsync: write failed on \"x\": Disk quota exceeded (122)", worker: 75,
                message: "found the destination full"),
            Row(
                status: 11, saying: "mkdir \"x\" failed: No such file or directory (2)", worker: 75,
                message: "mount the missing"
            ),
            Row(
                status: 23, saying: "mkstemp \"x\" failed: Read-only file system (30)", worker: 1, message: "Read-only"),
            Row(status: 3, worker: 75, message: "did not find"),
            Row(status: 75, worker: 75, message: "another receiver"),
            Row(status: 255, saying: "nas: Permission denied (publickey).", worker: 1, message: "correct what it says"),
            Row(status: 12, saying: "rsync: unknown option: --x", worker: 1, message: "correct what it says"),
            Row(status: 25, worker: 1, message: "max_delete", run: "--delete-missing-args"),
            Row(status: 10, worker: 75, message: "it is retried", run: "--delete-missing-args"),
        ]
        private static let passing: [Row] = [10, 12, 20, 30, 35, 255].map {
            Row(status: $0, worker: 75, message: "it is retried")
        }
        private static let permanent: [Row] = [1, 2, 4, 5, 13, 14, 21, 22, 99, 127].map {
            Row(status: $0, worker: 1, message: "correct what it says")
        }

        @Test(.timeLimit(.minutes(1))) func eachStatusKeepsTheCursor() throws {
            let site = try SyncSite()
            let root = site.site.root
            for name in ["kept", "gone"] { try Disk.write(root / Path(name)) }
            try site.start()
            try site.syncFully()
            let puts = try site.fake([.passes])
            let deletions = try FakeRsync(
                in: site.copy / ".nfs-changes/other", [.passes], for: "--delete-missing-args")
            for (number, row) in (Self.rows + Self.passing + Self.permanent).enumerated() {
                let fake = row.run == "--partial-dir" ? puts : deletions
                try fake.behave([.exits(row.status, saying: row.saying + "\n")])
                try Disk.write(root / Path("file\(number)"))
                if Disk.exists(root / "gone") { try Disk.unlink(root / "gone") }
                let before = try site.cursor
                let ended = try site.sync(environment: fake.environment)
                #expect(ended.status == .exited(row.worker), "\(row): \(ended)")
                #expect(
                    ended.errors.contains(row.message) && ended.errors.contains("exit status \(row.status)"),
                    "\(row): \(ended)")
                #expect(try site.cursor == before, "\(row)")
                #expect(Disk.exists(site.copy / "a-backup/gone"), "\(row)")
            }
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
        }

        /// What vanished meanwhile, and a receiver that refuses deletion by list.
        @Test(.timeLimit(.minutes(1))) func whatCanBeHelpedAtOnceIs() throws {
            let site = try SyncSite()
            let root = site.site.root
            for name in ["kept", "gone", "[gone]*"] { try Disk.write(root / Path(name)) }
            try site.start()
            try site.syncFully()
            try Disk.write(root / "new")
            let puts = try site.fake([.exits(24, saying: "file has vanished\n"), .passes])
            let vanished = try site.sync(environment: puts.environment)
            #expect(vanished.isSuccess, "\(vanished)")
            #expect(try puts.calls().count == 2)
            try site.expectEqual()

            try Disk.unlink(root / "gone")
            try Disk.unlink(root / "[gone]*")
            try Disk.write(site.copy / "a-backup/extra")
            let deletions = try FakeRsync(
                in: site.copy / ".nfs-changes/other", [.exits(2, saying: "invalid file mode 00 for ./x\n")],
                for: "--delete-missing-args")
            let deleted = try site.sync(environment: deletions.environment)
            #expect(deleted.isSuccess, "\(deleted)")
            #expect(try site.copied() == ["a-backup", "a-backup/extra", "a-backup/kept", "a-backup/new"])
        }

        /// One path that always fails: the rest arrives, and it is tried again when it is renamed or when asked.
        @Test(.timeLimit(.minutes(1))) func onePathThatFailsIsQuarantined() throws {
            let site = try SyncSite()
            let root = site.site.root
            try Disk.makeDirectory(root / "dir")
            try site.start()
            try site.syncFully()
            for number in 0..<40 { try Disk.write(root / Path("dir/f\(number)")) }
            let fake = try site.fake([.failsFor("a-backup/dir/f7")])
            let first = try site.sync(environment: fake.environment)
            #expect(first.status == .exited(1), "\(first)")
            #expect(
                first.errors.contains("quarantined \(root)/dir/f7: ") && first.errors.contains("Permission denied"),
                "\(first)")
            #expect(try Disk.names(of: site.copy / "a-backup/dir").count == 39)
            let calls = try fake.calls().count
            #expect(calls <= 16, "\(calls)")

            // A new process tries it no more, but says so, and carries the rest.
            try fake.behave([.failsFor("a-backup/dir/f7")])
            try Disk.write(root / "dir/more")
            let second = try site.sync(environment: fake.environment)
            #expect(second.status == .exited(1) && second.errors.contains("1 path is quarantined"), "\(second)")
            #expect(try fake.calls().count == 1 && Disk.exists(site.copy / "a-backup/dir/more"))

            // It is found under another name of its directory.
            try Disk.rename(root / "dir", root / "renamed")
            try fake.behave([.failsFor("a-backup/renamed/f7")])
            let third = try site.sync(environment: fake.environment)
            #expect(
                third.status == .exited(1) && third.errors.contains("quarantined \(root)/renamed/f7: "), "\(third)")
            #expect(try Disk.names(of: site.copy / "a-backup/renamed").count == 40)
            #expect(!Disk.exists(site.copy / "a-backup/dir"))

            let unasked = try site.sync()
            #expect(unasked.status == .exited(1) && !Disk.exists(site.copy / "a-backup/renamed/f7"), "\(unasked)")
            #expect(try site.sync("resume").isSuccess)
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
        }

        /// Somebody tidied up at the destination.
        @Test(.timeLimit(.minutes(1))) func theDirectoryForTemporaryFilesIsMadeAnew() throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "one")
            try site.start()
            try site.syncFully()
            try Disk.removeTree(site.copy / ".nfs-changes/tmp")
            try Disk.write(site.site.root / "two")
            let completed = try site.sync()
            #expect(completed.isSuccess, "\(completed)")
            try site.expectEqual()
        }

        /// What a receiver without rights cannot write or delete.
        @Test(
            .thorough, .timeLimit(.minutes(1)), .enabled(if: Privilege.isRoot, "needs root"),
            .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func whatTheReceiverMayNotTouchIsSetAside() throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            let root = site.site.root
            for name in ["closed", "open"] {
                try Disk.makeDirectory(root / Path(name))
                for file in ["one", "two"] { try Disk.write(root / Path("\(name)/\(file)")) }
            }
            try site.start()
            try site.syncFully()
            try site.expectEqual()
            let closed = site.copy / "a-backup/closed"
            try Disk.changeOwner(closed, 0, 0)
            for name in ["closed/one", "open/one"] { try Disk.unlink(root / Path(name)) }
            try Disk.write(root / "closed/new")
            try Disk.write(root / "open/new")
            // The new file, the one to be deleted, and the directory, whose time cannot be set.
            let first = try site.sync()
            #expect(first.status == .exited(1), "\(first)")
            #expect(
                first.errors.contains("quarantined 3 paths") && first.errors.contains("the first \(root)/closed"),
                "\(first)")
            #expect(Disk.exists(site.copy / "a-backup/open/new") && !Disk.exists(site.copy / "a-backup/open/one"))
            try Disk.changeOwner(closed, server.receiver.user, server.receiver.group)
            #expect(try site.sync("resume").isSuccess)
            let last = try site.sync()
            #expect(last.isSuccess, "\(last)")
            try site.expectEqual()
        }
    }
}
