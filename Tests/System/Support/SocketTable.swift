import Glibc

/// The kernel's table of the TCP sockets of one network namespace (proc(5), `/proc/net/tcp`).
struct SocketTable {
    private var ports: Set<UInt16> = []
    private var listening: [UInt16: Set<String>] = [:]

    /// - Parameter process: one in that namespace.
    init(seenBy process: String = "self") {
        for name in ["tcp", "tcp6"] {
            let text = (try? Disk.read("/proc/\(process)/net/\(Path(name))")) ?? []
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                guard fields.count > 9, let port = UInt16(fields[1].split(separator: ":").last ?? "", radix: 16)
                else { continue }
                ports.insert(port)
                // TCP_LISTEN, net/tcp_states.h.
                if fields[3] == "0A" { listening[port, default: []].insert("socket:[\(fields[9])]") }
            }
        }
    }

    /// A port that nobody has. Below those that the kernel gives to clients; drawn, so that test processes that run
    /// side by side rarely choose the same.
    func freePort() -> UInt16 {
        while true {
            let port = UInt16.random(in: 20_000..<32_000)
            if !ports.contains(port) { return port }
        }
    }

    /// Whether this very process listens on the port, rather than somebody who was faster.
    static func isListening(on port: UInt16, _ process: pid_t) -> Bool {
        guard let sockets = SocketTable(seenBy: "\(process)").listening[port] else { return false }
        let descriptors = Path("/proc/\(process)/fd")
        return (try? Disk.names(of: descriptors))?.contains { name in
            (try? Disk.linkTarget(descriptors / name)).map { sockets.contains($0.string) } ?? false
        } ?? false
    }
}
