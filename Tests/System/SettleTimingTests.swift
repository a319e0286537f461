import Glibc
import LinuxKernel
import Testing

extension TimedSystemTests {
    /// How long `--settle` waits.
    @Suite struct SettleTimingTests {
        /// Nothing that goes on for ever keeps the answer back: not directories that change places all the time, nor
        /// others who ask.
        @Test(.timeLimit(.minutes(2))) func amongOthersWhoAsk() throws {
            let site = try Site()
            try site.start()
            let storm = Storm(below: site.root, writers: 2, pause: Scale.pick(10, full: 0))
            defer { storm.stop() }
            let asking = try (0..<4).map { number in
                try ChildProcess([
                    "sh", "-c", "while \"$0\" query --settle --state \"$1\" --count; do :; done", Tracker.binary,
                    site.tracker.settings.state.string,
                ])
            }
            for number in 0..<Scale.pick(8, full: 100) {
                let file = site.root / Path("file-\(number)")
                try Disk.write(file)
                var rows: [HistoryRow] = []
                let delay = try measured { rows = try site.rows(["--settle", "--under", file.string]) }
                #expect(rows.count == 1, "\(site.diagnosis)")
                #expect(delay < 2, "\(delay) s")
            }
            for shell in asking { shell.signal(SIGKILL) }
            storm.stop()
            #expect(storm.errors == [])
            try site.expectComplete(atMost: 60)
            site.tracker.stop()
        }
    }
}
