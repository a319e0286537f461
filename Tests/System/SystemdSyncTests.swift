import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// The offsite worker's unit under a real systemd, in its sandbox, with a local destination.
    @Suite(.thorough, .enabled(if: Container.obstacle == nil, "\(Container.obstacle ?? "")"))
    struct SystemdSyncTests {
        @Test(.timeLimit(.minutes(1))) func itSyncsSaysSoAndStops() throws {
            let service = try SyncService()
            try Disk.write(service.root / "early", Array("one".utf8))
            try service.start()
            #expect(try service.isCopied("early", "one"), "\(service.diagnosis)")
            #expect(try service.hasStatus("up to date"), "\(service.diagnosis)")
            try Disk.write(service.root / "late", Array("two".utf8))
            #expect(try service.isCopied("late", "two"), "\(service.diagnosis)")
            try Disk.unlink(service.root / "early")
            let isGone = wait(atMost: 10, every: 20) { !Disk.exists(service.copy / "early") }
            // The first run's guard holds deletions; the status says so.
            #expect(try isGone || service.hasStatus("--allow-deletes"), "\(service.diagnosis)")

            let process = try service.container.execute(["cat", "/proc/\(service.show("MainPID"))/status"])
            let rights = String(decoding: process.output, as: UTF8.self)
            #expect(rights.contains("NoNewPrivs:\t1\n") && rights.contains("Seccomp:\t2\n"), "\(rights)")
            let said = try service.journal(["--output=cat"])
            #expect(said.contains(" sent, ") && !said.contains("not permitted"), "\(said)")

            let status = try service.container.execute(["changes", "status", "--json"])
            let value = try #require(JSONValue(status.output), "\(status)")
            let consumer = value["consumers"]?.array.first
            #expect(consumer?["name"] == .string("offsite") && consumer?["destination"]?["paused"] == .boolean(false))
            let seconds = try measured { _ = try service.container.execute(["systemctl", "stop", service.unit]) }
            #expect(seconds < 5, "\(service.diagnosis)")
            #expect(try service.hasEnded("success exited 0"), "\(service.diagnosis)")
        }

        /// A transfer that takes many times WatchdogSec feeds the watchdog; a stop ends it at once and keeps its part.
        @Test(.timeLimit(.minutes(1))) func aLongTransferFeedsTheWatchdogAndStopsInTime() throws {
            let service = try SyncService()
            try service.limitBandwidth(kibibytes: 200)
            try service.start()
            #expect(try service.hasStatus("up to date"), "\(service.diagnosis)")
            let process = try service.show("MainPID")
            // Which compression makes no smaller.
            try Disk.writeLarge(service.root / "large")
            let temporary = service.container.path("/mnt/copy/.nfs-changes/tmp")
            let hasBegun = try wait(atMost: 20, every: 20) { try !Disk.names(of: temporary).isEmpty }
            #expect(hasBegun, "\(service.diagnosis)")
            // Three times WatchdogSec.
            let isOver = try wait(atMost: 6, every: 200) { try service.show("MainPID") != process }
            #expect(!isOver && !Disk.exists(service.copy / "large"), "\(service.diagnosis)")
            let seconds = try measured { _ = try service.container.execute(["systemctl", "stop", service.unit]) }
            #expect(seconds < 5, "\(service.diagnosis)")
            #expect(try service.hasEnded("success exited 0"), "\(service.diagnosis)")
            let part = service.copy / ".nfs-changes-partial/large"
            #expect(Disk.exists(part), "\(service.diagnosis)")
            try Disk.unlink(service.limiter)
            try service.start()
            let isThere = wait(atMost: 20, every: 20) { Disk.exists(service.copy / "large") }
            #expect(isThere, "\(service.diagnosis)")
        }

        /// The tracker takes its time: that is not the worker's fault, and it hears SIGTERM meanwhile.
        @Test(.timeLimit(.minutes(1))) func aLongSettleFeedsTheWatchdogAndStopsInTime() throws {
            let service = try SyncService()
            try service.start()
            #expect(try service.hasStatus("up to date"), "\(service.diagnosis)")
            let process = try service.show("MainPID")
            try service.run("changes", "sync", "pause", "offsite")
            try Disk.write(service.root / "file", Array("x".utf8))
            let isRecorded = try wait(atMost: 5, every: 50) {
                let found = try service.container.execute(["changes", "query", "--format", "json"])
                return String(decoding: found.output, as: UTF8.self).contains("x-backup/file")
            }
            #expect(isRecorded)
            try service.run("systemctl", "kill", "--signal=SIGSTOP", Container.unit)
            try service.run("changes", "sync", "resume", "offsite")
            #expect(try service.hasStatus("copying changes"), "\(service.diagnosis)")
            let isOver = try wait(atMost: 6, every: 200) {
                try service.show("MainPID") != process || service.show("StatusText") != "copying changes"
            }
            #expect(!isOver, "\(service.diagnosis)")
            let seconds = try measured { _ = try service.container.execute(["systemctl", "stop", service.unit]) }
            #expect(seconds < 5, "\(service.diagnosis)")
            #expect(try service.hasEnded("success exited 0"), "\(service.diagnosis)")
            try service.run("systemctl", "kill", "--signal=SIGCONT", Container.unit)
        }

        @Test(.timeLimit(.minutes(1))) func aStuckOneIsEndedByTheWatchdogAndGoesOn() throws {
            let service = try SyncService()
            try service.start()
            try service.run("systemctl", "kill", "--kill-who=main", "--signal=SIGSTOP", service.unit)
            try Disk.write(service.root / "during", Array("x".utf8))
            let isRestarted = try wait(atMost: 15, every: 50) {
                try service.show("NRestarts") == "1" && service.show("ActiveState") == "active"
            }
            #expect(isRestarted, "\(service.diagnosis)")
            #expect(try service.hasEnded("watchdog killed ABRT"), "\(service.diagnosis)")
            #expect(try service.isCopied("during", "x"), "\(service.diagnosis)")
        }

        /// ssh in the unit's sandbox, to a server in the same container.
        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func itSyncsOverSSH() throws {
            let service = try SyncService(overSSH: true)
            try Disk.write(service.root / "early", Array("one".utf8))
            try service.start()
            #expect(try service.isCopied("early", "one"), "\(service.diagnosis)")
            #expect(try service.hasStatus("up to date"), "\(service.diagnosis)")
            // Which compression makes no smaller.
            try Disk.writeLarge(service.root / "large")
            let temporary = service.container.path("/mnt/copy/.nfs-changes/tmp")
            // A part with nothing in it is not kept.
            let hasBegun = try wait(atMost: 20, every: 20) {
                try Disk.names(of: temporary).contains { try Disk.status(temporary / $0).st_size > 0 }
            }
            #expect(hasBegun, "\(service.diagnosis)")
            let seconds = try measured { _ = try service.container.execute(["systemctl", "stop", service.unit]) }
            #expect(seconds < 5, "\(service.diagnosis)")
            #expect(try service.hasEnded("success exited 0"), "\(service.diagnosis)")
            let isKept = wait(atMost: 5, every: 20) { Disk.exists(service.copy / ".nfs-changes-partial/large") }
            #expect(isKept, "\(service.diagnosis)")
        }

        /// What only a person can mend is not tried again.
        @Test(.timeLimit(.minutes(1))) func anUnknownDestinationIsNotRestarted() throws {
            let service = try SyncService()
            let other = "nfs-offsite-sync@nosuch.service"
            #expect(try !service.container.execute(["systemctl", "start", other]).isSuccess)
            let shown = try service.container.execute(
                ["systemctl", "show", "--property=NRestarts,ActiveState,ExecMainStatus", other])
            let text = String(decoding: shown.output, as: UTF8.self)
            #expect(text.contains("NRestarts=0") && text.contains("=failed") && text.contains("Status=2"), "\(text)")
        }

        /// The nightly service, and the one of the only destination.
        @Test(.timeLimit(.minutes(1))) func theOtherUnitsWork() throws {
            let service = try SyncService()
            try Disk.write(service.root / "one", Array("1".utf8))
            for unit in ["nfs-offsite-sync-once.service", "nfs-offsite-sync-once@offsite.service"] {
                let done = try service.container.execute(["systemctl", "start", unit])
                #expect(done.isSuccess, "\(done)\n\(service.diagnosis)")
            }
            #expect(try service.isCopied("one", "1"), "\(service.diagnosis)")
            try service.run("systemctl", "start", "nfs-offsite-sync.service")
            try Disk.write(service.root / "two", Array("2".utf8))
            #expect(try service.isCopied("two", "2"), "\(service.diagnosis)")
            for timer in ["nfs-offsite-sync.timer", "nfs-offsite-sync-once@offsite.timer"] {
                try service.run("systemctl", "start", timer)
            }
        }

        @Test(.timeLimit(.minutes(1))) func theUnitsAreWellFormedAndAlike() throws {
            let service = try SyncService()
            var sandboxes: [String: [String]] = [:]
            for name in try Disk.names(of: Container.unitFiles).map(\.string) where name.contains("offsite") {
                let instance = name.split(separator: "@", maxSplits: 1).joined(separator: "@offsite")
                let verified = try service.container.execute(["systemd-analyze", "verify", "--man=no", instance])
                #expect(verified.isSuccess && verified.errors.isEmpty, "\(name): \(verified)")
                guard name.hasSuffix(".service") else { continue }
                let text = String(decoding: try Disk.read(Container.unitFiles / Path(name)), as: UTF8.self)
                let lines = text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
                sandboxes[name] = lines.drop { $0 != "UMask=0027" }.prefix { $0 != "[Install]" }.map { $0 }
            }
            #expect(sandboxes.count == 4 && Set(sandboxes.values).count == 1, "\(sandboxes)")
        }
    }
}

/// The tracker and the worker of one local destination as units in a container.
private final class SyncService {
    let container: Container
    let unit = "nfs-offsite-sync@offsite.service"
    private let scratch: Scratch

    /// - Parameter overSSH: the destination is reached through a server in the container.
    init(overSSH: Bool = false) throws {
        scratch = try Scratch()
        container = try Container(
            in: scratch.path,
            dropIns: [
                "nfs-offsite-sync@.service": """
                [Service]
                WatchdogSec=2s
                RestartSec=200ms
                ExecStopPost=/bin/sh -c 'echo ended: $$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS'

                """
            ])
        let text = """
            [[destination]]
            name = "offsite"
            source = "/srv/nfs"
            target = "\(overSSH ? "root@127.0.0.1:" : "")/mnt/copy"
            settle = "0s"
            max_delete = "100%"
            \(overSSH ? Self.sshSettings : "")
            \(overSSH ? "bandwidth = \"200KiB/s\"" : "")

            """
        try Disk.makeDirectory(container.path("/etc/nfs-changes"))
        try Disk.write(container.path("/etc/nfs-changes/config.toml"), Array(text.utf8))
        try Disk.makeDirectory(container.path("/mnt/copy"))
        try run("systemctl", "start", Container.unit)
        if overSSH { try startServer() }
        try run("changes", "sync", "init", "offsite")
    }

    private static let sshSettings =
        "ssh = { port = 2222, identity = \"/etc/sshd/client\", known_hosts = \"/etc/sshd/known\" }"

    private func startServer() throws {
        let place = container.path("/etc/sshd")
        try Disk.makeDirectory(place)
        for name in ["host", "client"] as [Path] { try SSHServer.makeKey(place / name) }
        let host = try Disk.read(place / "host.pub")
        try Disk.write(place / "known", Array("[127.0.0.1]:2222 ".utf8) + host)
        let text = """
            Port 2222
            ListenAddress 127.0.0.1
            HostKey /etc/sshd/host
            AuthorizedKeysFile /etc/sshd/client.pub
            PermitRootLogin yes
            StrictModes no
            PidFile none

            """
        try Disk.write(place / "config", Array(text.utf8))
        try run("sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd -f /etc/sshd/config -E /etc/sshd/log")
    }

    var root: Path { container.path("/srv/nfs/x-backup") }
    var copy: Path { container.path("/mnt/copy/x-backup") }
    var limiter: Path { container.path("/usr/local/bin/rsync") }

    /// From now on rsync is slow.
    func limitBandwidth(kibibytes: Int) throws {
        try Disk.write(limiter, Array("#!/bin/sh\nexec /usr/bin/rsync --bwlimit=\(kibibytes) \"$@\"\n".utf8))
        try Disk.changeMode(limiter, 0o755)
    }

    func run(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        let done = try container.execute(arguments)
        try #require(done.isSuccess, "\(arguments): \(done)\n\(diagnosis)", sourceLocation: sourceLocation)
    }

    func start() throws { try run("systemctl", "start", unit) }

    func show(_ property: String) throws -> String {
        let shown = try container.execute(["systemctl", "show", "--value", "--property=\(property)", unit])
        return String(decoding: shown.output.dropLast(), as: UTF8.self)
    }

    func hasStatus(_ text: String) throws -> Bool {
        try wait(atMost: 20, every: 50) { try show("StatusText").contains(text) }
    }

    func hasEnded(_ how: String) throws -> Bool {
        try wait(atMost: 5, every: 50) { try journal(["--output=cat"]).contains("ended: \(how)") }
    }

    func isCopied(_ name: Path, _ content: String) throws -> Bool {
        wait(atMost: 20, every: 20) { (try? Disk.read(copy / name)) == Array(content.utf8) }
    }

    func journal(_ arguments: [String]) throws -> String {
        let read = try container.execute(["journalctl", "--no-pager", "--unit=\(unit)"] + arguments)
        return String(decoding: read.output, as: UTF8.self)
    }

    /// What to read when a test fails.
    var diagnosis: String {
        let status = (try? show("StatusText")) ?? ""
        return "status: \(status)\n\((try? journal(["--lines=30", "--output=short-monotonic"])) ?? "")"
    }
}
