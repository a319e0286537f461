import Glibc
import LinuxKernel
import Testing

extension ConsumeSystemTests {
    /// At least once, whatever is killed when.
    @Suite struct ConsumeKillTests {
        /// Keeps whole batches only, fails now and then, and is slow now and then.
        private static let script = #"""
            cat > "$0/part.$$" || exit 4
            case $(( $$ % 5 )) in
                0) rm "$0/part.$$"; exit 3;;
                1) sleep 0.02;;
            esac
            mv "$0/part.$$" "$0/$(date +%s%N).$$.whole.$CHANGES_FULL"
            """#

        @Test(.timeLimit(.minutes(15))) func killedAtAnyMomentItLosesNothing() throws {
            for seed in Scale.seeds(1, full: 1) { try campaign(seed) }
        }

        private func campaign(_ seed: UInt64) throws {
            print("killedAtAnyMomentItLosesNothing: CHANGES_TEST_SEED=\(seed)")
            var random = SplitMix64(seed: seed)
            let rounds = Scale.pick(25, full: 200)
            let site = try Site(roots: ["a-backup", "b-backup"])
            for number in 0..<300 { try Disk.write(site.roots[1] / Path("old\(number)")) }
            try site.start()
            let existing = site.before.entries.keys
            let recorder = try Recorder(site)
            // What had come and gone before its first run began is not among what that gives.
            _ = try recorder.run(["--max", "10"])
            let storm = Writers(
                root: site.root, files: Scale.pick(6_000, full: 120_000), writers: 4, renaming: true)
            for round in 0..<rounds {
                if round % 10 == 9 {
                    // A part of the changes is found by the walk of a start then.
                    site.tracker.kill9()
                    try site.tracker.start()
                }
                try killOne(recorder, &random)
                try Disk.write(site.roots[1] / Path("old\(round)"), Array("changed".utf8))
                if round % 3 == 0 { try Disk.unlink(site.roots[1] / Path("old\(299 - round)")) }
            }
            storm.stop()
            storm.join()
            #expect(storm.errors.isEmpty, "\(storm.errors)")
            let changed = Set(try site.settled())
            // What is still being fed ends by itself.
            var last = try recorder.run()
            let isDone = try wait(atMost: 60) {
                if last.completed.isSuccess && last.batch == nil { return true }
                last = try recorder.run()
                return false
            }
            #expect(isDone, "seed \(seed): \(last)")
            recorder.forgetSeen()
            let batches = try recorder.newBatches()
            let given = batches.reduce(into: Set<Path>()) { $0.formUnion($1.lines) }
            let known = changed.union(existing)
            let missing = known.subtracting(given).sorted()
            #expect(missing.count == 0, "seed \(seed): never given: \(missing.prefix(5))")
            let forged = given.subtracting(known).sorted()
            #expect(forged.count == 0, "seed \(seed): no such path: \(forged.prefix(5))")
            #expect(batches.contains { $0.full == "first" } && batches.contains { $0.full == "" })
            site.tracker.stop()
        }

        /// Starts a run and kills it, sometimes with its command, before or after.
        private func killOne(_ recorder: Recorder, _ random: inout SplitMix64) throws {
            var options: [String] = []
            if Bool.random(using: &random) { options += ["--max", "\(Int.random(in: 1...400, using: &random))"] }
            if Int.random(in: 0..<3, using: &random) == 0 { options += ["--loop", "--quiet", "1ms"] }
            let child = try recorder.launch(options, script: Self.script)
            let delay = Int.random(in: 0...120, using: &random)
            _ = wait(atMost: Double(delay) / 1_000, every: 1) { !child.isRunning }
            let commands = Self.children(of: child.pid)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: for command in commands { kill(command, SIGKILL) }
            case 1:
                child.signal(SIGKILL)
                for command in commands { kill(command, SIGKILL) }
            default: child.signal(SIGKILL)
            }
            child.signal(SIGKILL)
            #expect(child.waitForExit(atMost: 10) != nil)
        }

        private static func children(of process: pid_t) -> [pid_t] {
            let text = (try? Disk.read("/proc/\(process)/task/\(process)/children")) ?? []
            return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
        }
    }
}
