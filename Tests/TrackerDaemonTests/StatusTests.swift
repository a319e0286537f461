import LinuxKernel
import Synchronization
import Testing

@testable import TrackerDaemon

private func at(seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: (86_400 + seconds) * 1_000_000_000) }

@Suite struct MinuteCounterTests {
    @Test func countsTheLastMinute() {
        var counter = MinuteCounter()
        counter.add(3, at: at(seconds: 0))
        counter.add(4, at: at(seconds: 30))
        #expect(counter.total(at: at(seconds: 30)) == 7)
        #expect(counter.total(at: at(seconds: 54)) == 7)
        #expect(counter.total(at: at(seconds: 60)) == 4)
        #expect(counter.total(at: at(seconds: 90)) == 0)
    }

    @Test func aLongRestEmptiesIt() {
        var counter = MinuteCounter()
        counter.add(9, at: at(seconds: 0))
        #expect(counter.total(at: at(seconds: 1_000_000)) == 0)
        counter.add(1, at: at(seconds: 1_000_000))
        #expect(counter.total(at: at(seconds: 1_000_000)) == 1)
    }

    /// Never less than what came in the last 55 seconds, never more than what came in the last 60.
    @Test func agreesWithAList() {
        let seed = UInt64.random(in: 0...UInt64(UInt32.max))
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var counter = MinuteCounter()
        var events: [(second: Int64, count: Int64)] = []
        var now: Int64 = 0
        for _ in 0..<2_000 {
            now += Int64.random(in: 0...3, using: &random) * Int64.random(in: 0...9, using: &random)
            let count = Int64.random(in: 0...5, using: &random)
            counter.add(count, at: at(seconds: now))
            events.append((now, count))
            func sum(_ seconds: Int64) -> Int64 {
                events.filter { $0.second > now - seconds }.reduce(0) { $0 + $1.count }
            }
            let total = counter.total(at: at(seconds: now))
            #expect(total >= sum(55) && total <= sum(60), "seed \(seed), second \(now)")
        }
    }
}

@Suite struct TrackerStatusTests {
    @Test func healthy() {
        var status = TrackerStatus()
        status.roots = 1
        status.directories = 338
        status.changesLastMinute = 12
        #expect(
            status.sentence
                == "watching 1 root, 338 directories, 12 changes in the last minute, log up to date")
        status.roots = 2
        #expect(status.sentence.hasPrefix("watching 2 roots, "))
    }

    @Test func duringTheFirstWalk() {
        var status = TrackerStatus()
        status.walked = 4_000
        #expect(status.sentence == "comparing with the index: 4000 directories done, log up to date")
    }

    @Test func degraded() {
        var status = TrackerStatus()
        status.degraded = ["one", "two"]
        #expect(status.sentence.hasSuffix(", DEGRADED: one; two"))
        #expect(!status.sentence.contains("up to date"))
    }

    @Test func everyPartHasItsSay() {
        let logReasons = Mutex(["log"])
        let board = StatusBoard { logReasons.withLock { $0 } }
        var status = TrackerStatus()
        status.degraded = ["root"]
        board.update(status, changes: 3)
        #expect(board.sentence.hasSuffix("3 changes in the last minute, DEGRADED: root; log"))
        logReasons.withLock { $0 = [] }
        board.update(findings: ["stuck"])
        #expect(board.sentence.hasSuffix("DEGRADED: root; stuck"))
    }
}
