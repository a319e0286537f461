import CLinux
import Glibc
public import SystemPackage

/// A TCP connection to another host's service, closed with the value.
public struct TCPConnection: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// Connects to the first address of a host that accepts (getaddrinfo(3)).
    ///
    /// - Parameters:
    ///   - host: a name or a numeric address, without brackets.
    ///   - timeout: how long each attempt, and each call afterwards, waits at most: whole seconds, at least one.
    /// - Throws: `EHOSTUNREACH` when the name has no address; the errno of the last socket(2), setsockopt(2) or connect(2),
    ///   which is `EINPROGRESS` when the time was over.
    public init(host: String, port: UInt16, timeout: Duration) throws(Errno) {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { throw .noRouteToHost }
        defer { freeaddrinfo(found) }
        var failure = Errno.noRouteToHost
        var next = found
        while let address = next?.pointee {
            next = address.ai_next
            do throws(Errno) {
                descriptor = try Self.connect(address, timeout)
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func connect(_ address: addrinfo, _ timeout: Duration) throws(Errno) -> OwnedDescriptor {
        let kind = address.ai_socktype | CInt(SOCK_CLOEXEC.rawValue)
        let socket = OwnedDescriptor(
            owning: try systemCall { Glibc.socket(address.ai_family, kind, address.ai_protocol) })
        // Of a blocking socket connect(2) too (socket(7), SO_SNDTIMEO).
        var value = timeval(tv_sec: Int(max(timeout.components.seconds, 1)), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            try systemCall {
                setsockopt(socket.number, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size))
            }
        }
        let place = __CONST_SOCKADDR_ARG(__sockaddr__: address.ai_addr)
        try systemCall { Glibc.connect(socket.number, place, address.ai_addrlen) }
        return socket
    }

    /// Sends all of it. A peer that is gone raises no SIGPIPE.
    ///
    /// - Throws: the errno of send(2): `EAGAIN` when the time was over.
    public func send(_ bytes: [UInt8]) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest)
            rest = rest.dropFirst(
                try systemCall { Glibc.send(descriptor.number, piece, piece.count, CInt(MSG_NOSIGNAL)) })
        }
    }

    /// What came, at most 1,024 bytes; empty when the other side closed.
    ///
    /// - Throws: the errno of recv(2): `EAGAIN` when the time was over.
    public func receive() throws(Errno) -> [UInt8] {
        var piece = [UInt8](repeating: 0, count: 1_024)
        let count = try systemCall { recv(descriptor.number, &piece, piece.count, 0) }
        return Array(piece[..<count])
    }
}
