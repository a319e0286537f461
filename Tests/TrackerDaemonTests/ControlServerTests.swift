import Glibc
import LinuxKernel
import Synchronization
import SystemPackage
import Testing

@testable import TrackerDaemon

/// Answers at once with what was asked.
private let echo: ControlServer.Handler = { request, reply in
    reply(.ok(String(decoding: request.packet, as: UTF8.self)))
}

private func connect(_ scratch: Scratch) throws -> PacketConnection {
    try PacketConnection.connect(
        directory: scratch.bytes, name: ControlServer.socketName, timeout: .seconds(10))
}

private func ask(_ scratch: Scratch, _ request: ControlRequest = .status) throws -> ControlReply {
    try ControlClient.request(request, stateDirectory: scratch.bytes, timeout: .seconds(10))
}

extension PacketConnection {
    /// The reply that waits, or nil when the connection ended without one.
    borrowing func reply() throws -> ControlReply? {
        guard case .packet(let packet) = try receive(atMost: ControlReply.limit) else { return nil }
        return ControlReply(parsing: packet)
    }
}

@Suite struct ControlServerTests {
    let scratch = try! Scratch()
    private var socketPath: String { scratch.path + "/control.sock" }

    private func mode() -> mode_t? {
        var status = stat()
        return lstat(socketPath, &status) == 0 ? status.st_mode : nil
    }

    @Test func answersAndLeavesNothingBehind() throws {
        let server = try ControlServer(stateDirectory: scratch.bytes, handler: echo)
        #expect(mode() == S_IFSOCK | 0o660)
        #expect(try ask(scratch) == .ok("status"))
        #expect(try ask(scratch, .settle) == .ok("settle"))
        #expect(try ask(scratch, .accept(path: [0x2F, 0x0A, 0xFF])) == .ok("accept /\\012\u{FFFD}"))
        server.stop()
        server.stop()
        #expect(mode() == nil)
        #expect(throws: ControlError.notRunning(stateDirectory: scratch.bytes)) { try ask(scratch) }
    }

    @Test func answersLaterFromAnotherThreadAndOnce() throws {
        let parked = Mutex<[@Sendable (ControlReply) -> Void]>([])
        let server = try ControlServer(stateDirectory: scratch.bytes) { request, reply in
            if request == .status { return reply(.ok("")) }
            parked.withLock { $0.append(reply) }
        }
        let first = try connect(scratch)
        let second = try connect(scratch)
        try first.send(ControlRequest.settle.packet)
        #expect(eventually { parked.withLock { $0.count } == 1 })
        try second.send(ControlRequest.settle.packet)
        #expect(eventually { parked.withLock { $0.count } == 2 })
        #expect(try ask(scratch) == .ok(""))
        let answerer = KernelThread(name: "answerer") {
            let replies = parked.withLock { $0 }
            replies[1](.ok("second"))
            replies[1](.ok("again"))
            replies[0](.ok("first"))
        }
        #expect(try second.reply() == .ok("second"))
        #expect(try first.reply() == .ok("first"))
        #expect(try second.receive(atMost: 100) == .ended)
        answerer.join()
        server.stop()
    }

    @Test func lostRequestIsAnsweredNevertheless() throws {
        let server = try ControlServer(stateDirectory: scratch.bytes) { _, _ in }
        #expect(try ask(scratch) == .error("the tracker dropped the request; try again"))
        server.stop()
    }

    @Test func clientGivesUpAndTheLateAnswerHitsNobody() throws {
        let parked = Mutex<[@Sendable (ControlReply) -> Void]>([])
        let server = try ControlServer(stateDirectory: scratch.bytes) { request, reply in
            if request == .status { return reply(.ok("alive")) }
            parked.withLock { $0.append(reply) }
        }
        #expect(throws: ControlError.timedOut(.milliseconds(20))) {
            try ControlClient.request(.settle, stateDirectory: scratch.bytes, timeout: .milliseconds(20))
        }
        #expect(eventually { parked.withLock { $0.count } == 1 })
        parked.withLock { $0.removeFirst() }(.ok("late"))
        #expect(try ask(scratch) == .ok("alive"))
        server.stop()
    }

    @Test func stopEndsWaitingClients() throws {
        let parked = Mutex<[@Sendable (ControlReply) -> Void]>([])
        let server = try ControlServer(stateDirectory: scratch.bytes) { _, reply in
            parked.withLock { $0.append(reply) }
        }
        let client = try connect(scratch)
        try client.send(ControlRequest.settle.packet)
        #expect(eventually { parked.withLock { $0.count } == 1 })
        server.stop()
        #expect(try client.reply() == nil)
        parked.withLock { $0[0] }(.ok("to nobody"))
    }

    // MARK: The socket's name

    @Test func staleSocketIsReplaced() throws {
        let socket = socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0)
        defer { close(socket) }
        let bound = withAddress(socketPath) { bind(socket, $0, $1) }
        try #require(bound == 0)
        #expect(throws: ControlError.notRunning(stateDirectory: scratch.bytes)) { try ask(scratch) }
        let server = try ControlServer(stateDirectory: scratch.bytes, handler: echo)
        #expect(try ask(scratch) == .ok("status"))
        server.stop()
    }

    @Test func anythingElseIsNotReplaced() throws {
        try #require(mkdir(socketPath, 0o700) == 0)
        #expect(throws: ControlError.nameTaken(stateDirectory: scratch.bytes)) {
            try ControlServer(stateDirectory: scratch.bytes, handler: echo)
        }
        #expect(mode().map { $0 & S_IFMT } == S_IFDIR)
    }

    @Test func noDirectory() {
        let missing = scratch.bytes + Array("/missing".utf8)
        #expect(throws: ControlError.system(.noSuchFileOrDirectory, stateDirectory: missing)) {
            try ControlServer(stateDirectory: missing, handler: echo)
        }
    }

    /// 107 bytes are the longest that an address holds with its NUL; then come those that it does not.
    @Test(arguments: [106, 107, 108, 109, 1_000])
    func pathsAroundAndBeyondAnAddress(length: Int) throws {
        var directory = scratch.path
        let target = length - "/control.sock".utf8.count
        while directory.utf8.count < target {
            let left = target - directory.utf8.count - 1
            let step = left <= 200 ? left : 150
            directory += "/" + String(repeating: "d", count: step)
            try #require(mkdir(directory, 0o755) == 0)
        }
        #expect(directory.utf8.count == target)
        let server = try ControlServer(stateDirectory: Array(directory.utf8), handler: echo)
        let reply = try ControlClient.request(.status, stateDirectory: Array(directory.utf8), timeout: .seconds(10))
        #expect(reply == .ok("status"))
        #expect(access(directory + "/control.sock", F_OK) == 0)
        server.stop()
        #expect(access(directory + "/control.sock", F_OK) == -1)
    }
}
