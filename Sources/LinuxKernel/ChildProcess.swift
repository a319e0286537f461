import CLinux
import Glibc
public import SystemPackage

/// A child process, from posix_spawnp(3) to waitpid(2).
///
/// Its number stays its own until it is waited for here, so no signal can hit a stranger. A child that is still
/// there when its owner goes is killed (SIGKILL) and waited for, which takes as long as a disk or file server lets the
/// child hang.
public struct ChildProcess: ~Copyable, Sendable {
    /// How a process ended (wait(2)).
    public enum Outcome: Hashable, Sendable {
        /// By itself, with a status of 0...255.
        case exited(CInt)
        /// By a signal.
        case signalled(CInt)
    }

    /// What a child has for one of its three standard streams.
    public enum Stream: Sendable {
        /// This process's own.
        case inherited
        /// `/dev/null`.
        case nothing
        /// A copy of this descriptor, which is only borrowed.
        case descriptor(CInt)
    }

    /// The process's number.
    public let identifier: pid_t
    private var outcome: Outcome?

    private init(identifier: pid_t) { self.identifier = identifier }

    deinit {
        guard outcome == nil else { return }
        kill(identifier, SIGKILL)
        var status: CInt = 0
        _ = try? systemCall { waitpid(identifier, &status, 0) }
    }
}

extension ChildProcess {
    /// Starts a command. All signals but those named have their default effect in it and none is blocked, whatever holds
    /// here.
    ///
    /// Of this process's descriptors it gets those without `FD_CLOEXEC`, which every `OwnedDescriptor` of this module
    /// has, and those that are named here.
    ///
    /// - Parameters:
    ///   - arguments: the command, found in this process's `PATH` unless it has a slash, and its arguments; bytes
    ///     without NUL.
    ///   - environment: variables in addition to this process's own, or in their place.
    ///   - descriptors: open descriptors above 2 that the child gets under the same numbers.
    ///   - ignored: signals that it ignores if this process does.
    /// - Throws: `ENOENT` when there is no such command; `EINVAL` for no arguments, for a NUL in one or for a name with
    ///   `=` in it; `EBADF` for a descriptor that is not open; the errno of clone(2) or execve(2) otherwise.
    public static func spawn(
        _ arguments: [[UInt8]], environment: [(name: [UInt8], value: [UInt8])] = [], input: Stream = .nothing,
        output: Stream = .inherited, error: Stream = .inherited, inheriting descriptors: [CInt] = [],
        ignoring ignored: [CInt] = []
    ) throws(Errno) -> ChildProcess {
        let argv = try CStringArray(arguments)
        let envp = try CStringArray(try merge(environment))
        guard let command = argv.first else { throw .invalidArgument }
        let actions = try SpawnActions(streams: [input, output, error], descriptors: descriptors)
        let attributes = try SpawnAttributes(ignoring: ignored)
        var child: pid_t = 0
        try throwing(posix_spawnp(&child, command, actions.raw, attributes.raw, argv.pointers, envp.pointers))
        return ChildProcess(identifier: child)
    }

    /// This process's environment with additions, as `NAME=VALUE`.
    private static func merge(_ additions: [(name: [UInt8], value: [UInt8])]) throws(Errno) -> [[UInt8]] {
        let equals = UInt8(ascii: "=")
        guard additions.allSatisfy({ !$0.name.isEmpty && !$0.name.contains(equals) }) else { throw .invalidArgument }
        let own = ProcessContext.environment.filter { variable in
            !additions.contains { variable.starts(with: $0.name + [equals]) }
        }
        return own + additions.map { $0.name + [equals] + $0.value }
    }
}

extension ChildProcess {
    /// Waits for the end; at once when it was waited for before.
    ///
    /// - Throws: the errno of waitpid(2): `ECHILD` when somebody else waited for it (SIGCHLD ignored, for example).
    public mutating func wait() throws(Errno) -> Outcome {
        // Without WNOHANG waitpid(2) has nothing to return but an end.
        while true { if let outcome = try outcome(options: 0) { return outcome } }
    }

    /// How it ended; nil while it runs.
    ///
    /// - Throws: as `wait`.
    public mutating func poll() throws(Errno) -> Outcome? { try outcome(options: WNOHANG) }

    private mutating func outcome(options: CInt) throws(Errno) -> Outcome? {
        if let outcome { return outcome }
        var status: CInt = 0
        if try systemCall({ waitpid(identifier, &status, options) }) == 0 { return nil }
        // WIFEXITED, WEXITSTATUS and WTERMSIG are macros that are not imported.
        outcome = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
        return outcome
    }

    /// Sends a signal.
    ///
    /// - Throws: `ESRCH` when it was waited for; the errno of kill(2).
    public borrowing func signal(_ number: CInt) throws(Errno) {
        guard outcome == nil else { throw .noSuchProcess }
        try systemCall { kill(identifier, number) }
    }

    /// Sends a signal to the process group that the child leads, if it made one of its own.
    ///
    /// - Throws: `ESRCH` when the child was waited for, or leads no group; the errno of kill(2).
    public borrowing func signalGroup(_ number: CInt) throws(Errno) {
        guard outcome == nil, identifier > 1 else { throw .noSuchProcess }
        try systemCall { kill(-identifier, number) }
    }

    /// A descriptor that is readable once the process has ended (pidfd_open(2), Linux 5.3): what to add to an
    /// `EventPoll` to wait for the end for a limited time.
    ///
    /// - Throws: `ESRCH` when it was waited for; the errno of pidfd_open(2).
    public borrowing func descriptor() throws(Errno) -> OwnedDescriptor {
        guard outcome == nil else { throw .noSuchProcess }
        return OwnedDescriptor(owning: try systemCall { clinux_pidfd_open(identifier) })
    }
}

/// What posix_spawn(3) does to the descriptors in the child.
private struct SpawnActions: ~Copyable {
    let raw: UnsafeMutablePointer<posix_spawn_file_actions_t>
    /// Standing in for descriptors 0 to 2 of this process: an action on one stream must not take away what another
    /// is made from.
    private var copies: [CInt] = []

    init(streams: [ChildProcess.Stream], descriptors: [CInt]) throws(Errno) {
        raw = .allocate(capacity: 1)
        let code = posix_spawn_file_actions_init(raw)
        precondition(code == 0, "posix_spawn_file_actions_init: \(code)")
        for (stream, target) in zip(streams, CInt(0)...) {
            switch stream {
            case .inherited: continue
            case .nothing: try throwing(posix_spawn_file_actions_addopen(raw, target, "/dev/null", O_RDWR, 0))
            case .descriptor(var source):
                if source <= 2 {
                    source = try systemCall { clinux_duplicate_above(source, 3) }
                    copies.append(source)
                }
                try throwing(posix_spawn_file_actions_adddup2(raw, source, target))
            }
        }
        // A copy onto itself takes FD_CLOEXEC away, in the child only (glibc 2.29).
        for number in descriptors { try throwing(posix_spawn_file_actions_adddup2(raw, number, number)) }
    }

    deinit {
        for copy in copies { close(copy) }
        posix_spawn_file_actions_destroy(raw)
        raw.deallocate()
    }
}

/// The signals as a new program expects them: none blocked, and none ignored but on purpose.
private struct SpawnAttributes: ~Copyable {
    let raw: UnsafeMutablePointer<posix_spawnattr_t>

    init(ignoring ignored: [CInt]) throws(Errno) {
        raw = .allocate(capacity: 1)
        let code = posix_spawnattr_init(raw)
        precondition(code == 0, "posix_spawnattr_init: \(code)")
        var signals = sigset_t()
        sigemptyset(&signals)
        try throwing(posix_spawnattr_setsigmask(raw, &signals))
        sigfillset(&signals)
        for signal in ignored { sigdelset(&signals, signal) }
        try throwing(posix_spawnattr_setsigdefault(raw, &signals))
        try throwing(posix_spawnattr_setflags(raw, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)))
    }

    deinit {
        posix_spawnattr_destroy(raw)
        raw.deallocate()
    }
}

/// A NULL-terminated array of C strings.
struct CStringArray: ~Copyable {
    let pointers: [UnsafeMutablePointer<CChar>?]
    var first: UnsafeMutablePointer<CChar>? { pointers[0] }

    /// - Throws: `EINVAL` for a NUL in a string.
    init(_ strings: [[UInt8]]) throws(Errno) {
        guard strings.allSatisfy({ !$0.contains(0) }) else { throw .invalidArgument }
        pointers =
            strings.map { string in
                let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
                for (offset, byte) in string.enumerated() { copy[offset] = CChar(bitPattern: byte) }
                copy[string.count] = 0
                return copy
            } + [nil]
    }

    deinit { for pointer in pointers { pointer?.deallocate() } }
}

/// The functions of posix_spawn(3) return their errno.
private func throwing(_ code: CInt) throws(Errno) {
    if code != 0 { throw Errno(rawValue: code) }
}
