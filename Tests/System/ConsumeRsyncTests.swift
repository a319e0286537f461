import Glibc
import LinuxKernel
import Testing

extension ConsumeSystemTests {
    /// The line of the README that takes the place of a script: real rsync.
    @Suite(.enabled(if: (try? run(["rsync", "--version"]).isSuccess) == true, "needs rsync"))
    struct ConsumeRsyncTests {
        @Test(.timeLimit(.minutes(1))) func aCopyFollows() throws {
            let site = try Site(roots: ["app-backup", "other-backup"])
            let week = site.root / "2026-48"
            try Disk.makeDirectory(week)
            try Disk.makeDirectory(week / "sub")
            try Disk.makeDirectory(week / "becomes a file")
            try Disk.write(week / "becomes a file/in")
            let odd = [
                Path(Array("new\nline".utf8)), Path([0x66, 0xFF]), Path("#comment"), Path("-n"), Path(" "),
                Path(Array("tab\tand\\".utf8)), Path([UInt8](repeating: 0x6E, count: 255)),
            ]
            for name in odd { try Disk.write(week / name) }
            try Disk.write(week / "db.sql", Array("first".utf8))
            try Disk.link(week / "db.sql", week / "sub/hard")
            try Disk.symlink("db.sql", at: week / "sym")
            try Disk.write(site.root / "becomes a directory")
            try Disk.write(site.roots[1] / "not for it")
            try site.start()
            let copy = site.scratch.path / "copy"
            try Disk.makeDirectory(copy)

            func follow(sourceLocation: SourceLocation = #_sourceLocation) throws {
                try site.settled()
                let line = [
                    "consume", "copy", "--existing", "--relative-to", site.base.string, "-0", "--", "rsync", "-aH",
                    "--force", "--ignore-missing-args", "--from0", "--files-from=-", site.base.string + "/",
                    copy.string + "/",
                ]
                let completed = try site.changes(line)
                #expect(completed.isSuccess, "\(completed)", sourceLocation: sourceLocation)
            }
            /// What a whole rsync would still do; with deletions what is too much, too.
            func differences(_ options: String...) throws -> [String] {
                let compared = try run(
                    ["rsync", "-ani", "--exclude=/outside"] + options + [site.base.string + "/", copy.string + "/"])
                #expect(compared.isSuccess, "\(compared)")
                // What holds the roots is none itself.
                return String(decoding: compared.output, as: UTF8.self).split(separator: "\n").map(String.init)
                    .filter { !$0.hasSuffix(" ./") }
            }

            // The first run seeds it.
            try follow()
            #expect(try differences("-H", "--delete") == [])
            #expect(Disk.exists(copy / "other-backup/not for it") && !Disk.exists(copy / "outside"))

            try Disk.append(week / "db.sql", Array("more".utf8))
            try Disk.removeTree(week / "becomes a file")
            try Disk.write(week / "becomes a file")
            try Disk.unlink(site.root / "becomes a directory")
            try Disk.makeDirectory(site.root / "becomes a directory")
            try Disk.write(site.root / "becomes a directory/in")
            try Disk.rename(week / "sub", week / "moved")
            try Disk.changeMode(week / odd[0], 0o600)
            try Disk.setModified(week / odd[1], seconds: 1_700_000_000)
            try Disk.unlink(week / odd[2])
            try Disk.makeDirectory(site.root / "2026-49")
            try Disk.link(week / "db.sql", site.root / "2026-49/db.sql")
            try follow()
            #expect(try differences("-H") == [])
            // It copies; it deletes nothing.
            let kept = try differences("-H", "--delete")
            #expect(kept.allSatisfy { $0.hasPrefix("*deleting") } && kept.count == 3, "\(kept)")
            // Nothing is to be done, and the command does not even run.
            try follow()
            #expect(try differences("-H") == [])
            site.tracker.stop()
        }

        /// Files that go while they are copied fail a run and are made up for.
        @Test(.timeLimit(.minutes(2))) func aCopyFollowsAStorm() throws {
            let site = try Site()
            try site.start()
            let copy = site.scratch.path / "copy"
            try Disk.makeDirectory(copy)
            let storm = Writers(
                root: site.root, files: Scale.pick(1_500, full: 50_000), writers: 2, renaming: true)
            let state = ["--state", site.tracker.settings.state.string]
            let output = site.scratch.path / "loop.out"
            let loop = try ChildProcess(
                [Tracker.binary, "consume", "copy"] + state
                    + ["--loop", "--quiet", "1ms", "--existing", "--relative-to", ".", "-0", "--"]
                    + [
                        "rsync", "-aH", "--force", "--ignore-missing-args", "--from0", "--files-from=-", "./",
                        copy.string + "/",
                    ],
                directory: site.root, output: (output, output))
            storm.join()
            #expect(storm.errors.isEmpty, "\(storm.errors)")
            try site.settled()
            var left = ""
            let isEqual = try wait(atMost: 40, every: 100) {
                let compared = try run(["rsync", "-ani", "./", copy.string + "/"], directory: site.root)
                left = String(decoding: compared.output, as: UTF8.self) + compared.errors
                return left.isEmpty && compared.isSuccess
            }
            #expect(isEqual, "\(left.prefix(500))\n\((try? Disk.read(output)).map { Path($0.suffix(2_000)) } as Path?)")
            loop.signal(SIGTERM)
            #expect(loop.waitForExit(atMost: 10) == .exited(128 + SIGTERM))
            site.tracker.stop()
        }
    }
}
