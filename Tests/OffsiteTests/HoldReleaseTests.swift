import ChangeStore
import LinuxKernel
import Testing

@testable import Offsite

@Suite struct HoldReleaseTests {
    private static let hour: Int64 = 3_600_000_000_000
    private let rule = HoldRelease(limit: .share(percent: 30), window: 24 * hour)
    private let series = Array("/srv/a/db-#".utf8)
    private let now = Timestamp(nanoseconds: 1 << 60)
    private let most = PathAmounts(paths: 10, bytes: 1_000)

    private func born(_ paths: Int64, _ series: [UInt8], hoursAgo: Int64 = 1) -> LedgerEntry {
        LedgerEntry(
            at: now.advanced(by: -hoursAgo * Self.hour), through: 1, root: Array("/srv/a".utf8), series: series,
            born: PathAmounts(paths: paths, bytes: paths * 100))
    }

    @Test func `new generations for what is held make a root whole again`() {
        #expect(rule.isWhole(held: [series: 1], after: [born(1, series)], left: most, most: most, at: now))
        #expect(!rule.isWhole(held: [series: 1], after: [], left: most, most: most, at: now))
    }

    @Test func `several generations are a person's to decide about, however much comes`() {
        #expect(!rule.isWhole(held: [series: 3], after: [born(50, series)], left: most, most: most, at: now))
    }

    @Test func `other paths make up for nothing`() {
        let others = born(50, Array("/srv/a/new-#".utf8))
        #expect(!rule.isWhole(held: [series: 1], after: [others], left: most, most: most, at: now))
        #expect(!rule.isWhole(held: [[]: 1], after: [born(1, series)], left: most, most: most, at: now))
    }

    @Test func `a root with less than before is not whole`() {
        let fewer = PathAmounts(paths: 6, bytes: 1_000)
        let smaller = PathAmounts(paths: 10, bytes: 600)
        for left in [fewer, smaller] {
            #expect(!rule.isWhole(held: [series: 1], after: [born(1, series)], left: left, most: most, at: now))
        }
    }

    @Test func `new generations of days ago balanced what went then`() {
        let old = born(1, series, hoursAgo: 60)
        #expect(!rule.isWhole(held: [series: 1], after: [old], left: most, most: most, at: now))
    }
}
