import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// The unit of this repository under a real systemd, in its sandbox.
    @Suite(.enabled(if: Container.obstacle == nil, "\(Container.obstacle ?? "")"))
    struct SystemdTests {
        private let service: Service

        init() throws { service = try Service() }

        @Test(.timeLimit(.minutes(1))) func itStartsRecordsReloadsAndStops() throws {
            try service.mountDisk()
            try service.start()
            try service.expect("ActiveState", "active")
            let text = try service.show("StatusText")
            #expect(text.contains("1 root"), "\(text)")
            let status = try service.container.execute(["systemctl", "status", "--no-pager", Container.unit])
            #expect(String(decoding: status.output, as: UTF8.self).contains("Status: \"\(text)\""), "\(status)")

            let written = MonotonicTime.now
            try Disk.write(service.root / "first")
            #expect(try service.isLogged("first", atMost: 1), "\(service.diagnosis)")
            #expect(Double(MonotonicTime.now - written) / 1e9 < 1)

            let entries = try service.journal(["--output=json", "ROOT=/srv/nfs/x-backup"])
            #expect(entries.contains(#""ROOT":"/srv/nfs/x-backup""#), "\(service.diagnosis)")
            #expect(entries.contains(#""SYSLOG_IDENTIFIER":"changes""#) && entries.contains(#""PRIORITY":"6""#))

            let process = try service.show("MainPID")
            #expect(try service.container.execute(["systemctl", "reload", Container.unit]).isSuccess)
            #expect(try service.hasState("active"), "\(service.diagnosis)")
            try service.expect("MainPID", process)
            try Disk.write(service.root / "second")
            #expect(try service.isLogged("second", atMost: 1), "\(service.diagnosis)")

            let seconds = try measured { _ = try service.container.execute(["systemctl", "stop", Container.unit]) }
            #expect(seconds < 2)
            let isClean = try wait(atMost: 5) {
                try service.journal(["--output=cat"]).contains("ended: success exited 0")
            }
            #expect(isClean, "\(service.diagnosis)")
        }

        /// The unit leaves root one capability, CAP_DAC_READ_SEARCH.
        @Test(.timeLimit(.minutes(1))) func itTracksWhatOthersOwn() throws {
            try service.mountDisk()
            let nobody: uid_t = 65_534
            func make(_ name: Path) throws {
                try Disk.makeDirectory(service.root / name, mode: 0o700)
                try Disk.write(service.root / name / "file")
                try Disk.changeMode(service.root / name / "file", 0o600)
                try Disk.changeOwner(service.root / name / "file", nobody, nobody)
                try Disk.changeOwner(service.root / name, nobody, nobody)
            }
            try make("early")
            try Disk.changeMode(service.root, 0o700)
            try Disk.changeOwner(service.root, nobody, nobody)
            try service.start()
            let process = try service.container.execute(["cat", "/proc/\(service.show("MainPID"))/status"])
            let rights = String(decoding: process.output, as: UTF8.self)
            #expect(rights.contains("CapEff:\t0000000000000004\n"), "\(rights)")
            #expect(rights.contains("NoNewPrivs:\t1\n") && rights.contains("Seccomp:\t2\n"), "\(rights)")

            try Disk.write(service.root / "early" / "file", Array("more".utf8))
            try make("late")
            #expect(try service.isLogged("early/file", atMost: 1), "\(service.diagnosis)")
            #expect(try service.isLogged("late/file", atMost: 1), "\(service.diagnosis)")
            let verified = try service.container.execute(["changes", "verify", "index"])
            #expect(verified.isSuccess, "\(verified)")
            let text = try service.show("StatusText")
            #expect(!text.contains("degraded"), "\(service.diagnosis)")
        }

        /// In the sandbox the log's directory is always a mount point.
        @Test(.timeLimit(.minutes(1))) func itWaitsForTheDisk() throws {
            try service.require(mount: "/mnt/backup")
            try service.start()
            let mounts = try service.container.execute(["cat", "/proc/\(service.show("MainPID"))/mountinfo"])
            #expect(String(decoding: mounts.output, as: UTF8.self).contains(" /mnt/backup "), "\(mounts)")
            try Disk.write(service.root / "early")
            let isTold = try wait(atMost: 5, every: 50) { try service.show("StatusText").contains("mounted") }
            #expect(isTold, "\(service.diagnosis)")
            #expect(!Disk.exists(service.log))
            try service.mountDisk()
            #expect(try service.isLogged("early", atMost: 10), "\(service.diagnosis)")
            // The log is closed as soon as it is durable.
            let isUnmounted = try wait(atMost: 10, every: 100) {
                try service.container.execute(["umount", "/mnt/backup"]).isSuccess
            }
            #expect(isUnmounted, "\(service.diagnosis)")
            try Disk.write(service.root / "late")
            let isToldAgain = try wait(atMost: 5, every: 50) { try service.show("StatusText").contains("mounted") }
            #expect(isToldAgain, "\(service.diagnosis)")
            #expect(!Disk.exists(service.log))
            try service.mountDisk()
            #expect(try service.isLogged("late", atMost: 10), "\(service.diagnosis)")
        }

        /// Mounts reach the sandbox, and nothing in it keeps them from being unmounted.
        @Test(.timeLimit(.minutes(1))) func itTracksARootThatIsMountedLater() throws {
            try service.mountDisk()
            try service.start()
            try Disk.makeDirectory(service.container.path("/srv/nfs/y-backup"))
            let place = "/srv/nfs/y-backup"
            #expect(try service.container.execute(["mount", "-t", "tmpfs", "disk", place]).isSuccess)
            try Disk.write(service.container.path("/srv/nfs/y-backup/file"))
            #expect(try service.isLogged("/srv/nfs/y-backup/file", atMost: 2), "\(service.diagnosis)")
            let isUnmounted = try wait(atMost: 2) { try service.container.execute(["umount", place]).isSuccess }
            #expect(isUnmounted, "\(service.diagnosis)")
            try Disk.write(service.root / "last")
            #expect(try service.isLogged("last", atMost: 1), "\(service.diagnosis)")
            let deleted = try service.container.execute(["changes", "query", "--history", "--format", "json"])
            #expect(deleted.isSuccess && !String(decoding: deleted.output, as: UTF8.self).contains("deleted"))
        }

        @Test(.timeLimit(.minutes(1))) func aKilledOneIsStartedAgainAndMissesNothing() throws {
            try service.mountDisk()
            try service.start()
            try Disk.write(service.root / "before")
            try service.send("KILL")
            try Disk.write(service.root / "during")
            #expect(try service.hasRestarted(), "\(service.diagnosis)")
            try Disk.write(service.root / "after")
            for name in ["before", "during", "after"] as [Path] {
                #expect(try service.isLogged(name, atMost: 5), "\(service.diagnosis)")
            }
        }

        @Test(.timeLimit(.minutes(1))) func aStoppedOneIsEndedByTheWatchdog() throws {
            try service.mountDisk()
            try service.start()
            try service.send("STOP")
            try Disk.write(service.root / "during")
            #expect(try service.hasRestarted(), "\(service.diagnosis)")
            #expect(try service.isLogged("during", atMost: 5), "\(service.diagnosis)")
            #expect(
                try service.journal(["--output=cat"]).contains("ended: watchdog killed ABRT"), "\(service.diagnosis)")
        }
    }
}

/// The tracker as a unit in a container.
private final class Service {
    private let scratch: Scratch
    let container: Container

    init() throws {
        scratch = try Scratch()
        // systemd forgets how a unit ended that nobody refers to, so the unit itself says it.
        container = try Container(
            in: scratch.path,
            dropIn: """
                [Service]
                WatchdogSec=2s
                RestartSec=200ms
                ExecStopPost=/bin/sh -c 'echo ended: $$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS'

                """)
    }

    var root: Path { container.path("/srv/nfs/x-backup") }
    var log: Path { container.path("/mnt/backup/.nfs-changes.log") }

    func require(mount: Path) throws {
        try Disk.makeDirectory(container.path("/etc/nfs-changes"))
        let text = "[log]\nrequire_mount = \"\(mount.string)\"\n"
        try Disk.write(container.path("/etc/nfs-changes/config.toml"), Array(text.utf8))
    }

    func mountDisk() throws {
        let mounted = try container.execute(["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "disk", "/mnt/backup"])
        #expect(mounted.isSuccess, "\(mounted)")
    }

    /// Returns when it has sent READY=1.
    func start() throws {
        let started = try container.execute(["systemctl", "start", Container.unit])
        try #require(started.isSuccess, "\(started)\n\(diagnosis)")
    }

    func send(_ signal: String) throws {
        let sent = try container.execute(["systemctl", "kill", "--signal=SIG\(signal)", Container.unit])
        #expect(sent.isSuccess, "\(sent)")
    }

    /// A property of the unit.
    func show(_ property: String) throws -> String {
        let shown = try container.execute(["systemctl", "show", "--value", "--property=\(property)", Container.unit])
        return String(decoding: shown.output.dropLast(), as: UTF8.self)
    }

    func expect(_ property: String, _ value: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let shown = try show(property)
        #expect(shown == value, "\(property)\n\(diagnosis)", sourceLocation: sourceLocation)
    }

    func hasState(_ state: String) throws -> Bool {
        try wait(atMost: 15, every: 50) { try show("ActiveState") == state }
    }

    /// Whether systemd started it anew, and that one is ready.
    func hasRestarted() throws -> Bool {
        try wait(atMost: 15, every: 50) { try show("NRestarts") == "1" && show("ActiveState") == "active" }
    }

    /// - Parameter name: below the root, or absolute as the container has it.
    func isLogged(_ name: Path, atMost seconds: Double) throws -> Bool {
        let path = name.bytes.first == UInt8(ascii: "/") ? name : "/srv/nfs/x-backup" / name
        return try wait(atMost: seconds) {
            try Disk.exists(log) && ChangelogText.paths(Disk.read(log)).contains(path)
        }
    }

    func journal(_ arguments: [String]) throws -> String {
        let read = try container.execute(["journalctl", "--no-pager", "--unit=\(Container.unit)"] + arguments)
        return String(decoding: read.output, as: UTF8.self)
    }

    /// What to read when a test fails.
    var diagnosis: String {
        let status = (try? show("StatusText")) ?? ""
        return "status: \(status)\n\((try? journal(["--lines=30", "--output=short-monotonic"])) ?? "")"
    }
}
