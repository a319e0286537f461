import LinuxKernel
import Testing

@testable import ChangesCommands

private func at(hours: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: (1_000 + hours) * 3_600_000_000_000) }

@Suite struct HookPolicyTests {
    @Test func `a success is worth a command when something was copied or a failure is over`() {
        var policy = HookPolicy()
        #expect(policy.ended(succeeded: true, didSomething: false, now: at(hours: 0)) == false)
        #expect(policy.ended(succeeded: true, didSomething: true, now: at(hours: 1)) == true)
        #expect(policy.ended(succeeded: false, didSomething: false, now: at(hours: 2)) == true)
        #expect(policy.ended(succeeded: true, didSomething: false, now: at(hours: 3)) == true)
    }

    @Test func `a failure that lasts is told once a day`() {
        var policy = HookPolicy()
        let told = (0..<72).count { policy.ended(succeeded: false, didSomething: true, now: at(hours: $0)) }
        #expect(told == 3)
        #expect(policy.ended(succeeded: true, didSomething: false, now: at(hours: 72)) == true)
        #expect(policy.ended(succeeded: false, didSomething: false, now: at(hours: 73)) == true)
    }
}
