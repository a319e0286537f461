import ChangeStore
import LinuxKernel
import Testing

@testable import Offsite

/// A root whose names come and go, and a guard that judges each run as `changes sync` does.
private struct GuardedSite {
    private static let source = Array("/srv".utf8)
    private static let hour: Int64 = 3_600_000_000_000
    private let rule = DeletionRule(limit: .share(percent: 30))
    /// Bytes by path below `/srv`.
    private(set) var names: [String: [String: Int64]] = [:]
    private var ledger: [LedgerEntry] = []
    private var generations: [String: Double] = [:]
    /// Hours since the beginning.
    var clock: Double = 0
    private(set) var runs = 0

    private var now: Timestamp { Timestamp(nanoseconds: Int64(clock * Double(Self.hour)) + (1 << 60)) }

    func paths(_ root: String) -> [String] { names[root, default: [:]].keys.sorted() }

    /// One run: what is new and what is gone, judged and then done, unless it is held.
    ///
    /// - Returns: what is held, and why.
    mutating func run(_ root: String, new: [String: Int64] = [:], gone: [String] = [], to other: String? = nil)
        -> String?
    {
        runs += 1
        clock += 0.01
        let directory = Self.source + Array("/\(root)".utf8)
        var tallies: [[UInt8]: LedgerEntry] = [:]
        func add(_ name: String, _ change: (inout LedgerEntry, Bool) -> Void) {
            let path = directory + Array("/\(name)".utf8)
            let generation = GuardedRoots.generation(of: path, in: directory)
            let series = generation?.series ?? []
            let key = generation.map { String(decoding: $0.path, as: UTF8.self) }
            let isNew = key.map { generations[$0, default: clock] == clock } ?? false
            if let key, isNew { generations[key] = clock }
            change(
                &tallies[series, default: LedgerEntry(at: now, through: 0, root: directory, series: series)], isNew)
        }
        for (name, bytes) in new {
            names[root, default: [:]][name] = bytes
            add(name) { entry, isNew in if isNew { entry.born += PathAmounts(paths: 1, bytes: bytes) } }
        }
        for name in gone {
            let bytes = names[root]?[name] ?? 0
            add(name) { entry, _ in
                if other == nil { entry.gone += PathAmounts(paths: 1, bytes: bytes) } else { entry.moved += 1 }
            }
        }
        var account = LossAccount(window: 24 * Self.hour, at: now)
        let oldest = now.advanced(by: -LossAccount.windows * 24 * Self.hour)
        ledger.removeAll { $0.at <= oldest }
        for entry in ledger where entry.root == directory { account.add(entry) }
        for entry in tallies.values { account.add(entry) }
        var left = names[root] ?? [:]
        for name in gone { left[name] = nil }
        let stock = PathAmounts(paths: Int64(left.count), bytes: left.values.reduce(0, +))
        if !gone.isEmpty, let excess = rule.excess(of: account.loss, left: stock, isRoot: true) {
            return excess.text
        }
        ledger += tallies.values
        names[root] = left
        return nil
    }
}

@Suite struct DeletionRuleTests {
    private struct Job {
        let root: String
        /// Hour of the day.
        let hour: Double
        let isWeekly: Bool
        /// Generations that are kept.
        let kept: Int
        let files: Int
        /// The oldest goes before the new one comes.
        var deletesFirst = false
        /// In so many runs.
        var slices = 1

        func name(_ number: Int) -> String {
            isWeekly ? "\(2026 + number / 52)-\(number % 52 + 10)" : "dump-2026-\(number / 28 + 1)-\(number % 28 + 1)"
        }

        func files(_ number: Int) -> [String: Int64] {
            if files == 1 { return ["\(name(number)).sql.gz": 1_000_000_000 + Int64(number) * 1_000_000] }
            var all = [name(number): Int64(0)]
            for file in 1..<files { all["\(name(number))/html/f\(file)"] = 10_000 }
            return all
        }
    }

    private static let jobs = [
        Job(root: "roundcube-backup", hour: 1, isWeekly: true, kept: 8, files: 40, slices: 5),
        Job(root: "enigma-backup", hour: 1.5, isWeekly: true, kept: 4, files: 30, deletesFirst: true, slices: 3),
        Job(root: "postgres-backup", hour: 2, isWeekly: false, kept: 2, files: 1),
        Job(root: "tables-backup", hour: 2.5, isWeekly: false, kept: 2, files: 25, slices: 2),
        Job(root: "vault-backup", hour: 3, isWeekly: false, kept: 1, files: 1),
        Job(root: "home-backup", hour: 3.5, isWeekly: false, kept: 14, files: 15),
        Job(root: "etcd-backup", hour: 4, isWeekly: false, kept: 30, files: 1),
    ]

    /// Runs the site's jobs for some days.
    ///
    /// - Returns: what was held.
    private func simulate(
        _ days: Range<Int>, _ site: inout GuardedSite, _ random: inout some RandomNumberGenerator
    ) -> [String] {
        var held: [String] = []
        for day in days {
            for job in Self.jobs where !job.isWeekly || day % 7 == 0 {
                // A job begins when its machine has the time.
                site.clock = Double(day) * 24 + job.hour + Double.random(in: 0..<0.4, using: &random)
                let number = job.isWeekly ? day / 7 : day
                let oldest = number >= job.kept ? job.files(number - job.kept) : [:]
                let old = site.paths(job.root).filter { oldest[$0] != nil }
                func note(_ reason: String?) { if let reason { held.append("day \(day), \(job.root): \(reason)") } }
                if !job.deletesFirst { note(site.run(job.root, new: job.files(number))) }
                let slice = max(1, old.count / job.slices)
                for start in stride(from: 0, to: old.count, by: slice) {
                    note(site.run(job.root, gone: Array(old[start..<min(start + slice, old.count)])))
                }
                if job.deletesFirst { note(site.run(job.root, new: job.files(number))) }
            }
            // Mail comes and goes.
            site.clock = Double(day) * 24 + 12
            let mail = site.paths("mail-backup")
            let gone = Array(mail.shuffled(using: &random).prefix(day == 0 ? 0 : 4))
            let new = Dictionary(
                uniqueKeysWithValues: (0..<(day == 0 ? 200 : 5)).map { ("cur/\(day)M\($0).host", Int64(30_000)) })
            if let reason = site.run("mail-backup", new: new, gone: gone) { held.append("day \(day), mail: \(reason)") }
        }
        return held
    }

    @Test func `a year of the site's schedules is never held`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(state: seed)
        var site = GuardedSite()
        let held = simulate(0..<365, &site, &random)
        #expect(held.isEmpty, "seed \(seed): \(held.count) of \(site.runs) runs: \(held.prefix(5))")
    }

    private enum Loss: String, CaseIterable { case emptied, halved, moved }

    @Test(arguments: [false, true]) func `a root that is emptied, halved or moved away is held`(_ isSlow: Bool) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(state: seed)
        var before = GuardedSite()
        _ = simulate(0..<70, &before, &random)
        for day in 70..<78 {
            for root in Self.jobs.map(\.root) + ["mail-backup"] {
                for loss in Loss.allCases {
                    var site = before
                    site.clock = Double(day) * 24 + Double.random(in: 5..<11, using: &random)
                    let paths = site.paths(root)
                    let chosen =
                        loss == .halved ? Array(paths.shuffled(using: &random).prefix((paths.count + 1) / 2)) : paths
                    var isHeld = false
                    let slices = isSlow ? 40 : 1
                    let slice = max(1, (chosen.count + slices - 1) / slices)
                    for start in stride(from: 0, to: chosen.count, by: slice) where !isHeld {
                        let part = Array(chosen[start..<min(start + slice, chosen.count)])
                        isHeld = site.run(root, gone: part, to: loss == .moved ? "other-backup" : nil) != nil
                        site.clock += 0.25
                    }
                    #expect(isHeld, "seed \(seed), day \(day), \(root) \(loss)")
                    let left = site.paths(root).count
                    #expect(
                        left * 10 >= paths.count * 6, "seed \(seed): \(left) of \(paths.count) left, \(root) \(loss)")
                }
            }
            _ = simulate(day..<(day + 1), &before, &random)
        }
    }

    private let rule = DeletionRule(limit: .share(percent: 30))

    private func excess(
        _ lost: PathAmounts, left: PathAmounts, isRoot: Bool = true, _ rule: DeletionRule? = nil
    ) -> DeletionRule.Excess? {
        (rule ?? self.rule).excess(of: RootLoss(lost: lost, deleted: lost.paths), left: left, isRoot: isRoot)
    }

    @Test func `bytes count like paths`() {
        let one = PathAmounts(paths: 12, bytes: 400)
        #expect(excess(one, left: PathAmounts(paths: 1_000, bytes: 600)) == .bytes(400, of: 1_000))
        #expect(excess(one, left: PathAmounts(paths: 1_000, bytes: 1_000)) == nil)
        #expect(excess(one, left: PathAmounts(paths: 20, bytes: 10_000)) == .paths(12, of: 32))
    }

    @Test func `a few paths are held only where they are half of their root`() {
        #expect(excess(PathAmounts(paths: 1, bytes: 10), left: PathAmounts(paths: 2, bytes: 20)) == nil)
        #expect(excess(PathAmounts(paths: 1, bytes: 10), left: PathAmounts(paths: 1, bytes: 20)) != nil)
        #expect(excess(PathAmounts(paths: 1, bytes: 0), left: PathAmounts(paths: 1, bytes: 20)) == nil)
        #expect(excess(PathAmounts(paths: 1, bytes: 0), left: .none) != nil)
        #expect(excess(PathAmounts(paths: 1, bytes: 50), left: PathAmounts(paths: 5, bytes: 20)) != nil)
    }

    @Test func `a number of paths is a limit for all, and an emptied root is held all the same`() {
        let rule = DeletionRule(limit: .count(100))
        let whole = PathAmounts(paths: 1_000, bytes: 1_000)
        #expect(excess(PathAmounts(paths: 100, bytes: 999), left: whole, isRoot: false, rule) == nil)
        #expect(excess(PathAmounts(paths: 101), left: whole, isRoot: false, rule) != nil)
        #expect(excess(PathAmounts(paths: 50), left: whole, rule) == nil)
        #expect(excess(PathAmounts(paths: 50), left: PathAmounts(paths: 2), rule) != nil)
        #expect(excess(PathAmounts(paths: 50), left: .none, DeletionRule(limit: .share(percent: 100))) == nil)
    }

    @Test func `what encrypts files and renames them makes no new generations`() {
        let root = Array("/srv/a".utf8)
        func series(_ name: String) -> String? {
            GuardedRoots.generation(of: root + Array("/\(name)".utf8), in: root).map {
                String(decoding: $0.series.dropFirst(root.count + 1), as: UTF8.self)
            }
        }
        #expect(series("db-2026-11-30.sql.gz") == "db-#-#-#.sql.gz")
        #expect(series("db-2026-11-30.sql.gz.locked") == "db-#-#-#.sql.gz.locked")
        #expect(series("html/2026-48/a/b1") == "html/#-#")
        #expect(series("html/a/b") == nil)
        #expect(series("dump.a1b2c3d4e5f6.tar") == "dump.#.tar")
    }

    @Test func `a generation that is renamed when it is complete balances the one that goes`() {
        let (root, part, whole) = (Array("/srv/a".utf8), Array("/srv/a/#.part".utf8), Array("/srv/a/#".utf8))
        let one = PathAmounts(paths: 1, bytes: 5)
        func at(_ time: Int64) -> Timestamp { Timestamp(nanoseconds: time) }
        let entries = [
            LedgerEntry(at: at(10_000), through: 1, root: root, series: part, born: one),
            LedgerEntry(at: at(10_010), through: 2, root: root, series: whole, origin: part, born: one),
            LedgerEntry(at: at(10_020), through: 3, root: root, series: whole, gone: one),
            // What was there before is no new generation under another name.
            LedgerEntry(at: at(10_030), through: 4, root: root, series: whole, origin: part, born: one),
            LedgerEntry(at: at(10_040), through: 5, root: root, series: whole, gone: one),
        ]
        func lost(_ count: Int, at time: Int64) -> PathAmounts {
            var account = LossAccount(window: 1_000, at: at(time))
            for entry in entries.prefix(count) { account.add(entry) }
            return account.loss.lost
        }
        #expect(lost(3, at: 10_020).isNone)
        #expect(lost(5, at: 10_040) == one)
        #expect(lost(5, at: 11_040).isNone)
    }
}

private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
