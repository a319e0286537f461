public import LinuxKernel
public import SystemPackage

/// An rsync that sees nothing but what it copies and its own program: what to start, and with what.
///
/// rsync opens what it sends by path, and follows a directory that was replaced by a symlink after the list was made. In
/// here the link leads nowhere, and the run ends with 23. What it may still lead to is elsewhere in the source, and the
/// host's programs and libraries.
///
/// One that receives has a server to believe, which may tell it to write anywhere. In here there is nothing to write to but
/// the directory that it fills.
///
/// The mounts below the source stay as they were at the start. One that the host unmounts meanwhile stays in use until
/// rsync ends.
public struct SenderSandbox: ~Copyable {
    /// Where rsync's other end is.
    public enum Destination: Equatable, Sendable {
        /// A directory of this host, bound writable; it must exist.
        case local([UInt8])
        /// An rsync daemon, which rsync connects to by itself: the sandbox does not cut it off the network.
        case daemon
        /// - Parameters:
        ///   - command: ssh and its options, without the host.
        ///   - host: as in rsync's target, brackets of an address included.
        case ssh(command: [[UInt8]], host: [UInt8])
    }

    /// What to start, without a fork in between: `ChildProcess.spawn` it and signal that child (SIGTERM, exit status 20).
    /// Ends with rsync's status, or with 71 and one line on standard error when the sandbox could not be made.
    public let rsync: [[UInt8]]
    /// Goes into `inheriting` of rsync's spawn.
    public let rsyncDescriptors: [CInt]
    /// What to start beside it, before or after, for `.ssh`. Ends by itself when rsync does, with ssh's own exit
    /// status (0 if there was none); a SIGTERM to it ends ssh.
    public let shell: [[UInt8]]?
    /// Goes into `inheriting` of the shell's spawn.
    public let shellDescriptors: [CInt]
    private let bridge: PacketPair?

    /// Whether this process may make one: root, and mount namespaces allowed. Tries it, in well under a millisecond.
    public static var isAvailable: Bool { MountNamespace.isAvailable }

    /// The exit status for a sandbox that could not be made (EX_OSERR of sysexits.h); rsync has no such status.
    public static let failureStatus: CInt = 71

    /// - Parameters:
    ///   - arguments: rsync's command line, without `-e`: the program by name or absolute path first.
    ///   - source: the only thing to be read; absolute, without symlinks, not "/"; nil for one that receives from
    ///     another host.
    ///   - readOnly: more directories that rsync reads, such as a skeleton for deletions.
    ///   - writable: more directories that rsync writes to, without symlinks.
    ///   - keepsOwners: it is left with what giving files their owners takes; so it always is for `.local`.
    ///   - files: single files that rsync reads, such as a daemon's password file or a filter.
    ///   - lock: a descriptor that rsync keeps open, for `.local`.
    ///   - listIsArguments: rsync gets the names of its list as arguments, where they are not too many.
    ///   - executable: this program, which runs inside and outside.
    /// - Throws: `EINVAL` for no arguments; the errno of socketpair(2).
    public init(
        _ arguments: [[UInt8]], source: [UInt8]?, readOnly: [[UInt8]] = [], writable: [[UInt8]] = [],
        files: [[UInt8]] = [], keepsOwners: Bool = false, to destination: Destination, lock: CInt? = nil,
        listIsArguments: Bool = false, executable: [UInt8] = Array("/proc/self/exe".utf8)
    ) throws(Errno) {
        guard let program = arguments.first else { throw .invalidArgument }
        var plan = SandboxPlan(source: source, command: arguments)
        plan.readOnly = readOnly
        plan.writable = writable
        plan.files = files
        plan.isReceiver = keepsOwners
        plan.listIsArguments = listIsArguments
        var bridge: PacketPair?
        var shell: [[UInt8]]?
        var inner: [CInt] = []
        var outer: [CInt] = []
        switch destination {
        case .local(let directory):
            plan.writable.append(directory)
            plan.isReceiver = true
            plan.lock = lock
            inner = lock.map { [$0] } ?? []
        case .daemon: plan.hasNameResolution = true
        case .ssh(let command, let host):
            let pair = try PacketConnection.pair()
            inner = [pair.one.descriptor.number]
            outer = [pair.other.descriptor.number]
            bridge = consume pair
            plan.bridge = inner[0]
            let relay = SandboxPlan.relayProgram + Array(" sender-relay \(inner[0])".utf8)
            plan.command = [program, Array("-e".utf8), relay] + arguments.dropFirst()
            shell = [executable] + ["sender-shell", "\(outer[0])", "--host"].map { Array($0.utf8) }
            shell! += [Self.withoutBrackets(host), Array("--".utf8)] + command
        }
        rsync = [executable, Array("sandboxed-sender".utf8)] + plan.options
        rsyncDescriptors = inner
        shellDescriptors = outer
        self.shell = shell
        self.bridge = bridge
    }

    /// Ends this process's part in the bridge. Call it once both are started: while an end is open here, neither of them
    /// can see that the other is gone.
    public consuming func started() {}

    /// rsync takes the brackets from an IPv6 address before it gives it to a remote shell.
    private static func withoutBrackets(_ host: [UInt8]) -> [UInt8] {
        guard host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") else { return host }
        return Array(host.dropFirst().dropLast())
    }
}

extension SenderSandbox {
    /// The processes of a transfer.
    @frozen
    public struct Running: ~Copyable {
        /// The one to wait for and to signal.
        public var rsync: ChildProcess
        /// Waits to be waited for once `rsync` has ended: at most 0.6 s longer.
        public var shell: ChildProcess?
    }

    /// Starts both.
    ///
    /// - Throws: as `ChildProcess.spawn`.
    public consuming func spawn(
        environment: [(name: [UInt8], value: [UInt8])] = [], input: ChildProcess.Stream = .nothing,
        output: ChildProcess.Stream = .inherited, error: ChildProcess.Stream = .inherited
    ) throws(Errno) -> Running {
        var outside: ChildProcess?
        if let shell {
            // rsync's streams are not its business; ssh gets those that rsync hands over.
            outside = try ChildProcess.spawn(
                shell, environment: environment, output: .nothing, error: error, inheriting: shellDescriptors)
        }
        let inside = try ChildProcess.spawn(
            rsync, environment: environment, input: input, output: output, error: error, inheriting: rsyncDescriptors)
        started()
        return Running(rsync: inside, shell: outside)
    }
}
