import LinuxKernel
import Synchronization
import Testing

@testable import Offsite

@Suite struct GroupTurnTests {
    private let place = try! MetricsDirectory()

    private func turn() -> GroupTurn { Self.turn(place.path) }

    private static func turn(_ path: String) -> GroupTurn {
        GroupTurn("nas", in: Array(path.utf8), stop: NoStopSignal(), heartbeat: {})
    }

    @Test(.timeLimit(.minutes(1))) func `destinations of a group take turns`() async throws {
        let first = turn()
        try first.take(waits: {})
        #expect(try !first.yield())
        let path = place.path
        let order = Mutex<[String]>([])
        let isWaiting = Mutex(false)
        let second = Task.detached {
            let second = Self.turn(path)
            try second.take(waits: { isWaiting.withLock { $0 = true } })
            order.withLock { $0.append("second") }
            second.end()
        }
        while !isWaiting.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        // As soon as it stands where the first sees it.
        while try !first.yield() { try await Task.sleep(for: .milliseconds(5)) }
        order.withLock { $0.append("first") }
        try await second.value
        #expect(order.withLock { $0 } == ["second", "first"])
        first.end()
    }

    @Test func `a stop ends the wait`() throws {
        final class Stopped: StopSignal {
            let descriptor: Int32 = -1
            func isRequested() -> Bool { true }
        }
        let first = turn()
        try first.take(waits: {})
        let second = GroupTurn("nas", in: Array(place.path.utf8), stop: Stopped(), heartbeat: {})
        #expect(throws: SyncFailure.interrupted) { try second.take(waits: {}) }
        // Another group is none of theirs.
        try GroupTurn("other", in: Array(place.path.utf8), stop: Stopped(), heartbeat: {}).take(waits: {})
    }
}
