import LinuxKernel
import Testing

@testable import Tracking

/// What feeds the pacing, in simulated time: events open a window of 50 ms, after which every marked name is decided on;
/// what is put off comes back at the earliest of the times asked for.
private struct Simulation {
    private let node = NodeID(index: 1, generation: 0)
    private var pacing = RecordPacing()
    private var marked: [String: Hints] = [:]
    private var waiting: [String: Hints] = [:]
    private var windowEnds: Int64?
    private var check: Int64?
    private(set) var records: [String: [Int64]] = [:]

    /// - Parameter writes: names by the millisecond of their event, within `duration`.
    mutating func run(_ writes: [Int64: [String]], until duration: Int64) {
        for now in 0...duration {
            for name in writes[now] ?? [] {
                marked[name, default: []].formUnion([.content, .writtenOpen, .fresh])
                windowEnds = windowEnds ?? now + 50
            }
            if let check, check <= now {
                self.check = nil
                marked.merge(waiting) { $0.union($1) }
                waiting = [:]
                windowEnds = 0
            }
            if let windowEnds, windowEnds <= now { decide(now) }
        }
    }

    private mutating func decide(_ now: Int64) {
        windowEnds = nil
        for (name, hints) in marked {
            bytes(name).withUnsafeBytes { bytes in
                if let again = pacing.putOff(bytes, in: node, hints: hints, now: at(now)) {
                    waiting[name, default: []].formUnion(hints.subtracting(.fresh))
                    check = min(check ?? .max, again.nanoseconds / 1_000_000)
                } else {
                    pacing.recorded(bytes, in: node, now: at(now))
                    records[name, default: []].append(now)
                }
            }
        }
        marked = [:]
    }
}

@Suite struct RecordPacingTests {
    /// Every step from a write each 10 ms to one each 250 ms, and steps that vary.
    @Test(arguments: [10, 50, 90, 130, 170, 210, 249, 250] as [Int64]) func continuousWriting(step: Int64) throws {
        var simulation = Simulation()
        let writes = Dictionary(
            uniqueKeysWithValues: stride(from: 0, to: 60_000, by: Int(step)).map { (Int64($0), ["f"]) })
        simulation.run(writes, until: 63_000)
        let records = try #require(simulation.records["f"])
        let last = try #require(writes.keys.max())
        #expect(records.count <= 61, "\(records)")
        #expect(records.count >= 59, "\(records)")
        try #expect(#require(records.first) <= 200)
        #expect(records.contains { $0 >= last && $0 <= last + 1_100 }, "last write \(last): \(records.suffix(3))")
    }

    @Test func continuousWritingWithRandomPauses() throws {
        var random = SeededGenerator()
        print("TRACKING_SEED=\(random.seed)")
        for _ in 0..<10 {
            var simulation = Simulation()
            var writes: [Int64: [String]] = [:]
            var now: Int64 = 0
            var last: Int64 = 0
            while now < 60_000 {
                writes[now] = ["f"]
                last = now
                now += .random(in: 1...250, using: &random)
            }
            simulation.run(writes, until: 63_000)
            let records = try #require(simulation.records["f"])
            #expect(records.count <= 61, "seed \(random.seed): \(records)")
            #expect(records.contains { $0 >= last && $0 <= last + 1_100 }, "seed \(random.seed), last write \(last)")
        }
    }

    /// Others that are written at the same time, each at its own step, take nothing from a name and add nothing.
    @Test func manyFilesAtOnce() throws {
        var random = SeededGenerator()
        print("TRACKING_SEED=\(random.seed)")
        var simulation = Simulation()
        var writes: [Int64: [String]] = [:]
        var last: [String: Int64] = [:]
        for file in 0..<30 {
            var now = Int64.random(in: 0...300, using: &random)
            while now < 20_000 {
                writes[now, default: []].append("f\(file)")
                last["f\(file)"] = now
                now += .random(in: 5...250, using: &random)
            }
        }
        simulation.run(writes, until: 23_000)
        for (name, last) in last {
            let records = try #require(simulation.records[name])
            #expect(records.count <= 22, "seed \(random.seed): \(name) \(records)")
            #expect(records.contains { $0 >= last && $0 <= last + 1_100 }, "seed \(random.seed): \(name), \(last)")
        }
    }

    /// Changes to different names, or to one name with rests in between, are recorded within 0.2 s.
    @Test func loneChangesNeverWait() {
        var simulation = Simulation()
        var writes: [Int64: [String]] = [:]
        for number in 0..<100 { writes[Int64(number) * 37] = ["f\(number)"] }
        for round in 0..<5 { writes[5_000 + Int64(round) * 1_600, default: []].append("again") }
        simulation.run(writes, until: 15_000)
        for (moment, names) in writes {
            for name in names {
                #expect(simulation.records[name]?.contains { $0 >= moment && $0 <= moment + 200 } == true, "\(name)")
            }
        }
        #expect(simulation.records["again"]?.count == 5)
    }

    /// The last write of a short burst is recorded before the second is over.
    @Test func burstThatPausesIsRecordedEarly() throws {
        var simulation = Simulation()
        simulation.run([0: ["f"], 60: ["f"], 120: ["f"]], until: 2_000)
        let records = try #require(simulation.records["f"])
        #expect(records.count == 2 && records[1] >= 120 && records[1] <= 500, "\(records)")
    }

    @Test(arguments: [Hints.appeared, .vanished, .viaLink, .linkLost, .putOff, .directory])
    func namesThatComeAndGoNeverWait(hint: Hints) {
        var pacing = RecordPacing()
        let node = NodeID(index: 1, generation: 0)
        bytes("f").withUnsafeBytes { name in
            pacing.recorded(name, in: node, now: at(0))
            #expect(pacing.putOff(name, in: node, hints: [.content, .fresh], now: at(1)) != nil)
            #expect(pacing.putOff(name, in: node, hints: [.content, .fresh, hint], now: at(1)) == nil)
            #expect(pacing.putOff(name, in: NodeID(index: 2, generation: 0), hints: .content, now: at(1)) == nil)
        }
    }

    /// A storm of distinct names is bounded, whatever it costs in further lines.
    @Test func memoryIsBounded() {
        var pacing = RecordPacing()
        let node = NodeID(index: 1, generation: 0)
        for number in 0..<200_000 {
            withUnsafeBytes(of: number) { pacing.recorded($0, in: node, now: at(Int64(number / 1_000))) }
        }
        #expect(pacing.rememberedCount <= 65_536)
    }
}
