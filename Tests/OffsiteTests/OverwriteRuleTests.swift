import ChangeStore
import LinuxKernel
import Testing

@testable import Offsite

@Suite struct OverwriteRuleTests {
    private let rule = OverwriteRule(percent: 33, window: 24)

    private func at(_ hours: Int64) -> Timestamp { Timestamp(nanoseconds: hours) }

    @Test func `a third of all bytes is too much, but not of a few files`() {
        #expect(rule.isTooMuch(PathAmounts(paths: 20, bytes: 34), of: 100))
        #expect(!rule.isTooMuch(PathAmounts(paths: 20, bytes: 33), of: 100))
        #expect(!rule.isTooMuch(PathAmounts(paths: 19, bytes: 100), of: 100))
        #expect(!OverwriteRule(percent: 100, window: 24).isTooMuch(PathAmounts(paths: 100, bytes: 100), of: 100))
    }

    /// Thirty dumps of a site that has little else, each night some hours earlier or later, and malware now and then.
    @Test func `a year of nightly overwrites is held on its first night only, and malware each time`() {
        let hour: Int64 = 3_600_000_000_000
        let rule = OverwriteRule(percent: 33, window: 24 * hour)
        let seed = UInt64.random(in: 0 ... .max)
        var state = seed
        func random(_ bound: Int64) -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> 33) % bound
        }
        var times: [Int: (first: Timestamp, last: Timestamp)] = [:]
        /// Overwrites 10 of 1,000 bytes with each file.
        func isHeld(_ files: Range<Int>, of existing: Int64, at now: Timestamp) -> Bool {
            let counted = files.filter { rule.counts(times[$0], at: now) }
            let earlier = times.filter { file, known in
                !files.contains(file) && known.last > now.advanced(by: -rule.window)
                    && known.last.nanoseconds - known.first.nanoseconds < rule.pause
            }.count
            let amounts = PathAmounts(paths: Int64(counted.count + earlier), bytes: Int64(counted.count + earlier) * 10)
            return !counted.isEmpty && rule.isTooMuch(amounts, of: existing)
        }
        var held: [Int64] = []
        for night in Int64(1)...365 {
            let now = Timestamp(nanoseconds: (night * 24 + 2) * hour + random(4 * hour))
            if isHeld(0..<30, of: 900, at: now) { held.append(night) }
            // Carried, or allowed by somebody in the morning.
            for file in 0..<30 { times[file] = (times[file]?.first ?? now, now) }
            if night % 30 == 0 {
                // The rest of the site, never overwritten before.
                let noon = Timestamp(nanoseconds: (night * 24 + 12) * hour)
                #expect(isHeld(30..<90, of: 900, at: noon), "seed \(seed), day \(night)")
            }
        }
        #expect(held == [1], "seed \(seed): \(held)")
    }

    @Test func `what is overwritten every night is counted in the first one only`() {
        #expect(rule.counts(nil, at: at(1_000)))
        for jitter: Int64 in -3...3 {
            #expect(!rule.counts((first: at(1_000), last: at(1_000)), at: at(1_024 + jitter)))
        }
        // Again within the window: it is among the earlier ones.
        #expect(!rule.counts((first: at(1_000), last: at(1_000)), at: at(1_002)))
        #expect(!rule.counts((first: at(0), last: at(900)), at: at(1_002)))
    }
}
