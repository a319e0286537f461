import CLinux
import Glibc
public import SystemPackage

/// Messages to a Unix datagram socket of another process (unix(7)).
public enum UnixDatagram {
    /// Sends one message without ever waiting for its reader.
    ///
    /// - Parameter path: the socket's path; with a leading `@`, its name in the abstract namespace.
    /// - Throws: `EAGAIN` when the reader's queue is full, `ENAMETOOLONG`; the errno of socket(2) or sendto(2).
    public static func send(_ message: [UInt8], to path: [UInt8]) throws(Errno) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard !path.isEmpty, path.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .fileNameTooLong }
        var name = path
        let isAbstract = path[0] == UInt8(ascii: "@")
        if isAbstract { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // An abstract name ends where the address does, a path at its NUL.
        let length = MemoryLayout<sa_family_t>.size + name.count + (isAbstract ? 0 : 1)
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let socket = OwnedDescriptor(owning: try systemCall { Glibc.socket(AF_UNIX, kind, 0) })
        let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
        _ = try withUnsafePointer(to: &address) { (place) throws(Errno) in
            try systemCall {
                sendto(socket.number, message, message.count, flags, .init(__sockaddr_un__: place), socklen_t(length))
            }
        }
    }
}
