import LinuxKernel
import Synchronization
import Testing

@testable import TrackerDaemon

private func at(seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: (86_400 + seconds) * 1_000_000_000) }

@Suite struct SlidingCounterTests {
    @Test func countsTheLastMinute() {
        var counter = SlidingCounter.lastMinute
        counter.add(3, at: at(seconds: 0))
        counter.add(4, at: at(seconds: 30))
        #expect(counter.total(at: at(seconds: 30)) == 7)
        #expect(counter.total(at: at(seconds: 54)) == 7)
        #expect(counter.total(at: at(seconds: 60)) == 4)
        #expect(counter.total(at: at(seconds: 90)) == 0)
    }

    @Test func tellsTheMinutesOfTheLastHour() {
        var counter = SlidingCounter.lastHour
        counter.add(3, at: at(seconds: 0))
        counter.add(4, at: at(seconds: 61))
        counter.add(5, at: at(seconds: 119))
        #expect(counter.steps(at: at(seconds: 119)) == [Int64](repeating: 0, count: 58) + [3, 9])
        #expect(counter.steps(at: at(seconds: 59 * 60)) == [3, 9] + [Int64](repeating: 0, count: 58))
        #expect(counter.total(at: at(seconds: 61 * 60)) == 0)
        // A machine that was started a moment ago.
        var young = SlidingCounter.lastHour
        young.add(1, at: MonotonicTime(nanoseconds: 5))
        #expect(young.steps(at: MonotonicTime(nanoseconds: 6)) == [Int64](repeating: 0, count: 59) + [1])
    }

    @Test func aLongRestEmptiesIt() {
        var counter = SlidingCounter.lastMinute
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
        var counter = SlidingCounter.lastMinute
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
        let root = TrackerReport.Root(path: Array("/a".utf8), state: .watched, directories: 338)
        status.roots = [root]
        status.directories = 338
        status.changesLastMinute = 12
        #expect(
            status.sentence
                == "watching 1 root, 338 directories, 12 changes in the last minute, log up to date")
        status.roots = [root, root]
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
        let board = StatusBoard(
            stateDirectory: [0x2F], log: { .init() }, changelogReasons: { logReasons.withLock { $0 } })
        var status = TrackerStatus()
        status.degraded = ["root"]
        board.update(status, changes: 3)
        #expect(board.sentence.hasSuffix("3 changes in the last minute, DEGRADED: root; log"))
        logReasons.withLock { $0 = [] }
        board.update(findings: ["stuck"])
        #expect(board.sentence.hasSuffix("DEGRADED: root; stuck"))
        #expect(board.report.degraded == ["root", "stuck"])
        #expect(board.report.minutes.last == 3)
        #expect(!board.report.isHealthy)
    }
}

@Suite struct TrackerReportTests {
    private var full: TrackerReport {
        var report = TrackerReport()
        report.version = "9.8.7"
        report.process = 4_711
        report.startedAt = Timestamp(nanoseconds: 1_795_399_205_250_000_007)
        report.stateDirectory = Array("/var/lib/a b\n".utf8) + [0xFF]
        report.phase = .comparing(directories: 12)
        report.sentence = "watching 2 roots, log up to date"
        report.degraded = ["root /x is missing: mount it", "log: 3 lines owed, cannot append"]
        report.roots = [
            .init(path: Array("/srv/a\\backup".utf8), state: .held, directories: 17),
            .init(path: Array("/srv/b backup".utf8), state: .watched, directories: 1),
        ]
        report.furtherRoots = 3
        (report.directories, report.watches, report.watchLimit, report.polled) = (18, 17, 524_288, 1)
        report.overflows = 2
        report.minutes = (0..<60).map { $0 * 3 }
        (report.log.path, report.log.position, report.log.owed) = (Array("/mnt/log".utf8), 99, 3)
        return report
    }

    @Test func isReadAsItWasWritten() {
        #expect(TrackerReport(parsing: full.text) == full)
        #expect(TrackerReport(parsing: "future word\n" + full.text + "\nanother\n") == full)
        var other = full
        other.watchLimit = nil
        other.phase = .notRecording
        #expect(TrackerReport(parsing: other.text) == other)
    }

    @Test(arguments: ["", "watching 2 roots", "version 1\nstarted x\nphase watching\nsentence a"])
    func refuses(text: String) { #expect(TrackerReport(parsing: text) == nil) }

    /// What another version, or whoever took its place, may send: read or refused, never a trap.
    @Test func anyTextIsReadOrRefused() {
        let seed = UInt64.random(in: 0...UInt64(UInt32.max))
        print("anyTextIsReadOrRefused: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let original = Array(full.text.utf8)
        let pieces = [
            "\n", " ", "\\", "\\777", "root ", "minutes ", "-9223372036854775809", "9999999999999999999", "é",
        ]
        for round in 0..<3_000 {
            var text = original
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0...text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text.removeSubrange(place..<min(text.count, place + Int.random(in: 0...60, using: &random)))
                case 1: text.insert(contentsOf: pieces.randomElement(using: &random)!.utf8, at: place)
                case 2: text.insert(contentsOf: random.bytes(Int.random(in: 0...9, using: &random)), at: place)
                default: text = Array(text.prefix(max(place, text.count / 2)))
                }
            }
            guard let report = TrackerReport(parsing: String(decoding: text, as: UTF8.self)) else { continue }
            // What was understood is told again in the same words.
            #expect(TrackerReport(parsing: report.text) == report, "seed \(seed), round \(round)")
        }
    }

    /// However much there is to tell, it fits a packet and says what it left out.
    @Test func neverOutgrowsAPacket() throws {
        var report = full
        report.furtherRoots = 0
        report.sentence = String(repeating: "x", count: 100_000)
        report.degraded = (0..<1_000).map { "reason \($0) " + String(repeating: "é\n", count: 3_000) }
        report.roots = (0..<5_000).map {
            .init(
                path: Array("/srv/\($0)".utf8) + [UInt8](repeating: 0xFF, count: 200), state: .watched, directories: 1)
        }
        let packet = ControlReply.ok(report.text).packet
        #expect(packet.count <= ControlReply.limit)
        #expect(packet.starts(with: Array("ok version".utf8)))
        let read = try #require(TrackerReport(parsing: report.text))
        #expect(read.roots.count + read.furtherRoots == 5_000)
        #expect(read.roots.count > 30)
        #expect(read.degraded.last?.contains(" more: ") == true)
    }
}
