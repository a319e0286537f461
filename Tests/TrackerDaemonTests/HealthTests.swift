import LinuxKernel
import Testing
import TrackerDaemon

private let second: Int64 = 1_000_000_000
private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: 1_000 * second + seconds * second) }

@Suite struct HeartbeatTests {
    @Test func newStageIsIdle() {
        #expect(Heartbeat().snapshot == .init(lastProgress: nil, isBusy: false, thread: 0))
    }

    @Test func workComesMovesAndEnds() {
        let heartbeat = Heartbeat()
        heartbeat.begin(at: at(1))
        #expect(heartbeat.snapshot == .init(lastProgress: at(1), isBusy: true, thread: 0))
        heartbeat.progress(at: at(2))
        #expect(heartbeat.snapshot == .init(lastProgress: at(2), isBusy: true, thread: 0))
        heartbeat.idle(at: at(3))
        #expect(heartbeat.snapshot == .init(lastProgress: at(3), isBusy: false, thread: 0))
    }

    @Test func moreWorkIsNoProgress() {
        let heartbeat = Heartbeat()
        heartbeat.begin(at: at(1))
        heartbeat.begin(at: at(50))
        #expect(heartbeat.snapshot.lastProgress == at(1))
    }

    @Test func threadIsTheCallers() {
        let heartbeat = Heartbeat()
        heartbeat.adoptCurrentThread()
        #expect(heartbeat.snapshot.thread == currentThreadIdentifier())
    }
}

@Suite struct PipelineWatchTests {
    /// The unit's interval: a look each 15 s, 30 s without progress at most.
    private var watch = PipelineWatch(watchdogInterval: 60 * second)

    private func stage(
        _ name: String, busySince: Int64?, thread: Int32 = 1, _ importance: PipelineWatch.Importance = .essential
    ) -> PipelineWatch.Stage {
        .init(
            name: name, importance: importance,
            heartbeat: .init(lastProgress: busySince.map(at) ?? at(0), isBusy: busySince != nil, thread: thread))
    }

    @Test func idleStagesArePingedForEver() {
        var watch = watch
        for look in 0..<1_000 {
            let verdict = watch.judge([stage("reader", busySince: nil)], at: at(Int64(look) * 15)) { _ in false }
            #expect(verdict.mayPing && verdict.findings.isEmpty)
        }
    }

    @Test(arguments: ["reader", "tracker", "store"])
    func stuckStageStopsThePings(name: String) {
        var watch = watch
        let stages = [stage("other", busySince: nil), stage(name, busySince: 0)]
        let pings = (0...8).map { look in watch.judge(stages, at: at(look * 15)) { _ in false }.mayPing }
        // 0, 15 and 30 s: no longer than the limit. From 45 s on: none.
        #expect(pings == [true, true, true, false, false, false, false, false, false])
        let verdict = watch.judge(stages, at: at(135)) { _ in false }
        #expect(verdict.findings.map(\.description) == ["stuck: \(name), for 135 s"])
    }

    @Test func slowProgressIsProgress() {
        var watch = watch
        for look in 1..<100 as Range<Int64> {
            let verdict = watch.judge([stage("tracker", busySince: look * 15 - 29)], at: at(look * 15)) { _ in false }
            #expect(verdict.mayPing)
        }
    }

    @Test func waitForDiskIsReportedNotKilled() {
        var watch = watch
        var asked: [Int32] = []
        for look in 0...100 as ClosedRange<Int64> {
            let stages = [
                stage("reader", busySince: look * 15, thread: 7), stage("tracker", busySince: 0, thread: 8),
            ]
            let verdict = watch.judge(stages, at: at(look * 15)) { thread in
                asked.append(thread)
                return thread == 8
            }
            #expect(verdict.mayPing)
            if look == 100 {
                #expect(verdict.findings.map(\.description) == ["waiting for disk: tracker, for 1500 s"])
            }
        }
        // Only about the stage without progress.
        #expect(Set(asked) == [8])
    }

    @Test func oneStuckStageAmongWaitingOnesStopsThePings() {
        var watch = watch
        let stages = [stage("tracker", busySince: 0, thread: 8), stage("store", busySince: 0, thread: 9)]
        _ = watch.judge(stages, at: at(30)) { _ in true }
        let verdict = watch.judge(stages, at: at(45)) { $0 == 8 }
        #expect(!verdict.mayPing && verdict.findings.map(\.cause) == [.waitingForDisk, .stuck])
    }

    @Test func changelogNeverStopsThePings() {
        var watch = watch
        let stages = [stage("reader", busySince: nil), stage("changelog", busySince: 0, .expendable)]
        _ = watch.judge(stages, at: at(585)) { _ in false }
        let verdict = watch.judge(stages, at: at(600)) { _ in
            Issue.record("the state of an expendable stage's thread does not matter")
            return false
        }
        #expect(verdict.mayPing && verdict.findings.map(\.cause) == [.expendable])
        #expect(verdict.findings.map(\.description) == ["waiting for disk: changelog, for 600 s"])
    }

    @Test func stoppedProcessGetsANewStart() {
        var watch = watch
        let stages = [stage("tracker", busySince: 0)]
        _ = watch.judge(stages, at: at(15)) { _ in false }
        // SIGSTOP for an hour, SIGCONT.
        #expect(watch.judge(stages, at: at(3_615)) { _ in false }.mayPing)
        #expect(watch.judge(stages, at: at(3_630)) { _ in false }.mayPing)
        #expect(watch.judge(stages, at: at(3_645)) { _ in false }.mayPing)
        #expect(!watch.judge(stages, at: at(3_660)) { _ in false }.mayPing)
    }

    @Test func recoveredStageIsPingedAgain() {
        var watch = watch
        _ = watch.judge([stage("store", busySince: 0)], at: at(30)) { _ in false }
        #expect(!watch.judge([stage("store", busySince: 0)], at: at(45)) { _ in false }.mayPing)
        #expect(watch.judge([stage("store", busySince: 59)], at: at(60)) { _ in false }.mayPing)
    }
}
