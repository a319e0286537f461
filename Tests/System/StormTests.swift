import Glibc
import LinuxKernel
import Testing

extension LogSystemTests {
    /// More at once than anybody reads as fast as it comes.
    @Suite struct StormTests {
        @Test(.timeLimit(.minutes(10)), arguments: [false, true])
        func eightWriters(renaming: Bool) throws {
            let site = try Site()
            try site.start()
            let writers = Writers(root: site.root, files: Scale.pick(12_000, full: 200_000), renaming: renaming)
            writers.join()
            #expect(writers.errors == [])
            let changed = try site.expectComplete(atMost: Scale.pick(60, full: 300))
            #expect(changed.count > writers.fileCount)
            site.tracker.stop()
        }

        /// What happens while the tracker does not run at all overflows its queue; the walk finds it.
        @Test(.timeLimit(.minutes(10))) func stoppedMeanwhile() throws {
            // More than the kernel's queue holds.
            let files = Scale.pick(17_000, full: 20_000)
            let site = try Site()
            for number in 0..<20 { try Disk.makeDirectory(site.root / Path("d\(number)")) }
            func file(_ number: Int, _ tag: String = "f") -> Path {
                site.root / Path("d\(number % 20)/\(tag)\(number)")
            }
            try site.start()
            try site.tracker.freeze()
            for number in 0..<files { try Disk.write(file(number)) }
            site.tracker.thaw()
            try site.expectComplete(atMost: 120, note: "(created)")

            try site.tracker.freeze()
            for number in 0..<files where number % 2 == 0 { try Disk.rename(file(number), file(number, "renamed")) }
            site.tracker.thaw()
            try site.expectComplete(atMost: 120, note: "(renamed)")

            try site.tracker.freeze()
            for number in 0..<files { try Disk.unlink(file(number, number % 2 == 0 ? "renamed" : "f")) }
            for number in 0..<20 {
                try Disk.rename(site.root / Path("d\(number)"), site.root / Path("e\(number)"))
            }
            site.tracker.thaw()
            try site.expectComplete(atMost: 120, note: "(deleted)")
            site.tracker.stop()
        }

        /// Killed at random moments of a storm, with changes made before it is started again.
        @Test(.timeLimit(.minutes(30)), arguments: Scale.seeds(1, full: 1))
        func killed(_ seed: UInt64) throws {
            let kills = Scale.pick(6, full: 50)
            var random = SplitMix64(seed: seed)
            let site = try Site()
            try Disk.makeDirectory(site.root / "down")
            try site.start()
            for round in 0..<kills {
                let writers = Writers(
                    root: site.root, files: 3_000, writers: 4, renaming: round % 2 == 0, tag: "r\(round)-")
                let moment = Int.random(in: 0..<3_000, using: &random)
                _ = wait(atMost: 60, every: 1) { writers.fileCount >= moment || writers.isFinished }
                site.tracker.kill9()
                let directory = site.root / Path("down/\(round)")
                try Disk.makeDirectory(directory)
                try Disk.write(directory / "created")
                try Disk.write(directory / "kept")
                if round > 0 {
                    let previous = site.root / Path("down/\(round - 1)")
                    try Disk.unlink(previous / "created")
                    try Disk.append(previous / "kept", Array("more".utf8))
                    try Disk.rename(previous / "kept", previous / "renamed")
                }
                try site.tracker.start()
                writers.join()
                #expect(writers.errors == [], "seed \(seed)")
                if round % 5 == 4 { try site.expectComplete(atMost: 60, note: "(seed \(seed), round \(round))") }
            }
            try site.expectComplete(atMost: 60, note: "(seed \(seed))")
            site.tracker.stop()
        }
    }
}
