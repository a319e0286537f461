import CLinux
import Glibc
public import SystemPackage

extension PacketConnection {
    /// The two ends of a connection, both closed on exec: socketpair(2).
    ///
    /// - Throws: the errno of socketpair(2).
    public static func pair() throws(Errno) -> PacketPair {
        var ends: [CInt] = [-1, -1]
        let type = CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        try systemCall { socketpair(AF_UNIX, type, 0, &ends) }
        return PacketPair(
            one: PacketConnection(OwnedDescriptor(owning: ends[0])),
            other: PacketConnection(OwnedDescriptor(owning: ends[1])))
    }

    /// Takes over a connected `SOCK_SEQPACKET` socket that this process was started with.
    public init(owning descriptor: CInt) { self.init(OwnedDescriptor(owning: descriptor)) }

    /// Sends one packet, not empty, with copies of up to 16 descriptors.
    ///
    /// - Throws: the errno of sendmsg(2): `EPIPE` when the peer reads no more, `EMSGSIZE`.
    public borrowing func send(_ packet: [UInt8], descriptors: [CInt]) throws(Errno) {
        try systemCall {
            clinux_send_descriptors(descriptor.number, packet, packet.count, descriptors, descriptors.count)
        }
    }

    /// Receives one packet of at most `limit` bytes that has exactly `count` descriptors.
    ///
    /// - Returns: nil when the peer sends no more.
    /// - Throws: `EMSGSIZE` for a longer packet, `EPROTO` for another number of descriptors; the errno of recvmsg(2).
    public borrowing func receive(atMost limit: Int, descriptors count: Int) throws(Errno) -> PacketWithDescriptors? {
        var packet = [UInt8](repeating: 0, count: limit)
        var numbers = [CInt](repeating: -1, count: 16)
        var received = 0
        let length = try systemCall {
            clinux_receive_descriptors(descriptor.number, &packet, limit, &numbers, &received)
        }
        let descriptors = ReceivedDescriptors(numbers: Array(numbers[..<received]))
        if length == 0 { return nil }
        guard length <= limit else { throw .messageTooLong }
        guard received == count else { throw .protocolError }
        packet.removeSubrange(length...)
        return PacketWithDescriptors(packet: packet, descriptors: descriptors)
    }
}

/// Both ends of a connection.
@frozen
public struct PacketPair: ~Copyable, Sendable {
    public let one: PacketConnection
    public let other: PacketConnection
}

/// What came in one packet.
@frozen
public struct PacketWithDescriptors: ~Copyable, Sendable {
    public let packet: [UInt8]
    public let descriptors: ReceivedDescriptors
}

/// Descriptors that came from another process, closed when their owner goes.
public struct ReceivedDescriptors: ~Copyable, Sendable {
    public let numbers: [CInt]
    deinit { for number in numbers { Glibc.close(number) } }

    /// Closes them before the end of their scope.
    public consuming func close() {}
}
