import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("Waiting for events")
struct EventLoopTests {
    /// Long enough for a loaded machine; a test that passes never waits that long.
    private static let deadline: Int32 = 10_000

    @Test("a wake-up is ready until it is cleared")
    func wakeUp() throws {
        let poll = try EventPoll()
        let wakeUp = try WakeUp()
        try poll.add(wakeUp.descriptor.number, for: .readable, tag: 7)
        #expect(try poll.wait(milliseconds: 0).isEmpty)
        wakeUp.signal()
        wakeUp.signal()
        for _ in 0..<2 {
            let ready = try poll.wait(milliseconds: Self.deadline)
            #expect(ready.map(\.tag) == [7])
            #expect(ready.first?.ready == .readable)
        }
        wakeUp.clear()
        #expect(try poll.wait(milliseconds: 0).isEmpty)
        wakeUp.signal()
        try poll.remove(wakeUp.descriptor.number)
        #expect(try poll.wait(milliseconds: 0).isEmpty)
        #expect(throws: Errno.noSuchFileOrDirectory) { try poll.remove(wakeUp.descriptor.number) }
    }

    @Test("another thread ends a wait")
    func otherThread() throws {
        let poll = try EventPoll()
        let wakeUp = Holder(try WakeUp())
        try poll.add(wakeUp.value.descriptor.number, for: .readable, tag: 1)
        let thread = KernelThread(name: "a name longer than fifteen") { wakeUp.value.signal() }
        #expect(try poll.wait(milliseconds: Self.deadline).map(\.tag) == [1])
        thread.join()
        #expect(thread.identifier != 0)
    }

    @Test("a timer fires again and again")
    func timer() throws {
        let poll = try EventPoll()
        let timer = try PeriodicTimer(nanoseconds: 2_000_000)
        try poll.add(timer.descriptor.number, for: .readable, tag: 3)
        for _ in 0..<3 {
            #expect(try poll.wait(milliseconds: Self.deadline).map(\.tag) == [3])
            timer.clear()
        }
    }

    @Test("a signal is something to read")
    func signals() throws {
        // On a thread of its own: the signal stays blocked in the thread that asked.
        let outcome = Mutex<[CInt?]>([])
        let thread = KernelThread(name: "signals") {
            guard let queue = try? SignalQueue([SIGUSR2]) else { return }
            let before = queue.next()
            pthread_kill(pthread_self(), SIGUSR2)
            let received = queue.next()
            outcome.withLock { $0 = [before, received] }
        }
        thread.join()
        #expect(outcome.withLock { $0 } == [nil, SIGUSR2])
    }
}

/// Lets a closure share what cannot be copied.
private final class Holder: Sendable {
    let value: WakeUp
    init(_ value: consuming WakeUp) { self.value = value }
}
