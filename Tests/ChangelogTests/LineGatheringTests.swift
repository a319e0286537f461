import Changelog
import LinuxKernel
import Testing

/// How long lines wait for each other.
@Suite struct LineGatheringTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private func after(_ milliseconds: Int64) -> MonotonicTime { start.advanced(milliseconds: milliseconds) }

    /// A pump with everything up to row 10 in the log.
    private func idlePump() -> ChangelogPump {
        var pump = ChangelogPump(position: 10, syncInterval: 2_000)
        pump.probed()
        pump.caughtUp()
        return pump
    }

    @Test func rowsWithoutANewDirectoryDoNotWait() {
        var pump = idlePump()
        pump.wake(through: 1_000, at: start)
        #expect(pump.next(at: start) == .append)
    }

    /// Within the 0.2 s of a lone change.
    @Test func aDirectoryThatStaysAloneWaitsForAMoment() {
        var pump = idlePump()
        pump.wake(through: 11, isGrowing: true, at: start)
        #expect(pump.next(at: after(79)) == .wait(until: after(80)))
        #expect(pump.next(at: after(80)) == .append)
    }

    @Test func whatIsBeingBuiltWaitsForItsEnd() {
        var pump = idlePump()
        pump.wake(through: 11, isGrowing: true, at: start)
        for time: Int64 in [50, 100, 150] {
            pump.wake(through: 11 + time, at: after(time))
            #expect(pump.next(at: after(time)) == .wait(until: after(time + 250)))
        }
        #expect(pump.next(at: after(400)) == .append)
    }

    /// Many rows are the beginning of something, although nothing came after them yet: the tracker may be busy.
    @Test func aDirectoryWithManyEntriesIsNotAlone() {
        var pump = idlePump()
        pump.wake(through: 100, isGrowing: true, at: start)
        #expect(pump.next(at: after(80)) == .wait(until: after(250)))
    }

    @Test func noLineWaitsForLongerThanItMay() {
        var pump = idlePump()
        pump.wake(through: 11, isGrowing: true, at: start)
        for time in stride(from: Int64(50), to: 800, by: 50) {
            pump.wake(through: 11 + time, isGrowing: true, at: after(time))
            #expect(pump.next(at: after(time)) == .wait(until: after(min(time + 250, 800))))
        }
        #expect(pump.next(at: after(800)) == .append)
        // What comes while a long append goes on belongs to it ...
        pump.appended(through: 500, at: after(800))
        pump.wake(through: 900, isGrowing: true, at: after(801))
        #expect(pump.next(at: after(801)) == .append)
        pump.appended(through: 900, at: after(802))
        pump.caughtUp()
        // ... and the next waits anew.
        pump.wake(through: 901, isGrowing: true, at: after(900))
        #expect(pump.next(at: after(900)) == .wait(until: after(980)))
    }

    /// The thread was busy when it came.
    @Test func theTimeCountsFromWhenTheRowsWereThere() {
        var pump = idlePump()
        pump.wake(through: 100, isGrowing: true, since: start, at: after(700))
        #expect(pump.next(at: after(700)) == .wait(until: after(800)))
    }

    @Test func whatIsDueDoesNotBeginToWait() {
        var pump = idlePump()
        pump.wake(through: 11, at: start)
        pump.wake(through: 12, isGrowing: true, at: after(1))
        #expect(pump.next(at: after(1)) == .append)
    }

    /// Its disk may take long for it, and no line has waited for that before; but it is put off no further.
    @Test func linesGoBeforeASync() {
        var pump = idlePump()
        pump.appended(through: 11, at: start)
        pump.caughtUp()
        pump.wake(through: 100, isGrowing: true, at: after(1_900))
        #expect(pump.next(at: after(2_000)) == .wait(until: after(2_150)))
        #expect(pump.next(at: after(2_150)) == .synchronize)
        pump.synchronized()
        pump.positionSaved()
        #expect(pump.next(at: after(2_150)) == .append)
    }

    @Test func aStopWaitsForNothing() {
        var pump = idlePump()
        pump.wake(through: 100, isGrowing: true, at: start)
        pump.drain(at: after(1))
        #expect(pump.next(at: after(1)) == .append)
    }

    /// A log that cannot be written is tried when it is due and not more often.
    @Test func aFailingLogKeepsItsOwnTime() {
        var pump = idlePump()
        pump.wake(through: 100, isGrowing: true, at: start)
        pump.failed(ChangelogFailure(.append, .full, path: [0x2F]), at: after(250))
        pump.synchronized()
        pump.wake(through: 200, isGrowing: true, at: after(300))
        #expect(pump.next(at: after(400)) == .wait(until: after(500)))
        #expect(pump.next(at: after(500)) == .append)
    }
}
