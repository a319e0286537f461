import LinuxKernel
import Testing

extension SystemTests {
    /// `changes query` as a person sees it.
    @Suite(.enabled(if: TerminalSession.isPossible, "needs tmux")) struct TerminalTests {
        private static let utf8 = ["LC_ALL": "C.UTF-8"]

        /// A history of one change of most kinds.
        private func recordedSite() throws -> Site {
            let site = try Site()
            try Disk.write(site.root / "changed")
            try Disk.write(site.root / "gone", [UInt8](repeating: 0x78, count: 5_000))
            try site.start()
            func settle() throws { _ = try site.query(["--settle", "--count"]) }
            try Disk.makeDirectory(site.root / "new")
            try settle()
            try Disk.write(site.root / "changed", [UInt8](repeating: 0x78, count: 3 << 20))
            try settle()
            try Disk.unlink(site.root / "gone")
            try settle()
            try Disk.write(site.root / Path("esc\u{1B}[31m\u{7}é\u{202E}"), [])
            try settle()
            try Disk.write(site.root / Path(String(repeating: "long-", count: 40)), [])
            try settle()
            site.tracker.stop()
            return site
        }

        private func show(
            _ site: Site, _ arguments: [String], _ environment: [String: String] = utf8
        ) throws -> TerminalSession {
            try TerminalSession(
                [Tracker.binary, "query", "--state", site.tracker.settings.state.string] + arguments,
                environment: environment)
        }

        /// The lines with `…` for the site's directory, and without the date and time that begin them.
        private func plain(_ lines: [String], _ site: Site) -> [String] {
            lines.map { line in
                let timeless = line.hasPrefix("20") ? String(line.dropFirst("2026-11-23 03:00:05.250".count)) : line
                return timeless.split(separator: site.base.string, omittingEmptySubsequences: false)
                    .joined(separator: "…")
            }
        }

        @Test(.timeLimit(.minutes(1))) func theTable() throws {
            let site = try recordedSite()
            let long = String(repeating: "long-", count: 40)
            let table = try show(site, [])
            #expect(
                plain(try table.lines(), site) == [
                    "TIME                     KIND           SIZE  PATH",
                    "  baseline          -  …/a-backup/",
                    "  created           -  …/a-backup/new/",
                    "  modified   3.00 MiB  …/a-backup/changed",
                    "  deleted    4.88 KiB  …/a-backup/gone",
                    "  created         0 B  …/a-backup/esc\\033[31m\\007é\\342\\200\\256",
                    "  created         0 B  …/a-backup/\(long)",
                ])
            // The terminal wraps what is too long for it, and nothing is cut or aligned to its width.
            let wrapped = try table.lines(joined: false)
            #expect(try wrapped.count > 7 && wrapped.joined() == table.lines().joined())
            let isDated = try table.lines().dropFirst().allSatisfy { line in
                line.prefix(23).enumerated().allSatisfy { offset, character in
                    Array("0000-00-00 00:00:00.000")[offset] == "0" ? character.isNumber : "- :.".contains(character)
                }
            }
            #expect(isDated)
            print(try table.text())
        }

        @Test(.timeLimit(.minutes(1))) func coloursAndBars() throws {
            let site = try recordedSite()
            let colored = try show(site, ["--kind", "deleted"]).lines(colored: true)
            #expect(colored.last?.contains("\u{1B}[31mdeleted") == true, "\(colored)")
            for (arguments, environment) in [
                ([], ["NO_COLOR": "1"]), (["--color", "never"], [:]), ([], ["TERM": "dumb"]),
            ] {
                let text = try show(site, arguments, Self.utf8.merging(environment) { $1 }).text(colored: true)
                #expect(!text.contains("\u{1B}"), "\(arguments) \(environment): \(text)")
            }
            let forced = try show(site, ["--color", "always"], ["NO_COLOR": "1"]).text(colored: true)
            #expect(forced.contains("\u{1B}[31m"))

            let bars = try show(site, ["--by", "kind"])
            #expect(
                try bars.lines() == [
                    "   CHANGES      SIZE                        KIND",
                    "         3       0 B  ████████████████████  created",
                    "         1  3.00 MiB  ██████▋               modified",
                    "         1  4.88 KiB  ██████▋               deleted",
                    "         1       0 B  ██████▋               baseline",
                    "         6  3.00 MiB                        total",
                ])
            print(try bars.text())
            let ascii = try show(site, ["--by", "kind"], ["LC_ALL": "C"])
            #expect(try ascii.lines()[1] == "         3       0 B  ####################  created")
            #expect(try ascii.lines()[2] == "         1  3.00 MiB  ######                modified")
            let directories = try show(site, ["--by", "dir"])
            #expect(
                plain(try directories.lines(), site) == [
                    "   CHANGES      SIZE                        DIR",
                    "         1       0 B  ████                  …",
                    "         5  3.00 MiB  ████████████████████  …/a-backup",
                    "         6  3.00 MiB                        total",
                ])
            let busiest = try show(site, ["--top", "1"])
            #expect(plain(try busiest.lines(), site)[1] == "         5  3.00 MiB  ████████████████████  …/a-backup")
        }
    }
}
