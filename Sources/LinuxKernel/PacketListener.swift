import CLinux
import Glibc
public import SystemPackage

/// A Unix socket in the file system that takes connections which carry whole packets: `SOCK_SEQPACKET` of unix(7).
///
/// Non-blocking. The name in the directory is removed when the owner goes.
public struct PacketListener: ~Copyable, Sendable {
    public let descriptor: OwnedDescriptor
    private let directory: OwnedDescriptor
    private let name: [UInt8]

    /// Binds `name` in `directory`, in place of a socket that an earlier process left there.
    ///
    /// The permissions are set before the socket listens: nobody gets in by those that it was born with.
    ///
    /// - Throws: `EEXIST` when the name is taken by something that is not a socket; the errno of openat(2),
    ///   unlinkat(2), socket(2), bind(2), fchmodat(2) or listen(2).
    public init(directory path: [UInt8], name: [UInt8], permissions: mode_t, backlog: CInt) throws(Errno) {
        let directory = try OwnedDescriptor.open(path, flags: O_PATH | O_DIRECTORY)
        try Self.removeSocket(name, from: directory.number)
        let socket = try packetSocket(flags: CInt(SOCK_NONBLOCK.rawValue))
        try withSocketAddress(directory: path, opened: directory.number, name: name) {
            (address, length) throws(Errno) in
            try systemCall { Glibc.bind(socket.number, address, length) }
        }
        _ = try withCPath(name) { (name) throws(Errno) in
            try systemCall { fchmodat(directory.number, name, permissions, 0) }
        }
        try systemCall { Glibc.listen(socket.number, backlog) }
        descriptor = socket
        self.directory = directory
        self.name = name
    }

    deinit { try? Self.removeSocket(name, from: directory.number) }

    private static func removeSocket(_ name: [UInt8], from directory: CInt) throws(Errno) {
        try withCPath(name) { (name) throws(Errno) in
            do throws(Errno) {
                guard try FileStatus.of(name, in: directory).type == .socket else { throw .fileExists }
                try systemCall { unlinkat(directory, name, 0) }
            } catch {
                if error != .noSuchFileOrDirectory { throw error }
            }
        }
    }

    /// The next connection that waits, non-blocking as well; nil when none does.
    ///
    /// - Throws: the errno of accept4(2): `EMFILE`, `ENFILE`, `ENOMEM`, ….
    public borrowing func accept() throws(Errno) -> PacketConnection? {
        do throws(Errno) {
            let flags = CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let number = try systemCall { accept4(descriptor.number, .init(__sockaddr_un__: nil), nil, flags) }
            return PacketConnection(OwnedDescriptor(owning: number))
        } catch {
            if error == .wouldBlock || error == .connectionAbort { return nil }
            throw error
        }
    }
}

func packetSocket(flags: CInt) throws(Errno) -> OwnedDescriptor {
    let type = CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue) | flags
    return OwnedDescriptor(owning: try systemCall { socket(AF_UNIX, type, 0) })
}

/// Calls `body` with the address of `name` in a directory.
///
/// `sun_path` holds 108 bytes with its NUL (unix(7)). A path that does not fit goes through `/proc/self/fd/N` of the
/// opened directory; one that does is used as it is, since that is what ss(8) shows.
func withSocketAddress(
    directory path: [UInt8], opened directory: CInt, name: [UInt8],
    _ body: (__CONST_SOCKADDR_ARG, socklen_t) throws(Errno) -> Void
) throws(Errno) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let slash = [UInt8(ascii: "/")]
    var full = path + slash + name
    if full.count >= MemoryLayout.size(ofValue: address.sun_path) {
        full = Array("/proc/self/fd/\(directory)".utf8) + slash + name
    }
    guard full.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .fileNameTooLong }
    guard !full.contains(0) else { throw .invalidArgument }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: full) }
    try withUnsafePointer(to: &address) { (pointer) throws(Errno) in
        try body(.init(__sockaddr_un__: pointer), socklen_t(MemoryLayout<sockaddr_un>.size))
    }
}
