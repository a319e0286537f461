import LinuxKernel
import SystemPackage

/// Whether the receiver of a run that did not end may still be at work at an rsync daemon. It would put the old files that it
/// has over new ones. Where commands run, a lock in the receiver's own command answers that; a daemon has only its limit of
/// connections (rsyncd.conf(5), "max connections").
enum DaemonReceivers {
    enum Answer: Equatable {
        /// The daemon has one connection at most, and it was free.
        case none
        /// It has one at most, and that is taken.
        case atWork
        /// It admits several, so that nothing tells.
        case unknown
    }

    /// Seconds that each answer is waited for.
    private static let patience = 10
    /// Bytes of the longest line that is read, and how many of the message of the day.
    private static let longestLine = 4_096
    private static let mostLines = 200

    /// Asks for two connections at once.
    ///
    /// - Throws: the errno that kept it from asking.
    static func ask(host: String, port: UInt16?, module: String) throws(Errno) -> Answer {
        let host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        var first = try TCPConnection(host: host, port: port ?? 873, timeout: .seconds(patience))
        guard try isAdmitted(&first, module) else { return .atWork }
        var second = try TCPConnection(host: host, port: port ?? 873, timeout: .seconds(patience))
        let isSecondAdmitted = try isAdmitted(&second, module)
        // The first one holds its place until here.
        withExtendedLifetime(first) {}
        return isSecondAdmitted ? .unknown : .none
    }

    /// Names a module and waits for what the daemon says to that: it counts connections before it asks for a password
    /// (clientserver.c, rsync_module: claim_connection, auth_server).
    private static func isAdmitted(_ connection: inout TCPConnection, _ module: String) throws(Errno) -> Bool {
        // An old protocol: a newer one has this side list digests too.
        try connection.send(Array("@RSYNCD: 30.0\n\(module)\n".utf8))
        var greetings = 0
        for _ in 0..<mostLines {
            guard let bytes = try connection.line(atMost: longestLine) else { break }
            let line = String(decoding: bytes, as: UTF8.self)
            if line.hasPrefix("@ERROR: max connections") { return false }
            if line.hasPrefix("@ERROR") { break }
            if line.hasPrefix("@RSYNCD:") { greetings += 1 }
            // The first is its version.
            if greetings == 2 { return true }
        }
        throw .protocolError
    }
}
