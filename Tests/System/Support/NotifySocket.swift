import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// The service manager's end of sd_notify(3): a datagram socket that is read at once, so that a sender never waits.
final class NotifySocket: Sendable {
    let path: Path
    private let messages = Mutex<[Message]>([])
    private let thread = Mutex<KernelThread?>(nil)

    /// One assignment of a message: `READY=1`, `STATUS=…`.
    struct Message: Sendable {
        let receivedAt: MonotonicTime
        let name: String
        let value: String
    }

    init(path: Path) throws {
        self.path = path
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | 0o2000000, 0)
        guard number != -1 else { throw CallFailed(call: "socket", path: path, errno: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.bytes) }
        // With _GNU_SOURCE glibc takes a transparent union of all address types, which Swift sees as a plain one.
        let bound = withUnsafePointer(to: &address) {
            bind(number, __CONST_SOCKADDR_ARG(__sockaddr_un__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
        }
        guard bound == 0 else { throw CallFailed(call: "bind", path: path, errno: errno) }
        try Disk.changeMode(path, 0o777)
        var limit = timeval(tv_sec: 0, tv_usec: 100_000)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let reader = KernelThread(name: "notify-socket") { [weak self] in
            Self.receive(number) { self }
            close(number)
        }
        thread.withLock { $0 = reader }
    }

    /// Reads until the owner has gone, which it notices within the socket's timeout.
    private static func receive(_ descriptor: Int32, _ owner: () -> NotifySocket?) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            let code = errno
            guard let socket = owner() else { return }
            if count < 0 {
                if code == EAGAIN || code == EINTR { continue }
                return
            }
            let now = MonotonicTime.now
            for line in String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n") {
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let message = Message(
                    receivedAt: now, name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
                socket.messages.withLock { $0.append(message) }
            }
        }
    }

    /// All messages so far, oldest first.
    var received: [Message] { messages.withLock { $0 } }

    func count(of name: String) -> Int { received.count { $0.name == name } }

    /// The latest `STATUS=`.
    var status: String { received.last { $0.name == "STATUS" }?.value ?? "" }
}
