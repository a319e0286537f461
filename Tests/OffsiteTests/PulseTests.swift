import Testing

@testable import Offsite

@Suite struct PulseTests {
    /// One that comes once and is taken back, as a pause is that ends.
    private final class Once: StopSignal {
        let descriptor: Int32 = -1
        var isDue = true
        func isRequested() -> Bool {
            defer { isDue = false }
            return isDue
        }
    }

    @Test func `work that was told to end does not go on a second later`() {
        var beats = 0
        let pulse = Pulse(stop: Once(), heartbeat: { beats += 1 })
        for _ in 0..<3 { #expect(throws: SyncFailure.self) { try pulse() } }
        #expect(beats == 1)
    }

    @Test func `work goes on with one beat a second`() throws {
        var beats = 0
        let pulse = Pulse(stop: NoStopSignal(), heartbeat: { beats += 1 })
        for _ in 0..<1_000 { try pulse() }
        #expect(beats == 1)
    }
}
