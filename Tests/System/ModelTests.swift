import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Random operations against the naive model. A failure names its seed: `CHANGES_TEST_SEED=7 swift test …`.
    @Suite struct ModelTests {
        @Test(.timeLimit(.minutes(30)), arguments: Scale.seeds(2, full: 30))
        func onTheDefaultFileSystem(_ seed: UInt64) throws {
            try churn(seed, on: nil, name: "default")
        }

        @Test(
            .thorough, .timeLimit(.minutes(30)), .enabled(if: Privilege.canLoop, "needs root and loop devices"),
            arguments: FileSystemKind.allCases)
        func onAnotherFileSystem(_ kind: FileSystemKind) throws {
            for seed in Scale.seeds(1, full: 8) {
                let scratch = try Scratch()
                let mounted = try kind.mount(in: scratch.path)
                try churn(seed, on: mounted.path, name: kind.rawValue)
                try mounted.unmount()
            }
        }

        private func churn(_ seed: UInt64, on base: Path?, name: String) throws {
            let site = try Site(roots: ["a-backup", "b-backup"], on: base)
            let churn = Churn(seed: seed, roots: site.roots, outside: site.outside)
            try site.start()
            var oracle = ChurnOracle(known: [])
            var random = SplitMix64(seed: ~seed)
            let rounds = Scale.pick(4, full: 120)
            for round in 0..<rounds {
                let note = "(\(name), seed \(seed), round \(round))"
                let first = churn.steps.count
                let mode = Int.random(in: 0..<10, using: &random)
                if mode < 3 { try site.tracker.freeze() }
                if mode == 9 { site.tracker.kill9() }
                for _ in 0..<Int.random(in: 1...120, using: &random) { try churn.step() }
                if mode < 3 { site.tracker.thaw() }
                if mode == 9 {
                    // What happened while it was down shows as differences only: the listings judge.
                    try site.tracker.start()
                } else {
                    // What follows a failure says nothing: the seed replays it.
                    guard try expectRows(site, churn, first, oracle, note) else { return }
                }
                let passing = Set(churn.steps[first...].flatMap { $0.gone + $0.present })
                try site.expectComplete(exactTimes: false, note: note, passing: passing)
                oracle.settle(churn.tree.items.keys.filter(churn.isWatched))
                churn.settle()
            }
            site.tracker.stop()
        }

        private func expectRows(
            _ site: Site, _ churn: Churn, _ first: Int, _ oracle: ChurnOracle, _ note: String
        ) throws -> Bool {
            let steps = churn.steps[first...]
            var missing: [String] = []
            let isComplete = try wait(atMost: 20, every: 20) {
                try site.collect()
                missing = oracle.missing(steps, site.recorded.latest)
                return missing.isEmpty || !site.tracker.isRunning
            }
            #expect(
                isComplete && missing.isEmpty,
                """
                \(missing.count) records missing \(note): \(missing.prefix(10))
                \(oracle.stepsBehind(missing.prefix(10), steps).joined(separator: "\n"))
                \(site.rows(behind: missing.prefix(10)).joined(separator: "\n"))
                \(site.diagnosis)
                """)
            let untrue = oracle.untrueDeletions(steps, site.newRows)
            #expect(
                untrue.isEmpty,
                """
                \(untrue.prefix(10)) \(note)
                \(oracle.stepsBehind(untrue.prefix(10), steps).joined(separator: "\n"))
                \(site.rows(behind: untrue.prefix(10)).joined(separator: "\n"))
                """)
            return missing.isEmpty && untrue.isEmpty && site.tracker.isRunning
        }
    }
}
