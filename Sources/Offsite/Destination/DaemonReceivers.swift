import LinuxKernel
import SystemPackage

/// Whether the receiver of a run that did not end may still be at work at an rsync daemon. It would put the old files that it
/// has over new ones. Where commands run, a lock in the receiver's own command answers that; a daemon has only its limit of
/// connections (rsyncd.conf(5), "max connections").
struct DaemonReceivers {
    enum Answer: Equatable {
        /// The daemon has one connection at most, and it was free.
        case none
        /// All that it has are taken.
        case atWork
        /// It admits several, so that nothing tells.
        case unknown
    }

    let host: String
    let port: UInt16?
    let module: String
    let stop: any StopSignal
    private let deadline = MonotonicTime.now.advanced(milliseconds: patience)

    /// Milliseconds that all of it may take.
    private static let patience: Int64 = 15_000
    /// Milliseconds that the connection before this one may take to end.
    private static let grace: Int64 = 3_000
    /// Seconds that a connection is waited for, and between looks whether this process is to end.
    private static let pace = 2
    /// Bytes that are read of a greeting, with the message of the day.
    private static let mostBytes = 65_536

    init(host: String, port: UInt16?, module: String, stop: any StopSignal) {
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        self.port = port
        self.module = module
        self.stop = stop
    }

    /// Asks for two connections at once.
    ///
    /// - Throws: the errno that kept it from asking: `ECANCELED` when `stop` ended it, `ETIMEDOUT`, `EPROTO`.
    func ask() throws(Errno) -> Answer {
        let patience = MonotonicTime.now.advanced(milliseconds: Self.grace)
        while true {
            let first = try TCPConnection(host: host, port: port ?? 873, timeout: .seconds(Self.pace))
            if try limit(first) == nil {
                let second = try TCPConnection(host: host, port: port ?? 873, timeout: .seconds(Self.pace))
                let answer: Answer = try limit(second) == 1 ? .none : .unknown
                // The first one holds its place until here.
                withExtendedLifetime(first) {}
                return answer
            }
            guard MonotonicTime.now < patience else { return .atWork }
            _ = try EventPoll().wait(milliseconds: 200)
        }
    }

    /// Names a module and waits for what the daemon says to that: it counts connections before it asks for a password
    /// (clientserver.c, rsync_module: claim_connection, auth_server).
    ///
    /// - Returns: the number of connections that is reached; nil when this one is admitted.
    private func limit(_ connection: borrowing TCPConnection) throws(Errno) -> Int? {
        // An old protocol: a newer one has this side list digests too.
        try connection.send(Array("@RSYNCD: 30.0\n\(module)\n".utf8))
        var answer: [UInt8] = []
        while answer.count < Self.mostBytes {
            if stop.isRequested() { throw .canceled }
            if MonotonicTime.now > deadline { throw .timedOut }
            do throws(Errno) {
                let piece = try connection.receive()
                if piece.isEmpty { break }
                answer += piece
            } catch  where error == .wouldBlock {
                continue
            }
            // The first greeting is its version.
            var isGreeted = false
            for line in answer.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
                let text = String(decoding: line, as: UTF8.self)
                if let number = Self.number(ofRefusal: text) { return number }
                if text.hasPrefix("@ERROR") { throw .protocolError }
                if text.hasPrefix("@RSYNCD:") {
                    if isGreeted { return nil }
                    isGreeted = true
                }
            }
        }
        throw .protocolError
    }

    /// `@ERROR: max connections (1) reached -- try again later`.
    static func number(ofRefusal line: String) -> Int? {
        let beginning = "@ERROR: max connections ("
        guard line.hasPrefix(beginning) else { return nil }
        return Int(line.dropFirst(beginning.count).prefix { $0.isNumber }) ?? 0
    }
}
