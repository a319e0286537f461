import Glibc
import Synchronization
import Testing

@testable import SystemdSupport

@Suite struct ServiceNotifierTests {
    /// Keeps what would have been sent.
    private final class Wire: Sendable {
        let messages = Mutex<[String]>([])
        let works = Atomic<Bool>(true)
        func notifier() -> ServiceNotifier {
            ServiceNotifier { message in
                guard self.works.load(ordering: .relaxed) else { return false }
                self.messages.withLock { $0.append(message) }
                return true
            }
        }
        func taken() -> [String] {
            messages.withLock { messages in
                defer { messages = [] }
                return messages
            }
        }
    }

    @Test func statusIsSentOnlyWhenItChanged() {
        let wire = Wire()
        let notifier = wire.notifier()
        notifier.status("walking")
        notifier.status("walking")
        notifier.ready(status: "walking")
        notifier.status("2 roots")
        notifier.ready(status: "3 roots")
        #expect(wire.taken() == ["STATUS=walking", "READY=1", "STATUS=2 roots", "READY=1\nSTATUS=3 roots"])
    }

    @Test func statusThatFailedIsSentAgain() {
        let wire = Wire()
        let notifier = wire.notifier()
        wire.works.store(false, ordering: .relaxed)
        notifier.status("degraded")
        wire.works.store(true, ordering: .relaxed)
        notifier.status("degraded")
        #expect(wire.taken() == ["STATUS=degraded"])
    }

    @Test func `READY that the manager did not take is sent again`() {
        let wire = Wire()
        let notifier = wire.notifier()
        wire.works.store(false, ordering: .relaxed)
        notifier.ready(status: "2 roots")
        wire.works.store(true, ordering: .relaxed)
        notifier.flush()
        notifier.flush()
        #expect(wire.taken() == ["READY=1\nSTATUS=2 roots"])
    }

    @Test func `a walk's status and requests for time are sent once in a pause, the last one later`() {
        let wire = Wire()
        let hour: Int64 = 3_600_000_000_000
        let notifier = ServiceNotifier(pause: hour) { message in
            wire.messages.withLock { $0.append(message) }
            return true
        }
        for k in 0..<70 {
            notifier.extendTimeout(nanoseconds: 1_000)
            notifier.status("\(k) directories")
        }
        #expect(wire.taken() == ["EXTEND_TIMEOUT_USEC=1", "STATUS=0 directories"])
        notifier.ready(status: "2 roots")
        #expect(wire.taken() == ["READY=1\nSTATUS=2 roots"])
    }

    @Test(.timeLimit(.minutes(1))) func `a manager that reads nothing keeps nobody waiting`() async {
        await #expect(processExitsWith: .success) {
            try withManager { manager, notifier in
                for k in 0..<5_000 { notifier.status("\(k)") }
                #expect(manager.nextText() == "STATUS=0")
                while manager.nextText() != nil {}
                notifier.flush()
                #expect(manager.nextText() == "STATUS=4999")
            }
        }
    }

    @Test func statusCannotSmuggleAnAssignment() {
        let wire = Wire()
        wire.notifier().status("root /srv/a\nREADY=1\u{1B}[31m\u{0}")
        #expect(wire.taken() == [#"STATUS=root /srv/a\012READY=1\033[31m\000"#])
    }

    @Test func longStatusIsCutBetweenCharacters() {
        let text = StatusText.fitting(String(repeating: "ä", count: 5_000))
        #expect(text.utf8.count <= StatusText.limit && text.utf8.count > StatusText.limit - 4)
        #expect(text.hasSuffix("ä…"))
        let exact = String(repeating: "x", count: StatusText.limit)
        #expect(StatusText.fitting(exact) == exact)
    }

    @Test func reloadNamesItsMoment() throws {
        let wire = Wire()
        wire.notifier().reloading(status: "reading the configuration")
        let message = try #require(wire.taken().first)
        let lines = message.split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == "RELOADING=1" && lines[2] == "STATUS=reading the configuration")
        #expect(lines[1].hasPrefix("MONOTONIC_USEC=") && UInt64(lines[1].dropFirst(15)) != nil)
    }

    /// In a process of its own: the environment belongs to all tests.
    @Test func speaksToTheServiceManager() async {
        await #expect(processExitsWith: .success) {
            try withManager { manager, notifier in
                notifier.extendTimeout(nanoseconds: 30_000_000_000)
                notifier.ready(status: "watching 2 roots")
                notifier.status("watching 2 roots")
                notifier.ping()
                notifier.stopping(status: "finishing")
                #expect(manager.nextText() == "EXTEND_TIMEOUT_USEC=30000000")
                #expect(manager.nextText() == "READY=1\nSTATUS=watching 2 roots")
                #expect(manager.nextText() == "WATCHDOG=1")
                #expect(manager.nextText() == "STOPPING=1\nSTATUS=finishing")
                #expect(manager.nextText() == nil)

                unsetenv("NOTIFY_SOCKET")
                notifier.ping()
                notifier.status("alone")
                #expect(manager.nextText() == nil)
            }
        }
    }

    @Test func watchdogIntervalIsForThisProcessOnly() async {
        await #expect(processExitsWith: .success) {
            unsetenv("WATCHDOG_USEC")
            #expect(ServiceNotifier.watchdogInterval == nil)
            setenv("WATCHDOG_USEC", "60000000", 1)
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            #expect(ServiceNotifier.watchdogInterval == 60_000_000_000)
            setenv("WATCHDOG_PID", "1", 1)
            #expect(ServiceNotifier.watchdogInterval == nil)
        }
    }
}

/// Runs a body with a service manager's socket in the environment, which belongs to the whole process.
private func withManager(_ body: (DatagramSocket, ServiceNotifier) throws -> Void) throws {
    let directory = try temporaryDirectory()
    let path = directory + "/notify"
    defer {
        unlink(path)
        rmdir(directory)
    }
    let manager = try DatagramSocket(path: path)
    setenv("NOTIFY_SOCKET", path, 1)
    try body(manager, ServiceNotifier())
}
