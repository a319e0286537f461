import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Random operations on the source, before and during transfers, and a worker that is killed at random: whatever
    /// happened, the copy equals the source once a run has come to its end. A failure names its seed.
    @Suite struct SyncCampaignTests {
        @Test(.timeLimit(.minutes(30)), arguments: Scale.seeds(2, full: 12))
        func locally(_ seed: UInt64) throws {
            let site = try SyncSite(roots: ["a-backup", "b-backup"])
            try site.start()
            try Self.run(site, seed: seed, rounds: Scale.pick(6, full: 90))
        }

        static func run(_ site: SyncSite, seed: UInt64, rounds: Int) throws {
            let churn = Churn(seed: seed, roots: site.site.roots, outside: site.site.outside)
            var random = SplitMix64(seed: ~seed)
            for round in 0..<rounds {
                let note = "(seed \(seed), round \(round))"
                let first = churn.steps.count
                for _ in 0..<Int.random(in: 1...60, using: &random) { try churn.step() }
                // Some transfers run while the source changes, and are killed.
                if Int.random(in: 0..<3, using: &random) > 0 {
                    let worker = try site.launch()
                    let isKilled = Bool.random(using: &random)
                    for _ in 0..<Int.random(in: 0...60, using: &random) {
                        try churn.step()
                        pause(milliseconds: Int.random(in: 0...3, using: &random))
                    }
                    if isKilled { worker.signal(SIGKILL) }
                    _ = worker.waitForExit(atMost: 60)
                    for _ in 0..<Int.random(in: 0...10, using: &random) { try churn.step() }
                }
                try site.syncFully("--allow-deletes", note: note)
                let differences = try site.differences()
                let steps = churn.steps[first...].map { "\($0.operation) \($0.present) \($0.gone)" }
                #expect(
                    differences.isEmpty,
                    "\(note)\n\(differences.prefix(20).joined(separator: "\n"))\n\(steps.joined(separator: "\n"))")
                if !differences.isEmpty { return }
                churn.settle()
            }
        }
    }
}
