import Glibc
import LinuxKernel
import Testing

extension CommandSystemTests {
    /// `changes query` of a running tracker's store, as it is called.
    @Suite struct QueryTests {
        private func paths(_ completed: Completed) -> Set<Path> {
            Set(completed.output.split(separator: UInt8(ascii: "\n")).map(Path.init))
        }

        @Test(.timeLimit(.minutes(1))) func whatUnderMeans() throws {
            let site = try Site(roots: ["a-backup", "b-backup"])
            try site.start()
            try Disk.makeDirectory(site.root / "deep")
            let expected = [site.root, site.root / "deep", site.root / "deep/file"]
            try Disk.write(expected[2])
            try Disk.write(site.roots[1] / "other")
            _ = try site.query(["--settle", "--count"])
            // The root's own row is its baseline.
            func expect(_ under: String, in directory: Path?, _ wanted: ArraySlice<Path>) throws {
                let asked = try site.query(["--under", under, "--format", "paths"], directory: directory)
                #expect(asked.isSuccess && asked.errors == "", "\(asked)")
                #expect(paths(asked) == Set(wanted), "--under \(under)")
            }
            try expect(site.root.string, in: nil, expected[...])
            try expect(site.root.string + "//deep/", in: nil, expected[1...])
            try expect("a-backup", in: "/", expected[...])
            try expect("a-backup/deep/file", in: "/", expected[2...])
            try expect(".", in: site.root, expected[...])
            try expect("deep", in: site.root, expected[1...])
            try expect("../a-backup/deep", in: site.roots[1], expected[1...])
            try expect("./deep", in: site.root, expected[1...])
            let everywhere = try site.query(["--under", "/", "--format", "paths"])
            #expect(paths(everywhere).isSuperset(of: expected + [site.roots[1] / "other"]))

            for stranger in ["/nowhere/at/all", "c-backup", site.root.string + "x"] {
                let asked = try site.query(["--under", stranger, "--format", "paths"], directory: "/")
                #expect(asked.isSuccess && asked.output == [], "\(asked)")
                #expect(
                    asked.errors.contains("no root holds") && asked.errors.contains(site.root.string), "\(asked.errors)"
                )
            }
            for wrong in ["", "a-backup/../b-backup"] {
                let asked = try site.query(["--under", wrong], directory: "/")
                #expect(asked.status == .exited(2) && asked.errors.contains("--under"), "\(asked)")
            }
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func exitStatuses() throws {
            let site = try Site()
            let none = try site.query([])
            #expect(none.status == .exited(69), "\(none)")
            #expect(none.errors.contains("systemctl start") && none.errors.contains("--state"), "\(none.errors)")
            try site.start()
            try Disk.write(site.root / "file")
            try site.expectComplete()
            let output = ["--format", "paths"]
            #expect(try site.query(["--exit-code"] + output).status == .exited(0))
            for nothing in [output, ["--count"], ["--by", "kind"], ["--top", "3"], ["-0"]] {
                let asked = ["--name", "nothing-has-this-name"] + nothing
                #expect(try site.query(asked).status == .exited(0))
                let silent = try site.query(asked + ["--exit-code"])
                #expect(silent.status == .exited(1) && silent.errors == "", "\(silent)")
            }
            for wrong in [["--since", "soon"], ["--until", "25:00"], ["--since", "2026-02-30"]] {
                let asked = try site.query(wrong)
                #expect(asked.status == .exited(2), "\(asked)")
                // It says what would have been right.
                for word in [wrong[0], wrong[1], "10m", "yesterday 03:00", "seq:N", "boot"] {
                    #expect(asked.errors.contains(word), "\(word): \(asked.errors)")
                }
            }
            let ahead = try site.query(["--since", "seq:99999999999", "--count"])
            #expect(ahead.isSuccess && ahead.errors.contains("is ahead of this store"), "\(ahead)")
            let full = try run(
                [
                    "sh", "-c", "\"$0\" query --state \"$1\" >/dev/full", Tracker.binary,
                    site.tracker.settings.state.string,
                ])
            #expect(full.status == .exited(74) && full.errors.contains("standard output"), "\(full)")
            site.tracker.stop()
        }

        /// A pipe gets plain text that is the same whatever the terminal, the locale and the zone of a person are.
        @Test(.timeLimit(.minutes(1))) func pipedOutputIsStable() throws {
            let site = try Site()
            try site.start()
            try Disk.write(site.root / Path(Array("bad\u{1B}[31m\n".utf8) + [0xFF]))
            try site.expectComplete()
            let settings: [[String: String]] = [
                [:], ["TERM": "xterm-256color", "LANG": "C.UTF-8", "COLUMNS": "20"], ["LC_ALL": "C", "NO_COLOR": "1"],
            ]
            for arguments in [[], ["--format", "json"], ["--format", "csv"], ["--by", "kind"], ["--top", "5"]] {
                let outputs = try settings.map { try site.query(arguments, environment: $0).output }
                #expect(outputs.allSatisfy { $0 == outputs[0] && !$0.contains(0x1B) }, "\(arguments)")
            }
            let colored = try site.query(["--color", "always"])
            #expect(colored.output.contains(0x1B))
            site.tracker.stop()
        }
    }
}
