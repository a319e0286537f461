import Glibc
import LinuxKernel
import Synchronization
import SystemPackage

/// The tracker's control socket: `control.sock` in the state directory, through which commands ask it; for a service
/// also `/run/nfs-changes/control.sock`, which those reach who may not enter the state directory.
///
/// A connection (`SOCK_SEQPACKET`, unix(7)) carries one request and its reply, then the tracker closes it. Root and the
/// tracker's own user may ask for everything, others who get in only for what changes nothing; who gets in is a matter
/// of the file's mode (0660 in the state directory, 0666 in the runtime directory) and of the directory's. All of it runs on a thread of its own and without blocking: a
/// client that is slow, silent or hostile delays no one but itself. Without clients the thread sleeps.
public final class ControlServer: Sendable {
    /// Answers a request: now or later, from any thread, once. Called on the control thread, which must not be held up.
    public typealias Handler =
        @Sendable (_ request: ControlRequest, _ reply: @escaping @Sendable (ControlReply) -> Void) -> Void

    /// The socket's name in the state directory.
    public static let socketName = Array("control.sock".utf8)
    static let permissions: mode_t = 0o660
    /// Where the service's socket for everyone is: `RuntimeDirectory=nfs-changes` (systemd.exec(5)).
    public static let runtimeDirectory = Array("/run/nfs-changes".utf8)
    static let permissionsForAll: mode_t = 0o666

    private let mailbox: ControlMailbox
    private let thread: Mutex<KernelThread?>

    /// Binds the socket, in place of one that an earlier tracker left behind (the caller holds the lock of the state
    /// directory, so that one is dead), and starts to serve.
    ///
    /// - Parameters:
    ///   - stateDirectory: bytes; may be longer than the 108 that a socket's address holds.
    ///   - runtimeDirectory: where another socket for everyone goes; nil for none.
    ///   - requestTimeout: how long a client may take from connecting to its request.
    public init(
        stateDirectory: [UInt8], runtimeDirectory: [UInt8]? = nil, requestTimeout: Duration = .seconds(5),
        handler: @escaping Handler
    ) throws(ControlError) {
        do throws(Errno) {
            let mailbox = try ControlMailbox()
            let endpoint = try ControlEndpoint(
                stateDirectory: stateDirectory, runtimeDirectory: runtimeDirectory, mailbox: mailbox)
            self.mailbox = mailbox
            let milliseconds = Int64(requestTimeout / .milliseconds(1))
            thread = Mutex(
                KernelThread(name: "control") {
                    var loop = ControlLoop(endpoint: endpoint, requestTimeout: milliseconds, handler: handler)
                    loop.run()
                })
        } catch {
            throw error == .fileExists
                ? .nameTaken(stateDirectory: stateDirectory) : .system(error, stateDirectory: stateDirectory)
        }
    }

    /// Removes the socket, closes all connections and waits for the thread to end. Never from within the handler.
    public func stop() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let running else { return }
        mailbox.stop()
        running.join()
    }

    deinit { stop() }

    /// The control thread's number, for looks at it in /proc; 0 once stopped.
    var threadIdentifier: Int32 { thread.withLock { $0?.identifier ?? 0 } }
}

/// What the control thread waits on.
final class ControlEndpoint: Sendable {
    /// The state directory's, and the runtime directory's if there is one.
    let listeners: [Listener]
    let poll: EventPoll
    let mailbox: ControlMailbox

    static let mailboxTag: UInt64 = 0
    /// The listeners have these tags, from here on.
    static let firstListenerTag: UInt64 = 1
    static let mostListeners: UInt64 = 2

    /// A class, so that there can be a list of them.
    final class Listener: Sendable {
        let socket: PacketListener

        init(in directory: [UInt8], permissions: mode_t) throws(Errno) {
            socket = try PacketListener(
                directory: directory, name: ControlServer.socketName, permissions: permissions, backlog: 16)
        }
    }

    init(stateDirectory: [UInt8], runtimeDirectory: [UInt8]?, mailbox: ControlMailbox) throws(Errno) {
        var listeners = [try Listener(in: stateDirectory, permissions: ControlServer.permissions)]
        if let runtimeDirectory {
            listeners.append(try Listener(in: runtimeDirectory, permissions: ControlServer.permissionsForAll))
        }
        let poll = try EventPoll()
        try poll.add(mailbox.wakeUp.descriptor.number, for: .readable, tag: Self.mailboxTag)
        self.listeners = listeners
        self.poll = poll
        self.mailbox = mailbox
        try listen()
    }

    /// Waits for connections.
    func listen() throws(Errno) {
        for (listener, tag) in zip(listeners, Self.firstListenerTag...) {
            try poll.add(listener.socket.descriptor.number, for: .readable, tag: tag)
        }
    }

    /// Leaves connections in the backlog until `listen`.
    func pause() {
        for listener in listeners { try? poll.remove(listener.socket.descriptor.number) }
    }
}
