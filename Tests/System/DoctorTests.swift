import Glibc
import LinuxKernel
import Testing

/// One line of `changes doctor --json`.
struct DoctorFinding: Equatable {
    var check: String
    var state: String
    var text: String
    var remedy: String

    static func all(_ output: [UInt8]) throws -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        var lines = JSONLines(output)
        while let line = try lines.next() {
            func text(_ key: String) -> String {
                if case .string(let bytes)? = line[key] { return String(decoding: bytes, as: UTF8.self) }
                return ""
            }
            findings.append(
                DoctorFinding(
                    check: text("check"), state: text("state"), text: text("text"), remedy: text("remedy")))
        }
        return findings
    }
}

/// A scratch place that `changes doctor` is asked about.
struct DoctorSite {
    let scratch: Scratch
    var root: Path { scratch.path / "srv/a-backup" }
    var configuration: Path { scratch.path / "config.toml" }

    init(log: String = "log/changes.log", more: String = "") throws {
        scratch = try Scratch()
        for name in ["srv", "srv/a-backup", "srv/a-backup/sub", "log", "state"] {
            try Disk.makeDirectory(scratch.path / Path(name))
        }
        let text = """
            [watch]
            roots = ["\(scratch.path.string)/srv/*-backup"]
            [log]
            path = "\(scratch.path.string)/\(log)"
            \(more)
            [store]
            directory = "\(scratch.path.string)/state"
            max_size = "1MiB"

            """
        try Disk.write(configuration, Array(text.utf8))
    }

    /// Runs the command and expects that its exit status fits what it says.
    func findings(wrapper: [String] = [], _ more: [String] = []) throws -> [DoctorFinding] {
        let command = wrapper + [Tracker.binary, "doctor", "--json", "--config", configuration.string] + more
        let completed = try run(command)
        let findings = try DoctorFinding.all(completed.output)
        let isBad = findings.contains { ["warning", "problem"].contains($0.state) }
        #expect(completed.status == .exited(isBad ? 1 : 0), "\(completed.errors)")
        #expect(completed.errors.isEmpty, "\(completed.errors)")
        #expect(findings.allSatisfy { ($0.state == "ok") == $0.remedy.isEmpty })
        return findings
    }

    /// The findings of one check that are more than `ok`.
    func findings(of check: String, wrapper: [String] = []) throws -> [DoctorFinding] {
        try findings(wrapper: wrapper).filter { $0.check == check && $0.state != "ok" }
    }
}

extension CommandSystemTests {
    @Suite struct DoctorTests {
        /// The checks that are about the scratch place and not about this machine.
        private let own = ["configuration", "kernel", "roots", "inotify", "log", "store"]

        @Test(.timeLimit(.minutes(1))) func aSiteThatIsAllRight() throws {
            let site = try DoctorSite()
            let before = try Listing([site.scratch.path])
            let findings = try site.findings().filter { own.contains($0.check) }
            #expect(findings.allSatisfy { $0.state == "ok" }, "\(findings)")
            #expect(Set(findings.map(\.check)) == Set(own))
            #expect(findings.contains { $0.check == "inotify" && $0.text.contains("2 directories") }, "\(findings)")
            #expect(try Listing([site.scratch.path]).entries == before.entries, "it changed something")
        }

        @Test(.timeLimit(.minutes(1))) func whileTheTrackerRunsItKnowsTheIndex() throws {
            let site = try Site()
            for name in ["x", "x/y", "x/y/z"] { try Disk.makeDirectory(site.root / Path(name)) }
            try site.start()
            let text =
                "[watch]\nroots = [\"\(site.base.string)/*-backup\"]\n[log]\npath = \"\(site.tracker.settings.log)\"\n"
            let file = site.scratch.path / "doctor.toml"
            try Disk.write(file, Array(text.utf8))
            let completed = try run(
                [Tracker.binary, "doctor", "--config", file.string, "--state", site.tracker.settings.state.string])
            let output = String(decoding: completed.output, as: UTF8.self)
            #expect(output.contains("4 directories of the index"), "\(output)")
            #expect(output.contains(site.tracker.settings.state.string + ": 4 directories, "), "\(output)")
            #expect(!output.contains("\u{1B}"))
            try Disk.write(site.root / "x/file")
            try site.expectComplete()
            site.tracker.stop()
        }

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: Privilege.canMakeUserNamespace, "needs unprivileged user namespaces"))
        func tooFewWatches() throws {
            let site = try DoctorSite()
            for number in 0..<60 { try Disk.makeDirectory(site.root / Path("d\(number)")) }
            let limited = [
                "unshare", "-Ur", "sh", "-c", "echo 50 >/proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"",
            ]
            let found = try site.findings(of: "inotify", wrapper: limited)
            #expect(found.map(\.state) == ["problem"])
            #expect(found.first?.text.hasPrefix("50 watches") == true && found[0].text.contains("62 directories"))
            #expect(found.first?.remedy.contains("sysctl -w user.max_inotify_watches=524288") == true, "\(found)")
        }

        @Test(.timeLimit(.minutes(1))) func rootsThatAreNone() throws {
            let site = try DoctorSite()
            try Disk.makeDirectory(site.scratch.path / "real")
            try Disk.symlink(site.scratch.path / "real", at: site.scratch.path / "srv/s-backup")
            let linked = try site.findings(of: "roots")
            #expect(linked.map(\.state) == ["problem"] && linked[0].text.contains("srv/s-backup is a symlink"))
            #expect(linked.first?.remedy.contains(site.scratch.path.string + "/real") == true)

            try Disk.unlink(site.scratch.path / "srv/s-backup")
            try Disk.rename(site.root, site.scratch.path / "srv/a-other")
            #expect(try site.findings(of: "roots").map(\.state) == ["warning"])
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func aRootOnAForeignFileSystem() throws {
            let site = try DoctorSite()
            try Disk.makeDirectory(site.scratch.path / "srv/net-backup")
            let mounted = try AutomountPoint(at: site.scratch.path / "srv/net-backup")
            let found = try site.findings(of: "roots")
            #expect(found.map(\.state) == ["problem"])
            #expect(
                found.first?.text.contains("net-backup") == true
                    && found[0].text.contains("changes made by others are invisible"), "\(found)")
            #expect(found.first?.remedy.contains("on the file server") == true)
            withExtendedLifetime(mounted) {}
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.isRoot, "needs root to run as somebody else"))
        func anotherUserIsToldWhatIsHidden() throws {
            let site = try DoctorSite()
            try Disk.changeMode(site.root / "sub", 0o700)
            let other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
            let findings = try site.findings(wrapper: other)
            #expect(findings.contains { $0.check == "permissions" && $0.state == "note" })
            #expect(findings.contains { $0.check == "roots" && $0.text.contains("a-backup/sub cannot be read") })
            #expect(
                findings.contains { $0.check == "log" && $0.state == "problem" && $0.text.contains("not writable") })
        }

        @Test(.timeLimit(.minutes(1))) func aLogThatCannotBeWritten() throws {
            let site = try DoctorSite(log: "nosuch/changes.log")
            let missing = try site.findings(of: "log")
            #expect(missing.map(\.state) == ["problem"] && missing[0].remedy.contains("mkdir -p"))

            let linked = try DoctorSite()
            try Disk.symlink("/dev/null", at: linked.scratch.path / "log/changes.log")
            #expect(try linked.findings(of: "log").map(\.state) == ["problem"])

            let unmounted = try DoctorSite(more: "require_mount = \"/nonexistent\"")
            #expect(try unmounted.findings(of: "log").first?.text.contains("nothing is mounted") == true)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func disksThatAreFullOrReadOnly() throws {
            let site = try DoctorSite()
            let log = try Mounted(tmpfsAt: site.scratch.path / "log", size: "1m")
            try require(["dd", "if=/dev/zero", "of=\(log.path)/filler", "bs=4096", "count=200", "status=none"])
            let full = try site.findings(of: "log")
            #expect(full.map(\.state) == ["problem"] && full[0].text.contains("tmpfs"), "\(full)")
            try log.remount("ro")
            #expect(try site.findings(of: "log").contains { $0.text.contains("read-only file system") })
            try log.unmount()

            let state = try Mounted(tmpfsAt: site.scratch.path / "state", size: "4m")
            try require(["dd", "if=/dev/zero", "of=\(state.path)/filler", "bs=4096", "count=900", "status=none"])
            #expect(try site.findings(of: "store").map(\.state) == ["problem"])
        }

        @Test(.timeLimit(.minutes(1))) func anOldWatcherThatStillRuns() throws {
            let site = try DoctorSite()
            let program = site.scratch.path / "inotifywait"
            try require(["cp", "/bin/sleep", program.string])
            let child = try ChildProcess([program.string, "600"])
            // The name is the program's from execve(2) on.
            let isRunning = try wait(atMost: 5, every: 5) {
                try site.findings(of: "old watcher").contains { $0.text.contains("process \(child.pid)") }
            }
            #expect(isRunning)
            let found = try site.findings(of: "old watcher").first { $0.text.contains("process \(child.pid)") }
            #expect(found?.state == "warning" && found?.text.contains("\(program) 600") == true, "\(found as Any)")
        }

        @Test(.timeLimit(.minutes(1))) func aBadConfiguration() throws {
            let site = try DoctorSite()
            try Disk.write(site.configuration, Array("[watch]\nroot = []\n".utf8))
            let found = try site.findings(of: "configuration")
            #expect(found.map(\.state) == ["problem"] && found[0].text.contains("config.toml:2: watch.root"))
            #expect(try run([Tracker.binary, "doctor", "--config", "/nonexistent"]).status == .exited(1))
        }
    }
}
