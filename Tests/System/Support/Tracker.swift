import Glibc
import LinuxKernel
import Testing

/// How a tracker of a test is started.
struct TrackerSettings {
    var roots: [String]
    var exclude: [String] = []
    var log: Path
    var state: Path
    var requireMount: Path?
    var pollInterval = "60s"
    var oneFileSystem = false
    /// Puts the roots into the configuration file instead of flags: what a SIGHUP rereads.
    var rootsInFile = false
    var emitExisting = false
    /// More of the configuration file.
    var more = ""
    /// A command that ends in exec(3) of what follows it: `setpriv …`, `unshare …`. It keeps the process id.
    var wrapper: [String] = []
}

/// The real `changes track` in a process of its own.
final class Tracker {
    var settings: TrackerSettings
    let notify: NotifySocket
    private let directory: Path
    private var process: ChildProcess?

    /// - Parameter directory: where the configuration, the socket and the output of the process go.
    init(_ settings: TrackerSettings, in directory: Path) throws {
        self.settings = settings
        self.directory = directory
        notify = try NotifySocket(path: directory / "notify")
        try writeConfiguration()
    }

    deinit { process?.signal(SIGCONT) }

    /// The `changes` of this build: `CHANGES_BINARY`, or beside the test bundle.
    static let binary: String = {
        if let given = Scale.environment("CHANGES_BINARY") { return given }
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            return (Path(argument).parent / "changes").string
        }
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return (Path(buffer[..<max(count, 0)]).parent / "changes").string
    }()

    var configuration: Path { directory / "config.toml" }

    /// Writes the configuration file from `settings`.
    func writeConfiguration() throws {
        var text = "[watch]\npoll_interval = \"\(settings.pollInterval)\"\n"
        if settings.oneFileSystem { text += "one_file_system = true\n" }
        if settings.rootsInFile {
            text += "roots = [" + settings.roots.map { "\"\($0)\"" }.joined(separator: ", ") + "]\n"
        }
        try Disk.write(configuration, Array((text + settings.more).utf8))
    }

    private var arguments: [String] {
        var arguments = settings.wrapper + [Self.binary, "track", "--config", configuration.string]
        if !settings.rootsInFile { for root in settings.roots { arguments += ["--root", root] } }
        for pattern in settings.exclude { arguments += ["--exclude", pattern] }
        arguments += ["--log", settings.log.string, "--state", settings.state.string]
        if let mount = settings.requireMount { arguments += ["--require-mount", mount.string] }
        if settings.emitExisting { arguments.append("--emit-existing") }
        return arguments
    }

    /// Starts the process; `start` waits for its READY=1 as well.
    func launch() throws {
        process = try ChildProcess(
            arguments, environment: ["NOTIFY_SOCKET": notify.path.string],
            output: (directory / "tracker.out", directory / "tracker.err"))
    }

    func start(atMost seconds: Double = 60) throws {
        let before = notify.count(of: "READY")
        try launch()
        let isReady = wait(atMost: seconds, every: 2) { notify.count(of: "READY") > before || !isRunning }
        guard isReady, isRunning else {
            throw TrackerFailed(
                what: isRunning ? "not ready after \(seconds) s" : "ended: \(String(describing: process?.status))",
                errors: errors)
        }
    }

    var isRunning: Bool { process?.isRunning ?? false }
    var pid: pid_t { process?.pid ?? -1 }

    /// What it wrote to standard error, from every start.
    var errors: String { (try? Disk.read(directory / "tracker.err")).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    func signal(_ number: Int32) { process?.signal(number) }

    /// Stops reading events, as a busy or stopped machine would: SIGSTOP, and waits until it is in effect.
    func freeze() throws {
        signal(SIGSTOP)
        // Each thread: one may still be in the middle of a write(2).
        let tasks = Path("/proc/\(pid)/task")
        let stopped = try wait(atMost: 5, every: 1) {
            guard isRunning else { throw TrackerFailed(what: "ended before it could be stopped", errors: errors) }
            return try Disk.names(of: tasks).allSatisfy { task in
                guard let text = try? Disk.read(tasks / task / "stat") else { return true }
                return String(decoding: text, as: UTF8.self).split(separator: ")").last?.hasPrefix(" T") ?? false
            }
        }
        try #require(stopped, "SIGSTOP had no effect")
    }

    func thaw() { signal(SIGCONT) }

    /// Stops it as systemd does, and expects exit 0 within 2 s.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) {
        signal(SIGTERM)
        let status = process?.waitForExit(atMost: 2)
        #expect(status == .exited(0), "SIGTERM must end it with 0 in 2 s\n\(errors)", sourceLocation: sourceLocation)
        if status == nil { kill9() }
    }

    func kill9() {
        process?.signal(SIGKILL)
        _ = process?.waitForExit(atMost: 10)
    }

    /// Waits for the end of a process that is expected to end by itself.
    func waitForExit(atMost seconds: Double) -> ExitStatus? { process?.waitForExit(atMost: seconds) }

    /// `changes verify index` with the time it may take.
    func verifyIndex(atMost seconds: Double = 120) throws -> Completed {
        try run([Self.binary, "verify", "index", "--state", settings.state.string], atMost: seconds)
    }
}

/// The tracker did not do what a test needs for going on.
struct TrackerFailed: Error, CustomStringConvertible {
    let what: String
    let errors: String

    var description: String { "the tracker: \(what)\n\(errors)" }
}
