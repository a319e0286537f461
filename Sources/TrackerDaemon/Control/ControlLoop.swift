import Glibc
import LinuxKernel
import SystemPackage

/// The control thread: takes connections, reads requests, sends answers; never blocks but in its poll.
struct ControlLoop {
    private let endpoint: ControlEndpoint
    private let handler: ControlServer.Handler
    /// Milliseconds.
    private let requestTimeout: Int64
    private var clients: [UInt64: Client] = [:]
    /// Numbers are never used again, so a late answer cannot reach another client.
    private var nextClient = ControlEndpoint.firstListenerTag + ControlEndpoint.mostListeners
    /// When to listen again after the process ran out of descriptors; nil while it listens.
    private var listenAgain: MonotonicTime?
    private var isStopping = false
    /// Clients that are not the owner and wait for the next barrier.
    private var waitingForBarrier: [UInt64] = []
    private var nextBarrier = MonotonicTime(nanoseconds: 0)

    /// A barrier makes the tracker look at once, without its rate limits: those who are not the owner get no more than
    /// four a second, together. In milliseconds.
    private static let barrierInterval: Int64 = 250
    /// Connections at the same time, and how many of them those may have who are neither root nor the tracker's
    /// user: the administrator always gets in.
    private static let maximumClients = 16
    private static let maximumOthers = 8
    /// Milliseconds.
    private static let pauseWithoutDescriptors: Int64 = 1_000

    private final class Client {
        let connection: PacketConnection
        let isOwner: Bool
        /// When its request must have come; nil once it has.
        var deadline: MonotonicTime?

        init(_ connection: consuming PacketConnection, isOwner: Bool, deadline: MonotonicTime) {
            self.connection = connection
            self.isOwner = isOwner
            self.deadline = deadline
        }
    }

    init(endpoint: ControlEndpoint, requestTimeout: Int64, handler: @escaping ControlServer.Handler) {
        self.endpoint = endpoint
        self.requestTimeout = requestTimeout
        self.handler = handler
    }

    mutating func run() {
        while true {
            let ready: [(tag: UInt64, ready: EventPoll.Interest)]
            do throws(Errno) {
                ready = try endpoint.poll.wait(milliseconds: millisecondsToNextDeadline())
            } catch {
                // Only a wrong descriptor or address can fail (epoll_wait(2)).
                fatalError("epoll_wait on the control socket: \(error)")
            }
            for (tag, _) in ready {
                switch tag {
                case ControlEndpoint.mailboxTag: deliver()
                case ..<(ControlEndpoint.firstListenerTag + ControlEndpoint.mostListeners):
                    accept(from: endpoint.listeners[Int(tag - ControlEndpoint.firstListenerTag)])
                default: receive(from: tag)
                }
            }
            if isStopping { return }
            expire(at: .now)
        }
    }

    /// Takes the connections that wait, at most as many as fill the backlog once: the others get their turn after those
    /// that are connected.
    private mutating func accept(from listener: ControlEndpoint.Listener) {
        for _ in 0..<Self.maximumClients {
            do throws(Errno) {
                guard let connection = try listener.socket.accept() else { return }
                admit(connection)
            } catch {
                // Out of descriptors or memory: the connection stays in the backlog and would wake this thread again
                // and again.
                endpoint.pause()
                listenAgain = MonotonicTime.now.advanced(milliseconds: Self.pauseWithoutDescriptors)
                return
            }
        }
    }

    private mutating func admit(_ connection: consuming PacketConnection) {
        guard let peer = try? connection.peer() else { return }
        let isOwner = peer.user == 0 || peer.user == geteuid()
        let number = nextClient
        nextClient += 1
        let client = Client(
            connection, isOwner: isOwner, deadline: MonotonicTime.now.advanced(milliseconds: requestTimeout))
        if isFull(forOwner: isOwner) {
            // Some may have asked, or gone, since the poll.
            for number in Array(clients.keys) { receive(from: number) }
            deliver()
        }
        let isRefused = isFull(forOwner: isOwner)
        clients[number] = client
        if isRefused {
            finish(number, .error("too many clients; try again"))
            return
        }
        do throws(Errno) {
            try endpoint.poll.add(client.connection.descriptor.number, for: .readable, tag: number)
        } catch {
            finish(number, .error("the tracker can't take another client (\(error)); try again"))
        }
    }

    private func isFull(forOwner isOwner: Bool) -> Bool {
        clients.count >= Self.maximumClients
            || !isOwner && clients.values.count { !$0.isOwner } >= Self.maximumOthers
    }

    private mutating func receive(from number: UInt64) {
        guard let client = clients[number] else { return }
        let reception: PacketConnection.Reception
        do throws(Errno) {
            reception = try client.connection.receive(atMost: ControlRequest.limit)
        } catch {
            clients[number] = nil
            return
        }
        switch reception {
        case .nothing: return
        case .ended: clients[number] = nil
        case .tooLong(let count): finish(number, .error("\(ControlRequest.Refusal.tooLong(count))"))
        case .packet where client.deadline == nil: finish(number, .error("one request a connection"))
        case .packet(let packet):
            client.deadline = nil
            serve(packet, of: client, number)
        }
    }

    private mutating func serve(_ packet: [UInt8], of client: Client, _ number: UInt64) {
        let request: ControlRequest
        do throws(ControlRequest.Refusal) {
            request = try ControlRequest(parsing: packet)
        } catch {
            finish(number, .error("\(error)"))
            return
        }
        guard client.isOwner || request.isOpenToAll else {
            finish(number, .error("permission denied: only root and the tracker's user may ask for this"))
            return
        }
        if request == .settle, !client.isOwner {
            waitingForBarrier.append(number)
        } else {
            pass(request, of: number)
        }
    }

    private func pass(_ request: ControlRequest, of number: UInt64) {
        let pending = PendingReply(to: number, through: endpoint.mailbox)
        handler(request) { pending.answer($0) }
    }

    /// Passes on the barriers that are due.
    private mutating func passBarriers(at now: MonotonicTime) {
        guard !waitingForBarrier.isEmpty, nextBarrier <= now else { return }
        for number in waitingForBarrier where clients[number] != nil { pass(.settle, of: number) }
        waitingForBarrier = []
        nextBarrier = now.advanced(milliseconds: Self.barrierInterval)
    }

    /// Sends the answers that have come in.
    private mutating func deliver() {
        let content = endpoint.mailbox.empty()
        isStopping = content.isStopping
        for (client, reply) in content.replies { finish(client, reply) }
    }

    /// Sends the last word to a client and lets it go. A client that has gone already is no matter.
    ///
    /// It has received nothing before, so there is room for one packet; where there is not, it goes without.
    private mutating func finish(_ number: UInt64, _ reply: ControlReply) {
        guard let client = clients.removeValue(forKey: number) else { return }
        client.connection.refuseInput()
        try? client.connection.send(reply.packet)
    }

    private mutating func expire(at now: MonotonicTime) {
        let late = clients.filter { _, client in client.deadline.map { $0 <= now } ?? false }
        for number in late.keys { finish(number, .error("no request came in time")) }
        passBarriers(at: now)
        if let moment = listenAgain, moment <= now {
            do throws(Errno) {
                try endpoint.listen()
                listenAgain = nil
            } catch {
                listenAgain = now.advanced(milliseconds: Self.pauseWithoutDescriptors)
            }
        }
    }

    /// Milliseconds, rounded up so that a deadline is over when the poll returns; nil when there is none.
    private func millisecondsToNextDeadline() -> Int32? {
        let deadlines = clients.values.compactMap(\.deadline) + [listenAgain].compactMap(\.self)
        guard let next = (deadlines + (waitingForBarrier.isEmpty ? [] : [nextBarrier])).min() else { return nil }
        return Int32(clamping: max((next - .now + 999_999) / 1_000_000, 0))
    }
}
