import Changelog
import LinuxKernel
import Testing

@Suite struct ChangelogPumpTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private let full = ChangelogFailure(.append, .full, path: [0x2F])
    private let lost = ChangelogFailure(.synchronize, .inputOutput, path: [0x2F])
    private let unsaved = ChangelogFailure(.savePosition, .full, path: [0x2F])
    private func after(_ milliseconds: Int64) -> MonotonicTime { start.advanced(milliseconds: milliseconds) }

    private func idlePump() -> ChangelogPump {
        var pump = ChangelogPump(position: 10, syncInterval: 2_000)
        #expect(pump.next(at: start) == .append)
        pump.caughtUp()
        #expect(pump.next(at: start) == .probe)
        pump.probed()
        #expect(pump.next(at: start) == .wait(until: nil))
        return pump
    }

    /// Whether the log can be written is known before there is a line for it, and after each change of its place.
    @Test func aLogThatCannotBeOpenedIsTroubleWithNothingOwed() {
        var pump = ChangelogPump(position: 10, syncInterval: 2_000)
        // Rows without a line say nothing about the log.
        pump.appended(through: 11, wrote: false, at: start)
        pump.caughtUp()
        #expect(pump.next(at: after(2_000)) == .synchronize)
        pump.synchronized()
        pump.positionSaved()
        #expect(pump.next(at: after(2_000)) == .probe)
        pump.failed(full, at: after(2_000))
        pump.synchronized()
        #expect(pump.failure?.failure == full)
        #expect(pump.next(at: after(2_000)) == .wait(until: after(2_250)))
        #expect(pump.next(at: after(2_250)) == .probe)
        pump.probed()
        #expect(pump.failure == nil && pump.next(at: after(2_250)) == .wait(until: nil))
        pump.retryNow(at: after(3_000))
        #expect(pump.next(at: after(3_000)) == .probe)
        // A line that is written is as good.
        pump.wake(through: 12, at: start)
        pump.appended(through: 12, at: after(3_000))
        pump.caughtUp()
        pump.synchronized()
        pump.positionSaved()
        #expect(pump.next(at: after(3_000)) == .wait(until: nil))
    }

    @Test func appendsSyncsSavesAndSleeps() {
        var pump = idlePump()
        pump.wake(through: 12, at: start)
        #expect(pump.next(at: start) == .append)
        pump.appended(through: 12, at: start)
        #expect(pump.next(at: start) == .append)
        pump.caughtUp()
        #expect(pump.synced == 10)
        #expect(pump.next(at: after(1)) == .wait(until: after(2_000)))
        #expect(pump.next(at: after(2_000)) == .synchronize)
        pump.synchronized()
        #expect(pump.synced == 12)
        #expect(pump.next(at: after(2_000)) == .savePosition)
        pump.positionSaved()
        #expect(pump.next(at: after(2_000)) == .wait(until: nil))
    }

    @Test func aWakeForKnownRowsIsNoWork() {
        var pump = idlePump()
        pump.wake(through: 10, at: start)
        #expect(pump.next(at: start) == .wait(until: nil))
    }

    @Test func aSteadyStreamIsSyncedAllTheSame() {
        var pump = idlePump()
        pump.wake(through: 1_000, at: start)
        pump.appended(through: 100, at: start)
        #expect(pump.next(at: after(1_999)) == .append)
        #expect(pump.next(at: after(2_000)) == .synchronize)
        pump.synchronized()
        #expect(pump.next(at: after(2_000)) == .savePosition)
        pump.positionSaved()
        #expect(pump.next(at: after(2_000)) == .append)
    }

    @Test func aFailedAppendIsTriedAgainEverLessOftenAndClosesTheLogMeanwhile() {
        var pump = idlePump()
        pump.wake(through: 12, at: start)
        var now: Int64 = 0
        for delay: Int64 in [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000] {
            #expect(pump.next(at: after(now)) == .append)
            pump.failed(full, at: after(now))
            #expect(pump.next(at: after(now)) == .synchronize)
            pump.synchronized()
            pump.wake(through: 12 + now, at: after(now))  // New rows do not hasten a retry.
            #expect(pump.next(at: after(now)) == .wait(until: after(now + delay)))
            now += delay
        }
        #expect(pump.failure?.failure == full)
        #expect(pump.failure?.since == start)
        // What is owed is appended without a pause, and all is well when nothing is owed any more.
        pump.appended(through: 12, at: after(now))
        #expect(pump.failure?.failure == full)
        #expect(pump.next(at: after(now)) == .append)
        pump.caughtUp()
        #expect(pump.failure == nil)
    }

    @Test func aFailedSyncAppendsAgainAndTrustsOnlyASyncThatSucceeds() {
        var pump = idlePump()
        pump.wake(through: 12, at: start)
        pump.appended(through: 12, at: start)
        pump.caughtUp()
        #expect(pump.next(at: after(2_000)) == .synchronize)
        pump.failed(lost, at: after(2_000))
        #expect(pump.appended == 10)
        #expect(pump.next(at: after(2_000)) == .wait(until: after(2_250)))
        #expect(pump.next(at: after(2_250)) == .append)
        pump.appended(through: 12, at: after(2_250))
        #expect(pump.failure?.failure == lost)
        #expect(pump.next(at: after(2_250)) == .synchronize)
        pump.synchronized()
        #expect(pump.failure == nil)
        #expect(pump.synced == 12)
    }

    @Test func aFailedSyncOfRowsThatTheStoreNoLongerHasIsOver() {
        var pump = idlePump()
        pump.appended(through: 12, at: start)
        pump.failed(lost, at: start)
        #expect(pump.next(at: after(250)) == .append)
        pump.caughtUp()
        #expect(pump.failure == nil)
        #expect(pump.next(at: after(250)) == .wait(until: nil))
    }

    @Test func anUnsavedPositionHoldsNoLineUp() {
        var pump = idlePump()
        pump.wake(through: 12, at: start)
        pump.appended(through: 12, at: start)
        pump.caughtUp()
        pump.synchronized()
        #expect(pump.next(at: start) == .savePosition)
        pump.failed(unsaved, at: start)
        #expect(pump.next(at: start) == .wait(until: after(250)))
        #expect(pump.failure?.failure == unsaved)
        pump.wake(through: 13, at: start)
        #expect(pump.next(at: start) == .append)
        pump.appended(through: 13, at: start)
        pump.caughtUp()
        #expect(pump.next(at: after(250)) == .savePosition)
        pump.positionSaved()
        #expect(pump.failure == nil)
    }

    @Test func drainingFinishesWhenAllIsSaved() {
        var pump = idlePump()
        pump.drain(at: start)
        #expect(pump.next(at: start) == .append)
        pump.appended(through: 11, at: start)
        #expect(pump.next(at: start) == .append)
        pump.caughtUp()
        #expect(pump.next(at: start) == .synchronize)
        pump.synchronized()
        #expect(pump.next(at: start) == .savePosition)
        pump.positionSaved()
        #expect(pump.next(at: start) == .finish)
    }

    @Test func drainingTriesAFailingLogOnceMoreAndNoLonger() {
        var pump = idlePump()
        pump.wake(through: 12, at: start)
        pump.failed(full, at: start)
        pump.synchronized()
        #expect(pump.next(at: start) == .wait(until: after(250)))
        pump.drain(at: start)
        #expect(pump.next(at: start) == .append)
        pump.failed(full, at: start)
        #expect(pump.next(at: start) == .synchronize)
        pump.synchronized()
        #expect(pump.next(at: start) == .finish)
        #expect(pump.failure?.failure == full)
    }

    @Test func drainingGivesUpAFailingSyncAndPosition() {
        var pump = idlePump()
        pump.appended(through: 11, at: start)
        pump.synchronized()
        pump.drain(at: start)
        #expect(pump.next(at: start) == .savePosition)
        pump.failed(unsaved, at: start)
        #expect(pump.next(at: start) == .append)
        pump.appended(through: 12, at: start)
        pump.caughtUp()
        #expect(pump.next(at: start) == .synchronize)
        pump.failed(lost, at: start)
        #expect(pump.appended == 11)
        #expect(pump.next(at: start) == .finish)
    }

    @Test func everySentenceSaysWhatToDo() {
        let reasons: [ChangelogFailure.Reason] = [
            .full, .readOnly, .directoryMissing, .notMounted, .permission, .inputOutput, .symbolicLink,
            .notRegularFile, .keepsMoving,
        ]
        for reason in reasons {
            let sentence = ChangelogFailure(.append, reason, path: Array("/mnt/backup/x\n".utf8)).description
            #expect(sentence.contains("/mnt/backup/x\\012"))
            #expect(sentence.contains("; "), "no remedy: \(sentence)")
        }
    }
}
