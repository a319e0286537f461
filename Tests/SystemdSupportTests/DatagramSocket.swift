import Glibc
import Testing

/// A Unix datagram socket bound to a path: what a service manager or journald is to its clients.
final class DatagramSocket {
    private let number: CInt

    init(path: String) throws {
        number = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        try #require(number >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            bind(number, .init(__sockaddr_un__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
        }
        try #require(bound == 0, "bind: \(errno)")
    }

    deinit { close(number) }

    /// The next datagram; nil when none waits. Sending to a Unix socket has delivered when it returns.
    func next() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(number, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        return count < 0 ? nil : Array(buffer[..<count])
    }

    func nextText() -> String? { next().map { String(decoding: $0, as: UTF8.self) } }
}

/// A new directory under /tmp.
func temporaryDirectory() throws -> String {
    var template = Array("/tmp/nfs-changes-test.XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}
