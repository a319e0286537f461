import Glibc
import LinuxKernel
import SystemPackage

/// `changes sender-shell`: outside, starts the ssh that a sandboxed rsync asks for, once.
public struct SenderShell: ~Copyable {
    private let inside: PacketConnection
    private let host: [UInt8]
    private let command: [[UInt8]]
    private let signals: SignalQueue
    private let poll: EventPoll

    private static let insideTag: UInt64 = 0
    private static let signalTag: UInt64 = 1
    private static let endTag: UInt64 = 2

    /// Milliseconds for ssh to end by itself when the inside is gone and its pipes are closed, and then after a SIGTERM.
    /// One whose network hangs would stay until its keep-alives give up.
    private static let patience: Int32 = 300

    /// - Parameters:
    ///   - descriptor: the outer end of the bridge; it is closed at the end.
    ///   - host: the only one that may be asked for, as rsync calls it.
    ///   - command: ssh and its options.
    /// - Throws: the errno of signalfd(2), epoll_create1(2) or epoll_ctl(2).
    public init(_ descriptor: CInt, host: [UInt8], command: [[UInt8]]) throws(Errno) {
        let inside = PacketConnection(owning: descriptor)
        let signals = try SignalQueue([SIGTERM, SIGINT, SIGHUP])
        let poll = try EventPoll()
        try poll.add(inside.descriptor.number, for: .readable, tag: Self.insideTag)
        try poll.add(signals.descriptor.number, for: .readable, tag: Self.signalTag)
        self.inside = inside
        self.host = host
        self.command = command
        self.signals = signals
        self.poll = poll
    }
}

extension SenderShell {
    /// Waits for the request, runs ssh and sends its exit status back.
    ///
    /// - Returns: ssh's exit status, or 128 and the number of the signal that ended it; 0 when the inside ended without
    ///   asking for one, 255 when it asked for what it may not have or ssh could not be started.
    /// - Throws: the errno of a call on the bridge.
    public consuming func run() throws(Errno) -> CInt {
        while true {
            let ready = try poll.wait(milliseconds: nil)
            if let signal = signals.next() { return 128 + signal }
            if ready.contains(where: { $0.tag == Self.insideTag }) { break }
        }
        guard let request = try inside.receive(atMost: SenderBridge.longestMessage, descriptors: 4) else { return 0 }
        let descriptors = request.descriptors.numbers
        let status = try serve(request.packet, streams: descriptors)
        // Nobody may be there to hear it.
        try? inside.send([UInt8(truncatingIfNeeded: status)])
        // rsync looks for the exit status once, when its input ends. Alone with ssh it comes too early every other time,
        // and says 12 for 255. The copies here keep that end back until there is a status to find.
        let ended = try EventPoll()
        try ended.add(descriptors[3], for: .readable, tag: Self.endTag)
        _ = try ended.wait(milliseconds: Self.patience)
        request.descriptors.close()
        return status
    }

    private borrowing func serve(_ packet: [UInt8], streams: [CInt]) throws(Errno) -> CInt {
        guard let arguments = SenderBridge.arguments(packet),
            SenderBridge.isAllowed(arguments, host: host)
        else {
            complain("refused a command line that is not rsync's")
            return SenderBridge.failure
        }
        var ssh: ChildProcess
        do throws(Errno) {
            ssh = try ChildProcess.spawn(
                command + arguments, input: .descriptor(streams[0]), output: .descriptor(streams[1]),
                error: .descriptor(streams[2]))
        } catch {
            complain("ssh cannot be started: \(error)")
            return SenderBridge.failure
        }
        return try wait(for: &ssh)
    }

    private borrowing func wait(for ssh: inout ChildProcess) throws(Errno) -> CInt {
        let ended = try ssh.descriptor()
        try poll.add(ended.number, for: .readable, tag: Self.endTag)
        // From now on only its end matters; that is always reported (epoll_ctl(2), EPOLLHUP).
        try poll.remove(inside.descriptor.number)
        try poll.add(inside.descriptor.number, for: [], tag: Self.insideTag)
        var patience: Int32?
        var next = SIGTERM
        while true {
            let ready = try poll.wait(milliseconds: patience)
            switch try ssh.poll() {
            case .exited(let status)?: return status
            case .signalled(let signal)?: return 128 + signal
            case nil: break
            }
            while let signal = signals.next() { try? ssh.signal(signal) }
            if ready.contains(where: { $0.tag == Self.insideTag }) {
                try poll.remove(inside.descriptor.number)
                patience = Self.patience
            } else if ready.isEmpty {
                try? ssh.signal(next)
                next = SIGKILL
            }
        }
    }

    private borrowing func complain(_ message: String) {
        StandardError.write(Array("changes: sender-shell: \(message)\n".utf8))
    }
}
