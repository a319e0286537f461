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
