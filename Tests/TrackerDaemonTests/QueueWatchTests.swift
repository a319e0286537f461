import LinuxKernel
import Testing

@testable import TrackerDaemon

@Suite struct QueueWatchTests {
    private func moment(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }
    private func idle(since nanoseconds: Int64) -> Heartbeat.Snapshot {
        Heartbeat.Snapshot(lastProgress: moment(nanoseconds), isBusy: false, thread: 7)
    }

    @Test func aStageThatSleepsOverItsQueueIsBusySinceThatWasSeen() {
        var watch = QueueWatch()
        #expect(watch.snapshot(idle(since: 1), queueIsEmpty: true, at: moment(10)) == idle(since: 1))
        for now in [20, 30, 40] as [Int64] {
            let seen = watch.snapshot(idle(since: 1), queueIsEmpty: false, at: moment(now))
            #expect(seen == Heartbeat.Snapshot(lastProgress: moment(20), isBusy: true, thread: 7))
        }
    }

    @Test func aQueueThatWasEmptiedBetweenTwoLooksStartsAnew() {
        var watch = QueueWatch()
        _ = watch.snapshot(idle(since: 1), queueIsEmpty: false, at: moment(20))
        #expect(watch.snapshot(idle(since: 25), queueIsEmpty: false, at: moment(30)).lastProgress == moment(30))
        #expect(!watch.snapshot(idle(since: 35), queueIsEmpty: true, at: moment(40)).isBusy)
        #expect(watch.snapshot(idle(since: 35), queueIsEmpty: false, at: moment(50)).lastProgress == moment(50))
    }

    @Test func aBusyStageSpeaksForItself() {
        var watch = QueueWatch()
        let busy = Heartbeat.Snapshot(lastProgress: moment(5), isBusy: true, thread: 7)
        #expect(watch.snapshot(busy, queueIsEmpty: false, at: moment(9)) == busy)
    }
}
