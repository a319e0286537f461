import Glibc
import LinuxKernel
import Synchronization
import SystemPackage
import Testing

@testable import TrackerDaemon

private let echo: ControlServer.Handler = { request, reply in
    reply(.ok(String(decoding: request.packet, as: UTF8.self)))
}

private func connect(_ directory: [UInt8]) throws -> PacketConnection {
    try PacketConnection.connect(directory: directory, name: ControlServer.socketName, timeout: .seconds(10))
}

/// A connection that can be kept in an array.
private final class Held {
    let connection: PacketConnection
    init(_ directory: [UInt8]) throws { connection = try connect(directory) }
}

@Suite struct ControlHostilityTests {
    let scratch = try! Scratch()

    private func status() throws -> ControlReply {
        try ControlClient.request(.status, stateDirectory: scratch.bytes, timeout: .seconds(10))
    }

    @Test func malformedAndOversizedRequestsAreRefused() throws {
        let server = try ControlServer(stateDirectory: scratch.bytes, handler: echo)
        for (packet, expected) in [
            (Array("reset".utf8), "unknown request; expected settle, accept PATH or status"),
            (Array(repeating: 0x61, count: 100_000), "the request has 100000 bytes; at most 16400 are allowed"),
        ] {
            let client = try connect(scratch.bytes)
            try client.send(packet)
            #expect(try client.reply() == .error(expected))
            #expect(try client.receive(atMost: 10) == .ended)
        }
        #expect(try status() == .ok("status"))
        server.stop()
    }

    @Test func silentClientsDelayNobodyAndAreLetGo() throws {
        let server = try ControlServer(
            stateDirectory: scratch.bytes, requestTimeout: .milliseconds(300), handler: echo)
        let silent = try (0..<15).map { _ in try Held(scratch.bytes) }
        #expect(try status() == .ok("status"))
        for client in silent { #expect(try client.connection.reply() == .error("no request came in time")) }
        server.stop()
    }

    @Test func seventeenthClientIsToldSo() throws {
        let server = try ControlServer(
            stateDirectory: scratch.bytes, requestTimeout: .seconds(60), handler: echo)
        var silent = try (0..<16).map { _ in try Held(scratch.bytes) }
        // Whether its request or the refusal comes first: it learns why.
        for _ in 0..<50 { #expect(try status() == .error("too many clients; try again")) }
        silent.removeLast()
        #expect(eventually { (try? status()) == .ok("status") })
        server.stop()
    }

    @Test func clientThatNeverReadsOrAsksTwice() throws {
        let server = try ControlServer(stateDirectory: scratch.bytes) { request, reply in
            reply(.ok(String(repeating: "x", count: 60_000)))
        }
        for _ in 0..<100 { try connect(scratch.bytes).send(ControlRequest.status.packet) }
        let twice = try connect(scratch.bytes)
        try twice.send(ControlRequest.status.packet)
        try? twice.send(ControlRequest.status.packet)
        #expect(try twice.reply() != nil)
        #expect(try status() == .ok(String(repeating: "x", count: 60_000)))
        server.stop()
    }

    @Test(arguments: [11, 12] as [UInt64])
    func randomPackets(seed: UInt64) throws {
        let server = try ControlServer(stateDirectory: scratch.bytes, handler: echo)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<500 {
            let client = try connect(scratch.bytes)
            var packet = generator.bytes(Int.random(in: 0...300, using: &generator))
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: packet = Array("accept /".utf8) + packet
            case 1: packet += Array(repeating: 0x61, count: Int.random(in: 16_000...17_000, using: &generator))
            case 2: packet = Array(["settle", "status", "accept /\\101"].randomElement(using: &generator)!.utf8)
            default: break
            }
            try client.send(packet)
            // Some are gone before the answer.
            if Int.random(in: 0..<4, using: &generator) == 0 { continue }
            // An empty packet is the end of a connection.
            if packet.isEmpty { continue }
            let reply = try #require(try client.reply(), "seed \(seed), round \(round), packet \(packet)")
            let request = try? ControlRequest(parsing: packet)
            let isOK = if case .ok = reply { true } else { false }
            #expect(isOK == (request != nil), "seed \(seed), round \(round), packet \(packet)")
        }
        #expect(try status() == .ok("status"))
        server.stop()
    }

    /// As a process of another user, for which the test must be root.
    @Test(.enabled(if: geteuid() == 0)) func othersMayAskButNotChange() async throws {
        let server = try ControlServer(
            stateDirectory: scratch.bytes, requestTimeout: .seconds(60), handler: echo)
        let directory = scratch.path
        await #expect(processExitsWith: .success) { [directory = directory as String] in
            let bytes = Array(directory.utf8)
            try #require(setgid(65_534) == 0 && setuid(65_534) == 0)
            #expect(throws: ControlError.notPermitted(stateDirectory: bytes)) {
                try ControlClient.request(.status, stateDirectory: bytes, timeout: .seconds(10))
            }
        }
        // Whoever the administrator lets in.
        try #require(chmod(directory + "/control.sock", 0o666) == 0)
        await #expect(processExitsWith: .success) { [directory = directory as String] in
            let bytes = Array(directory.utf8)
            try #require(setgid(65_534) == 0 && setuid(65_534) == 0)
            func ask(_ request: ControlRequest) throws -> ControlReply {
                try ControlClient.request(request, stateDirectory: bytes, timeout: .seconds(10))
            }
            #expect(try ask(.status) == .ok("status"))
            #expect(try ask(.settle) == .ok("settle"))
            #expect(
                try ask(.accept(path: [0x2F]))
                    == .error("permission denied: only root and the tracker's user may ask for this"))
            // Half of the places are for others: the rest stays free for the owner.
            let silent = try (0..<8).map { _ in try Held(bytes) }
            #expect(try ask(.status) == .error("too many clients; try again"))
            _ = silent.count
        }
        #expect(try status() == .ok("status"))
        server.stop()
    }

    /// A barrier makes the tracker look at once: who is not the owner gets four a second.
    @Test(.enabled(if: geteuid() == 0)) func othersDoNotHurryTheTracker() async throws {
        let barriers = Mutex<[MonotonicTime]>([])
        let server = try ControlServer(stateDirectory: scratch.bytes) { request, reply in
            barriers.withLock { $0.append(.now) }
            reply(.ok(""))
        }
        let directory = scratch.path
        try #require(chmod(directory + "/control.sock", 0o666) == 0)
        await #expect(processExitsWith: .success) { [directory = directory as String] in
            let bytes = Array(directory.utf8)
            try #require(setgid(65_534) == 0 && setuid(65_534) == 0)
            let start = MonotonicTime.now
            for _ in 0..<4 {
                let held = try (0..<3).map { _ in try Held(bytes) }
                for client in held { try client.connection.send(ControlRequest.settle.packet) }
                for client in held { #expect(try client.connection.reply() == .ok("")) }
            }
            #expect(MonotonicTime.now - start >= 700_000_000)
            // Nobody waits for an answer to these.
            for _ in 0..<100 { try Held(bytes).connection.send(ControlRequest.settle.packet) }
            // The last ones take all places until the server has seen that they are gone.
            let isAnswered = eventually {
                (try? ControlClient.request(.status, stateDirectory: bytes, timeout: .seconds(10))) == .ok("")
            }
            #expect(isAnswered)
        }
        let others = barriers.withLock { $0 }
        #expect(others.count <= 4 * 3 + 8 + 1, "\(others.count)")
        // The owner is answered at once.
        let start = MonotonicTime.now
        for _ in 0..<20 {
            #expect(
                try ControlClient.request(.settle, stateDirectory: scratch.bytes, timeout: .seconds(10)) == .ok(""))
        }
        #expect(MonotonicTime.now - start < 1_000_000_000)
        server.stop()
    }

    /// Out of descriptors, the listening socket stays ready; the thread must neither spin nor forget it.
    @Test func survivesTheEndOfDescriptors() async {
        await #expect(processExitsWith: .success) {
            let scratch = try Scratch()
            let server = try ControlServer(stateDirectory: scratch.bytes, handler: echo)
            let client = try connect(scratch.bytes)
            try client.send(ControlRequest.status.packet)
            #expect(try client.reply() == .ok("status"))

            var limit = rlimit(rlim_cur: 100, rlim_max: 100)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            let waiting = socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0)
            var all: [CInt] = []
            while true {
                let number = dup(2)
                if number < 0 { break }
                all.append(number)
            }
            let connected = withAddress(scratch.path + "/control.sock") { Glibc.connect(waiting, $0, $1) }
            #expect(connected == 0)
            #expect(send(waiting, "status", 6, 0) == 6)
            var before = rusage()
            getrusage(RUSAGE_SELF, &before)
            usleep(300_000)
            var after = rusage()
            getrusage(RUSAGE_SELF, &after)
            let switches = after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw
            #expect(switches < 50, "\(switches) context switches in 0.3 s")
            for number in all { close(number) }
            var answer = [UInt8](repeating: 0, count: 100)
            #expect(recv(waiting, &answer, 100, 0) == 9)
            #expect(answer.starts(with: Array("ok status".utf8)))
            close(waiting)
            server.stop()
        }
    }

    @Test func noWakeUpsWithoutClients() async {
        await #expect(processExitsWith: .success) {
            func switches(_ thread: Int32) throws -> [Substring] {
                let file = try OwnedDescriptor.open(Array("/proc/self/task/\(thread)/status".utf8), flags: O_RDONLY)
                return String(decoding: try file.readToEnd(), as: UTF8.self).split(separator: "\n")
                    .filter { $0.contains("ctxt_switches") }
            }
            let scratch = try Scratch()
            let server = try ControlServer(stateDirectory: scratch.bytes, handler: echo)
            _ = try ControlClient.request(.status, stateDirectory: scratch.bytes, timeout: .seconds(10))
            let thread = server.threadIdentifier
            #expect(eventually { (try? ThreadState.of(thread: thread)) == .sleeping })
            usleep(50_000)
            let before = try switches(thread)
            usleep(300_000)
            #expect(try switches(thread) == before)
            server.stop()
        }
    }
}
