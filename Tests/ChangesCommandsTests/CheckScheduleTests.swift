import LinuxKernel
import Testing

@testable import ChangesCommands

@Suite struct CheckScheduleTests {
    private let second: Int64 = 1_000_000_000
    private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * second) }

    @Test func `a young success is not proven again at once`() {
        #expect(CheckSchedule(interval: 3_600 * second, age: 600 * second, now: at(50)).due == at(3_050))
        #expect(CheckSchedule(interval: 3_600 * second, age: 9_999 * second, now: at(50)).due == at(50))
        #expect(CheckSchedule(interval: 3_600 * second, age: nil, now: at(50)).due == at(50))
        // A clock that was set back makes it no later than an interval.
        #expect(CheckSchedule(interval: 3_600 * second, age: -9_999 * second, now: at(50)).due == at(3_650))
    }

    @Test func `a run that proved nothing is repeated with exponential backoff`() {
        var schedule = CheckSchedule(interval: 3_600 * second, age: nil, now: at(0))
        var pauses: [Int64] = []
        for _ in 0..<7 {
            schedule.ended(isProven: false, now: at(0))
            pauses.append(schedule.due.nanoseconds / second)
        }
        #expect(pauses == [30, 60, 120, 240, 480, 900, 900])
        schedule.ended(isProven: true, now: at(0))
        #expect(schedule.due == at(3_600))
        schedule.ended(isProven: false, now: at(0))
        #expect(schedule.due == at(30))
        var often = CheckSchedule(interval: 10 * second, age: nil, now: at(0))
        often.ended(isProven: false, now: at(0))
        #expect(often.due == at(10))
    }
}
