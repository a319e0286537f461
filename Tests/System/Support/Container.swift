import Glibc
import Testing

/// Debian's systemd in a container of its own (systemd-nspawn), with this build's `changes` and the units of
/// this repository. No network, nothing of the host but its `/usr`, read-only. Gone with the object.
final class Container {
    /// The host's process id of the container's systemd.
    let leader: pid_t
    private let nspawn: ChildProcess
    private let groups: ControlGroups?

    /// Boots it, and waits until systemd has nothing left to start. The tracker is not started.
    ///
    /// - Parameters:
    ///   - scratch: where its root directory is made.
    ///   - dropIn: the text of a drop-in of the tracker's unit, for the times that a test cannot wait for.
    ///   - dropIns: such texts by other units.
    init(in scratch: Path, dropIn: String = "", dropIns: [String: String] = [:]) throws {
        let root = scratch / "root"
        let output = scratch / "nspawn.out"
        try Self.makeTree(root, dropIns: dropIns.merging([Self.unit: dropIn]) { $1 })
        let name = "changes-test-\(getpid())"
        let groups = Disk.exists("/run/systemd/system") ? nil : try ControlGroups(name: Path(name))
        self.groups = groups
        nspawn = try ChildProcess(
            (groups?.wrapper ?? []) + Self.command(root: root, name: name, hasGroups: groups != nil),
            output: (standard: output, error: output))
        leader = Self.waitForLeader(of: nspawn)
        let isUp = leader != 0 && wait(atMost: 15, every: 50) { hasBooted || !nspawn.isRunning } && nspawn.isRunning
        guard isUp else { throw ContainerFailed(output: output) }
    }

    deinit {
        // The other way round, the container's processes would survive nspawn.
        if let leader = Self.leader(of: nspawn) { kill(leader, SIGKILL) }
        if nspawn.waitForExit(atMost: 5) == nil {
            for process in Self.children(of: nspawn.pid) { kill(process, SIGKILL) }
        }
        _ = nspawn.waitForExit(atMost: 5)
        groups?.remove()
    }

    private var hasBooted: Bool {
        let state = (try? execute(["systemctl", "is-system-running"], atMost: 10))?.output ?? []
        return ["running", "degraded"].contains { state.starts(with: $0.utf8) }
    }

    /// What the container calls `path`, for this process.
    func path(_ path: Path) -> Path { "/proc/\(leader)/root" + path }

    /// Runs a command in the container.
    func execute(_ arguments: [String], atMost seconds: Double = 20) throws -> Completed {
        let enter = [
            "nsenter", "--target", "\(leader)", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd",
        ]
        return try run(enter + arguments, atMost: seconds)
    }

    /// Why there is none on this machine; nil where one boots.
    static let obstacle: String? = {
        guard Privilege.isRoot else { return "needs root" }
        for program in ["systemd-nspawn", "nsenter", "timeout"] {
            let isThere = (try? run(["sh", "-c", "command -v \(program)"]).isSuccess) == true
            if !isThere { return "needs \(program)" }
        }
        do {
            let scratch = try Scratch()
            _ = try Container(in: scratch.path)
            return nil
        } catch {
            return "no container boots here: \(error)"
        }
    }()

    // MARK: Starting

    private static func makeTree(_ root: Path, dropIns: [String: String]) throws {
        try require(["mkdir", "-p"] + Self.directories.map { (root + $0).string })
        for (link, target) in [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")] {
            try Disk.symlink(Path(target), at: root / Path(link))
        }
        let units = root + Self.units
        try Disk.write(root + "/etc/os-release", Array("ID=debian\n".utf8))
        // Not empty, which would be a first boot with its questions.
        try Disk.write(root + "/etc/machine-id", Array("c0ffee00c0ffee00c0ffee00c0ffee00\n".utf8))
        let users = ["root:x:0:0::/", "nobody:x:65534:65534::/", "sshd:x:100:65534::/run/sshd"].map {
            $0 + ":/bin/sh\n"
        }.joined()
        try Disk.write(root + "/etc/passwd", Array(users.utf8))
        try Disk.write(root + "/etc/group", Array("root:x:0:\nnogroup:x:65534:\n".utf8))
        try Disk.write(units / "default.target", Array("[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n".utf8))
        for name in try Disk.names(of: unitFiles) { try Disk.write(units / name, Disk.read(unitFiles / name)) }
        for (unit, text) in dropIns {
            let place = units / Path(unit + ".d")
            if !Disk.exists(place) { try Disk.makeDirectory(place) }
            try Disk.write(place / "test.conf", Array(text.utf8))
        }
    }

    static let unit = "nfs-change-tracker.service"
    private static let units: Path = "/etc/systemd/system"
    /// Those of this repository.
    static let unitFiles = repository + "/systemd"
    private static let directories: [Path] = [
        units + Path("/\(unit).d"), "/usr/bin", "/usr/sbin", "/proc", "/sys", "/dev", "/run", "/tmp", "/var/lib",
        "/var/tmp", "/root", "/srv/nfs/x-backup", "/mnt/backup", "/usr/local/bin",
    ]
    private static let repository = Path(#filePath).parent.parent.parent.parent
    /// What the units and the tests call.
    private static let programs = [
        "cat", "curl", "df", "flock", "grep", "head", "journalctl", "kill", "mkdir", "mount", "mv", "perl", "rsync",
        "setpriv",
        "sh",
        "ssh",
        "ssh-keygen", "ssh-keyscan", "sync", "systemctl", "systemd-analyze", "umount",
    ]

    private static func command(root: Path, name: String, hasGroups: Bool) throws -> [String] {
        // Ends the container, whatever happens to this process.
        var command = ["timeout", "--kill-after=5", "120", "systemd-nspawn", "--quiet", "--register=no"]
        if hasGroups { command.append("--keep-unit") }
        command += [
            "--directory=\(root.string)", "--machine=\(name)", "--private-network", "--console=pipe", "--boot",
            "--bind-ro=\(Tracker.binary):/usr/bin/changes",
        ]
        let shared = ["/usr/lib", "/usr/lib64", "/usr/sbin/sshd"] + programs.map { "/usr/bin/\($0)" }
        for path in shared where Disk.exists(Path(path)) { command.append("--bind-ro=\(path)") }
        if let runtime = try swiftRuntime(), !runtime.hasPrefix("/usr/lib/") { command.append("--bind-ro=\(runtime)") }
        return command
    }

    /// The directory of Swift's shared libraries, where this process has them: those of `changes` are the same.
    private static func swiftRuntime() throws -> String? {
        let maps = String(decoding: try Disk.read("/proc/self/maps"), as: UTF8.self)
        let line = maps.split(separator: "\n").first { $0.hasSuffix("/libswiftCore.so") }
        return line.flatMap { line in line.firstIndex(of: "/").map { Path(String(line[$0...])).parent.string } }
    }

    /// 0 when there is none in time.
    private static func waitForLeader(of nspawn: ChildProcess) -> pid_t {
        var found: pid_t?
        _ = wait(atMost: 10) {
            found = leader(of: nspawn)
            return found != nil || !nspawn.isRunning
        }
        return found ?? 0
    }

    /// The grandchild of timeout(1), as soon as it is a systemd.
    private static func leader(of nspawn: ChildProcess) -> pid_t? {
        children(of: nspawn.pid).flatMap(children).first {
            let name = try? Disk.read("/proc/\($0)/comm")
            return name == Array("systemd\n".utf8)
        }
    }

    private static func children(of process: pid_t) -> [pid_t] {
        let text = (try? Disk.read("/proc/\(process)/task/\(process)/children")) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }
}

/// The container did not boot.
struct ContainerFailed: Error, CustomStringConvertible {
    /// What it said.
    let description: String

    init(output: Path) {
        let text = (try? Disk.read(output)).map { String(decoding: $0.suffix(2_000), as: UTF8.self) } ?? ""
        description = text.isEmpty ? "systemd-nspawn said nothing" : text
    }
}
