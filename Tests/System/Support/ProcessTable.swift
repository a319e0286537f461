import Glibc

/// One process, as `/proc/PID/stat` has it (proc(5)).
struct ProcessEntry: Sendable {
    /// Names one process only, for ever: numbers come back, with another start.
    struct Identity: Hashable, Sendable {
        let pid: pid_t
        /// In clock ticks since boot.
        let started: UInt64
    }

    let identity: Identity
    let parent: pid_t
    let session: pid_t
    /// The state's letter: `T` is stopped, `Z` has ended.
    let state: Character

    var pid: pid_t { identity.pid }
    /// Whether it had not ended when this was read.
    var isAlive: Bool { state != "Z" && state != "X" }

    /// Whether this very process has not ended until now.
    var isStillAlive: Bool { ProcessEntry(pid: pid).map { $0.identity == identity && $0.isAlive } ?? false }

    /// - Returns: nil for a process that is gone.
    init?(pid: pid_t) {
        guard let bytes = try? Disk.read("/proc/\(pid)/stat") else { return nil }
        // The name before the last parenthesis may hold anything.
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 19, let parent = pid_t(fields[1]), let session = pid_t(fields[3]),
            let started = UInt64(fields[19])
        else { return nil }
        identity = Identity(pid: pid, started: started)
        self.parent = parent
        self.session = session
        state = fields[0].first ?? "X"
    }

    /// The file that it runs, whatever it calls itself; nil where this cannot be told.
    var executable: Path? { try? Disk.linkTarget("/proc/\(pid)/exe") }

    /// Signals this very process; one that has ended meanwhile is left in peace, and so is its number's next owner.
    func signal(_ number: Int32) {
        if ProcessEntry(pid: pid)?.identity == identity { kill(pid, number) }
    }
}

/// All processes that there are at a moment.
struct ProcessTable {
    let entries: [pid_t: ProcessEntry]

    init() throws {
        let numbers = try Disk.names(of: "/proc").compactMap { pid_t($0.string) }
        entries = Dictionary(
            uniqueKeysWithValues: numbers.compactMap { pid in ProcessEntry(pid: pid).map { (pid, $0) } })
    }

    /// The children of some processes, theirs, and so on; and whoever shares a session with one of these.
    ///
    /// - Parameter ancestors: not part of the result themselves unless they descend from another.
    func descendants(of ancestors: some Sequence<pid_t>) -> [ProcessEntry] {
        var found: [pid_t: ProcessEntry] = [:]
        var families = Set(ancestors)
        // Those that they made; never that of the test itself.
        var sessions: Set<pid_t> = []
        let own = getsid(0)
        while true {
            let new = entries.values.filter {
                found[$0.pid] == nil && (families.contains($0.parent) || sessions.contains($0.session))
            }
            if new.isEmpty { return found.values.sorted { $0.pid < $1.pid } }
            for entry in new {
                found[entry.pid] = entry
                families.insert(entry.pid)
                if entry.session != own { sessions.insert(entry.session) }
            }
        }
    }
}

/// A command that makes what follows it the parent of its orphaned descendants (prctl(2), `PR_SET_CHILD_SUBREAPER`,
/// which survives exec): a receiver whose connection is gone stays below its server.
enum Subreaper {
    // prctl is system call 157 of x86-64 and 167 of arm64; linux/prctl.h has 36.
    static let wrapper = [
        "perl", "-e",
        """
        syscall(`uname -m` =~ /x86_64/ ? 157 : 167, 36, 1, 0, 0, 0) == 0 or die "prctl: $!";
        exec { $ARGV[0] } @ARGV or die "exec: $!";
        """,
    ]
}
