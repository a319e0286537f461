import Glibc

/// How a process ended.
enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// Decodes wait(2)'s status word.
    init(waitStatus: Int32) {
        self = waitStatus & 0x7F == 0 ? .exited((waitStatus >> 8) & 0xFF) : .signalled(waitStatus & 0x7F)
    }
}

/// A process of our own, with its output in files. Killed when the last reference goes.
final class ChildProcess {
    let pid: pid_t
    let arguments: [String]
    private(set) var status: ExitStatus?

    /// Starts a command; standard input is `/dev/null`.
    ///
    /// - Parameters:
    ///   - arguments: the command, found in `PATH` unless it has a slash, and its arguments.
    ///   - environment: set in addition to this process's own.
    ///   - output: the files that standard output and standard error are appended to.
    init(
        _ arguments: [String], environment: [String: String] = [:], directory: Path? = nil,
        output: (standard: Path, error: Path) = ("/dev/null", "/dev/null")
    ) throws {
        self.arguments = arguments
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let append = O_WRONLY | O_CREAT | O_APPEND
        output.standard.withCString { _ = posix_spawn_file_actions_addopen(&actions, 1, $0, append, 0o644) }
        output.error.withCString { _ = posix_spawn_file_actions_addopen(&actions, 2, $0, append, 0o644) }
        directory?.withCString { _ = posix_spawn_file_actions_addchdir_np(&actions, $0) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var variables = environment
        for name in ["PATH", "HOME", "TMPDIR", "LANG"] where variables[name] == nil {
            variables[name] = Scale.environment(name)
        }
        let argumentPointers = arguments.map { strdup($0) } + [nil]
        let environmentPointers = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var child: pid_t = 0
        let code = posix_spawnp(&child, arguments[0], &actions, &attributes, argumentPointers, environmentPointers)
        guard code == 0 else { throw CallFailed(call: "posix_spawn", path: Path(arguments[0]), errno: code) }
        pid = child
    }

    deinit {
        guard status == nil else { return }
        kill(pid, SIGKILL)
        var word: Int32 = 0
        while waitpid(pid, &word, 0) == -1 && errno == EINTR {}
    }

    var isRunning: Bool {
        if status != nil { return false }
        var word: Int32 = 0
        if waitpid(pid, &word, WNOHANG) == pid { status = ExitStatus(waitStatus: word) }
        return status == nil
    }

    func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Waits for the end; nil when the time is over.
    func waitForExit(atMost seconds: Double) -> ExitStatus? {
        _ = wait(atMost: seconds, every: 2) { !isRunning }
        return status
    }
}

/// What a command that has ended left.
struct Completed {
    let status: ExitStatus
    let output: [UInt8]
    let errors: String

    var isSuccess: Bool { status == .exited(0) }
}

/// A command that did not end in time.
struct TimedOut: Error {
    let arguments: [String]
}

/// Runs a command to its end.
func run(
    _ arguments: [String], environment: [String: String] = [:], directory: Path? = nil, atMost seconds: Double = 120
) throws -> Completed {
    let place = try Scratch()
    let child = try ChildProcess(
        arguments, environment: environment, directory: directory,
        output: (place.path / "output", place.path / "errors"))
    guard let status = child.waitForExit(atMost: seconds) else { throw TimedOut(arguments: arguments) }
    return Completed(
        status: status, output: try Disk.read(place.path / "output"),
        errors: String(decoding: try Disk.read(place.path / "errors"), as: UTF8.self))
}

/// Runs a command that a test needs done: any end but 0 is an error with what the command said.
func require(_ arguments: [String], environment: [String: String] = [:], directory: Path? = nil) throws {
    let completed = try run(arguments, environment: environment, directory: directory)
    guard completed.isSuccess else {
        throw CommandFailed(arguments: arguments, status: completed.status, errors: completed.errors)
    }
}

struct CommandFailed: Error {
    let arguments: [String]
    let status: ExitStatus
    let errors: String
}
