import Glibc
import Testing

/// A server of a test: one process that listens on a port and starts others for those who connect, its sessions.
/// Everything ends with the object.
final class Server {
    let port: UInt16
    /// What it says, and logs.
    let log: Path
    private let name: String
    private let command: [String]
    private var process: ChildProcess?
    /// Sessions that outlived the process that had started them.
    private var left: [ProcessEntry.Identity] = []

    /// Starts it, and waits until it listens.
    ///
    /// - Parameters:
    ///   - name: for messages and for the name of the log.
    ///   - directory: where the log goes.
    ///   - wrapper: a command that ends in exec(3) of what follows it.
    ///   - makeCommand: the server's command for a port. It has to stay in the foreground.
    /// - Throws: `ServerFailed`.
    init(
        _ name: String, in directory: Path, wrapper: [String] = [], makeCommand: (_ port: UInt16) throws -> [String]
    ) throws {
        self.name = name
        log = directory / Path("\(name).log")
        var tries = 0
        while true {
            tries += 1
            let port = SocketTable().freePort()
            let command = try wrapper + Subreaper.wrapper + makeCommand(port)
            let started = try Self.launch(command, port: port, log: log)
            if SocketTable.isListening(on: port, started.pid) {
                self.port = port
                self.command = command
                process = started
                return
            }
            // Somebody may have taken the port.
            guard tries < 3 else { throw ServerFailed(name: name, log: log) }
        }
    }

    deinit { endAll() }

    private static func launch(_ command: [String], port: UInt16, log: Path) throws -> ChildProcess {
        let process = try ChildProcess(command, output: (log, log))
        _ = wait(atMost: 10, every: 2) {
            SocketTable.isListening(on: port, process.pid) || !process.isRunning
        }
        return process
    }

    var isRunning: Bool { process?.isRunning ?? false }
    var pid: pid_t { process?.pid ?? -1 }

    // MARK: The server

    /// Ends it and all its sessions, at once, like a machine that goes.
    func stop() { endAll() }

    /// Ends it and lets its sessions go on, as stopping the service does: new connections are refused.
    func stopListening() {
        rememberSessions()
        process?.signal(SIGCONT)
        process?.signal(SIGKILL)
        _ = process?.waitForExit(atMost: 10)
    }

    /// Starts it again, on the same port. What sessions there are go on.
    func restart() throws {
        stopListening()
        let started = try Self.launch(command, port: port, log: log)
        process = started
        guard SocketTable.isListening(on: port, started.pid) else { throw ServerFailed(name: name, log: log) }
    }

    /// Stops it and its sessions with SIGSTOP, like a machine that hangs: who connects is never answered.
    func freeze() throws {
        process?.signal(SIGSTOP)
        try freezeSessions()
    }

    /// Ends what `freeze` and `freezeSessions` did.
    func thaw() {
        for session in (try? sessions()) ?? [] { session.signal(SIGCONT) }
        process?.signal(SIGCONT)
    }

    // MARK: Its sessions

    /// The processes that it has started for those who connected, at any depth.
    func sessions() throws -> [ProcessEntry] {
        let table = try ProcessTable()
        left.removeAll { table.entries[$0.pid]?.identity != $0 }
        let known = left.compactMap { table.entries[$0.pid] }
        let ancestors = (process.map { $0.isRunning ? [$0.pid] : [] } ?? []) + known.map(\.pid)
        var found = Dictionary(uniqueKeysWithValues: known.map { ($0.pid, $0) })
        for entry in table.descendants(of: ancestors) { found[entry.pid] = entry }
        return found.values.filter { $0.isAlive && $0.pid != pid }.sorted { $0.pid < $1.pid }
    }

    /// Stops sessions with SIGSTOP, and waits until it is in effect.
    ///
    /// - Parameter isMeant: which of their processes.
    /// - Returns: how many were stopped.
    @discardableResult
    func freezeSessions(where isMeant: (ProcessEntry) -> Bool = { _ in true }) throws -> Int {
        var count = 0
        // Until there are none that were started meanwhile.
        let isDone = try wait(atMost: 5, every: 1) {
            let meant = try sessions().filter(isMeant)
            for session in meant where session.state != "T" { session.signal(SIGSTOP) }
            count = meant.count
            return meant.allSatisfy { $0.state == "T" }
        }
        try #require(isDone, "SIGSTOP had no effect on the sessions of \(name)")
        return count
    }

    /// Ends sessions with SIGKILL, and waits until they are gone.
    ///
    /// - Parameter isMeant: which of their processes.
    /// - Returns: how many there were at first.
    @discardableResult
    func killSessions(where isMeant: (ProcessEntry) -> Bool = { _ in true }) throws -> Int {
        let count = try sessions().filter(isMeant).count
        let isDone = try wait(atMost: 10, every: 2) {
            let meant = try sessions().filter(isMeant)
            for session in meant { session.signal(SIGKILL) }
            return meant.isEmpty
        }
        try #require(isDone, "sessions of \(name) survive SIGKILL")
        return count
    }

    private func rememberSessions() { left = ((try? sessions()) ?? []).map(\.identity) }

    private func endAll() {
        // Nothing new is started meanwhile.
        process?.signal(SIGSTOP)
        _ = try? killSessions()
        rememberSessions()
        process?.signal(SIGKILL)
        _ = process?.waitForExit(atMost: 10)
        _ = try? killSessions()
    }

    /// What to read when a test fails.
    var diagnosis: String { "\(name) is \(isRunning ? "running" : "not running") and said:\n\(Self.tail(of: log))" }

    fileprivate static func tail(of log: Path) -> String {
        let text = (try? Disk.read(log)) ?? []
        return String(decoding: text.suffix(3_000), as: UTF8.self)
    }
}

/// A server that does not start.
struct ServerFailed: Error, CustomStringConvertible {
    let description: String

    init(name: String, log: Path) { description = "\(name) does not listen; it said:\n\(Server.tail(of: log))" }
}
