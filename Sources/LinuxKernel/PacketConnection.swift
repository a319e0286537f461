import CLinux
import Glibc
public import SystemPackage

/// One end of a `SOCK_SEQPACKET` connection: what is sent in one call arrives in one call, in order, or not at all.
public struct PacketConnection: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// Connects to the socket `name` in `directory`, waiting no longer than `timeout` for room in its backlog.
    ///
    /// - Throws: `ENOENT` when there is no such socket, `ECONNREFUSED` when nobody listens on it, `EACCES` without
    ///   write permission on it, `EAGAIN` when the time was over; the errno of socket(2) or connect(2).
    public static func connect(
        directory path: [UInt8], name: [UInt8], timeout: Duration
    ) throws(Errno) -> PacketConnection {
        let directory = try OwnedDescriptor.open(path, flags: O_PATH | O_DIRECTORY)
        let connection = PacketConnection(try packetSocket(flags: 0))
        try connection.setTimeout(timeout)
        try withSocketAddress(directory: path, opened: directory.number, name: name) {
            (address, length) throws(Errno) in
            try systemCall { Glibc.connect(connection.descriptor.number, address, length) }
        }
        return connection
    }

    /// How long a call on a blocking connection waits before it ends with `EAGAIN`; at least a microsecond, since
    /// zero means for ever (socket(7), SO_RCVTIMEO).
    public borrowing func setTimeout(_ timeout: Duration) throws(Errno) {
        let (seconds, attoseconds) = timeout.components
        var value = timeval(tv_sec: Int(max(seconds, 0)), tv_usec: Int(max(attoseconds / 1_000_000_000_000, 0)))
        if value.tv_sec == 0 && value.tv_usec == 0 { value.tv_usec = 1 }
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            try systemCall {
                setsockopt(descriptor.number, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size))
            }
        }
    }

    /// Who is at the other end, as the kernel noted it when the connection was made (`SO_PEERCRED`).
    public struct Peer: Equatable, Sendable {
        public let process: pid_t
        public let user: uid_t
        public let group: gid_t
    }

    /// - Throws: the errno of getsockopt(2).
    public borrowing func peer() throws(Errno) -> Peer {
        var credentials = ucred()
        var size = socklen_t(MemoryLayout<ucred>.size)
        try systemCall { getsockopt(descriptor.number, SOL_SOCKET, SO_PEERCRED, &credentials, &size) }
        return Peer(process: credentials.pid, user: credentials.uid, group: credentials.gid)
    }

    /// Sends one packet. A peer that is gone raises no SIGPIPE.
    ///
    /// - Throws: `EPIPE` when the peer reads no more, `EAGAIN` when it has no room, `EMSGSIZE`; the errno of send(2).
    public borrowing func send(_ packet: [UInt8]) throws(Errno) {
        try systemCall { Glibc.send(descriptor.number, packet, packet.count, CInt(MSG_NOSIGNAL)) }
    }

    public enum Reception: Equatable, Sendable {
        case packet([UInt8])
        /// A packet of this many bytes, more than were asked for; it is gone.
        case tooLong(Int)
        /// The peer sends no more. An empty packet looks the same (recv(2)).
        case ended
        /// Nothing there, or nothing within the time set.
        case nothing
    }

    /// Receives one packet of at most `limit` bytes.
    ///
    /// - Throws: the errno of recv(2), `EAGAIN` apart.
    public borrowing func receive(atMost limit: Int) throws(Errno) -> Reception {
        var packet = [UInt8](repeating: 0, count: limit)
        let length: Int
        do throws(Errno) {
            length = try systemCall {
                recv(descriptor.number, &packet, limit, CInt(MSG_TRUNC))
            }
        } catch {
            if error == .wouldBlock { return .nothing }
            throw error
        }
        if length == 0 { return .ended }
        if length > limit { return .tooLong(length) }
        packet.removeSubrange(length...)
        return .packet(packet)
    }

    /// Takes no more packets, and drops what has arrived.
    ///
    /// For an end that is about to say its last word: a socket closed with unread packets answers its peer with
    /// ECONNRESET, which then hides that word.
    public borrowing func refuseInput() {
        _ = Glibc.shutdown(descriptor.number, CInt(SHUT_RD))
        var byte: UInt8 = 0
        while recv(descriptor.number, &byte, 1, CInt(MSG_DONTWAIT)) > 0 {}
    }
}
