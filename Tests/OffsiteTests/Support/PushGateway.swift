import Glibc
import LinuxKernel
import Testing

/// Debian's prometheus-pushgateway on a free port of the loopback, killed with its owner.
final class PushGateway {
    static let program = "/usr/bin/prometheus-pushgateway"
    static let isInstalled = access(program, X_OK) == 0 && access("/usr/bin/curl", X_OK) == 0

    let url: String
    private let process: ChildProcess
    /// Kept open: it logs into it.
    private let log: OwnedDescriptor

    init() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        process = try ChildProcess.spawn(
            [Array(Self.program.utf8), Array("--web.listen-address=127.0.0.1:0".utf8)],
            error: .descriptor(writer.number))
        writer.close()
        url = "http://127.0.0.1:\(try #require(try Self.port(in: reader), "no gateway"))"
        log = reader
    }

    /// From `msg="Listening on" address=127.0.0.1:PORT`.
    private static func port(in log: borrowing OwnedDescriptor) throws -> Int? {
        let poll = try EventPoll()
        try poll.add(log.number, for: .readable, tag: 0)
        var text = ""
        while try !poll.wait(milliseconds: 20_000).isEmpty {
            let bytes = try log.read(atMost: 4_096)
            if bytes.isEmpty { return nil }
            text += String(decoding: bytes, as: UTF8.self)
            for line in text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
            where line.contains("Listening on") {
                return line.split(separator: ":").last.flatMap { Int($0) }
            }
        }
        return nil
    }

    /// The lines of `/metrics` that belong to a destination, sorted.
    func samples(_ names: String...) throws -> [String] {
        let text = String(decoding: try curl("\(url)/metrics"), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
            .filter { line in names.contains { line.hasPrefix($0) } && line.contains("destination=") }.sorted()
    }

    /// Runs curl and returns what it printed.
    @discardableResult
    func curl(_ arguments: String...) throws -> [UInt8] {
        let pipe = try Pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        let all = ["curl", "-q", "--silent", "--max-time", "20", "--noproxy", "*"] + arguments
        var child = try ChildProcess.spawn(all.map { Array($0.utf8) }, output: .descriptor(writer.number))
        writer.close()
        let output = try reader.readToEnd()
        try #require(try child.wait() == .exited(0))
        return output
    }
}

/// A TCP socket of the loopback on a port of its own that nobody else can have.
final class DeadPort {
    private let socket: OwnedDescriptor
    let url: String

    /// - Parameter listens: connections are made and never answered; otherwise they are refused.
    init(listens: Bool) throws {
        let socket = OwnedDescriptor(
            owning: try systemCall { Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) })
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try systemCall { bind(socket.number, .init(__sockaddr_in__: pointer), length) }
            try systemCall { getsockname(socket.number, .init(__sockaddr_in__: pointer), &length) }
        }
        if listens { try systemCall { listen(socket.number, 8) } }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        self.socket = socket
    }
}
