import Glibc
import Testing

extension CopySystemTests {
    /// A renamed directory is built from what the destination has. Over ssh, where what is sent is counted.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct SyncRenameTests {
        /// What a test does with a directory `d` of many files, and what that may cost.
        struct Case: CustomTestStringConvertible, Sendable {
            let testDescription: String
            /// Of the directory's bytes.
            let mostSent: Double
            let change: @Sendable (_ root: Path, _ sync: () throws -> Void) throws -> Void
        }

        private static let files = 1_000
        private static let size = 100_000

        static let cases: [Case] = [
            Case(testDescription: "renamed", mostSent: 0.01) { root, _ in try Disk.rename(root / "d", root / "e") },
            Case(testDescription: "to a name with a space", mostSent: 0.01) { root, _ in
                try Disk.rename(root / "d", root / "a  name")
            },
            Case(testDescription: "from a name with letters beyond ASCII", mostSent: 0.02) { root, sync in
                try Disk.rename(root / "d", root / "März")
                try sync()
                try Disk.rename(root / "März", root / "Über uns")
            },
            Case(testDescription: "renamed twice", mostSent: 0.01) { root, _ in
                try Disk.rename(root / "d", root / "e")
                try Disk.rename(root / "e", root / "f")
            },
            Case(testDescription: "renamed in two runs", mostSent: 0.02) { root, sync in
                try Disk.rename(root / "d", root / "e")
                try sync()
                try Disk.rename(root / "e", root / "f")
            },
            Case(testDescription: "renamed, and a file modified after", mostSent: 0.02) { root, _ in
                try Disk.rename(root / "d", root / "e")
                try Disk.append(root / "e/f7", [1, 2, 3])
            },
            Case(testDescription: "a file modified, and renamed", mostSent: 0.02) { root, _ in
                try Disk.append(root / "d/f7", [1, 2, 3])
                try Disk.rename(root / "d", root / "e")
            },
            Case(testDescription: "moved into another directory", mostSent: 0.01) { root, _ in
                try Disk.makeDirectory(root / "other")
                try Disk.makeDirectory(root / "other/deep")
                try Disk.rename(root / "d", root / "other/deep/e")
            },
            Case(testDescription: "with hard links to files outside", mostSent: 0.01) { root, sync in
                try Disk.makeDirectory(root / "links")
                for index in 0..<100 { try Disk.link(root / Path("d/f\(index)"), root / Path("links/\(index)")) }
                try sync()
                try Disk.rename(root / "d", root / "e")
            },
            Case(testDescription: "its parent renamed as well", mostSent: 0.02) { root, sync in
                try Disk.makeDirectory(root / "top")
                try Disk.rename(root / "d", root / "top/d")
                try sync()
                try Disk.rename(root / "top/d", root / "top/e")
                try Disk.rename(root / "top", root / "above")
            },
            Case(testDescription: "renamed away and back", mostSent: 1.1) { root, _ in
                try Disk.rename(root / "d", root / "e")
                try Disk.rename(root / "e", root / "d")
            },
            Case(testDescription: "to a name with wildcards", mostSent: 1.1) { root, _ in
                try Disk.rename(root / "d", root / "[x]*")
            },
            Case(testDescription: "into a name with wildcards, and there", mostSent: 2.1) { root, sync in
                try Disk.makeDirectory(root / "[x]*")
                try Disk.rename(root / "d", root / "[x]*/d")
                try sync()
                try Disk.rename(root / "[x]*/d", root / "[x]*/e")
            },
        ]

        @Test(.timeLimit(.minutes(3)), arguments: Scale.isFull ? cases : Array(cases.prefix(Scale.isThorough ? 9 : 2)))
        func aRenamedDirectory(_ test: Case) throws {
            let counter = try CountingServer()
            let site = try SyncSite(over: counter.server)
            let root = site.site.root
            let files = Scale.pick(200, full: Self.files)
            try Disk.makeDirectory(root / "d")
            try require([
                "sh", "-c", #"i=0; while [ $i -lt $2 ]; do head -c $3 /dev/urandom >"$1/f$i"; i=$((i + 1)); done"#,
                "sh",
                "\(root)/d", "\(files)", "\(Self.size)",
            ])
            try site.start()
            try site.syncFully("--allow-deletes")
            try site.expectEqual(note: "before")
            #expect(try counter.take() > files * Self.size)
            try test.change(root) { try site.syncFully("--allow-deletes") }
            let last = try site.sync("--allow-deletes")
            #expect(last.isSuccess, "\(last)")
            let sent = try counter.take()
            try site.expectEqual(note: test.testDescription)
            let share = Double(sent) / Double(files * Self.size)
            print("\(test.testDescription): \(sent) bytes sent, \(share * 100) %")
            // Small trees cost more in proportion: the lists of a few runs of rsync.
            #expect(sent > 0)
            #expect(share < test.mostSent * Scale.pick(2, full: 1), "\(sent) bytes were sent, \(share)")
        }

        /// Interrupted between its runs of rsync and within them, a rename ends the same.
        @Test(.thorough, .timeLimit(.minutes(5)), arguments: Scale.seeds(1, full: 4))
        func killedOnTheWay(_ seed: UInt64) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            let root = site.site.root
            try Disk.makeDirectory(root / "d0")
            for index in 0..<300 {
                try Disk.write(root / Path("d0/f\(index)"), [UInt8](repeating: UInt8(index % 256), count: 20_000))
                if index % 3 == 0 { try Disk.link(root / Path("d0/f\(index)"), root / Path("d0/l\(index)")) }
            }
            try site.start()
            try site.syncFully("--allow-deletes")
            var random = SplitMix64(seed: seed)
            for round in 0..<Scale.pick(5, full: 40) {
                try Disk.rename(root / Path("d\(round)"), root / Path("d\(round + 1)"))
                let worker = try site.launch("--allow-deletes")
                pause(milliseconds: Int.random(in: 0...400, using: &random))
                worker.signal(SIGKILL)
                _ = worker.waitForExit(atMost: 10)
                if Bool.random(using: &random) {
                    try Disk.write(root / Path("d\(round + 1)/f\(Int.random(in: 0..<300, using: &random))"))
                }
                try site.syncFully("--allow-deletes", note: "round \(round)")
                try site.expectEqual(note: "(seed \(seed), round \(round))")
            }
        }
    }
}
