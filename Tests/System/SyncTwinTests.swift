import Glibc
import Testing

extension SyncSystemTests {
    /// Files that look alike to rsync, of one size and time with another content, change places.
    @Suite(.enabled(if: Programs.obstacle("rsync") == nil, "needs rsync")) struct SyncTwinTests {
        struct Case: CustomTestStringConvertible, Sendable {
            let testDescription: String
            let change: @Sendable (_ root: Path) throws -> Void
        }

        static let cases: [Case] = [
            Case(testDescription: "a file renamed over another") { try Disk.rename($0 / "a", $0 / "b") },
            Case(testDescription: "files exchanged") { try Disk.exchange($0 / "a", $0 / "b") },
            Case(testDescription: "files exchanged the long way") { root in
                try Disk.rename(root / "a", root / "t")
                try Disk.rename(root / "b", root / "a")
                try Disk.rename(root / "t", root / "b")
            },
            Case(testDescription: "directories exchanged") { try Disk.exchange($0 / "d", $0 / "e") },
            Case(testDescription: "directories exchanged the long way") { root in
                try Disk.rename(root / "d", root / "t")
                try Disk.rename(root / "e", root / "d")
                try Disk.rename(root / "t", root / "e")
            },
            Case(testDescription: "a directory removed, and another in its place") { root in
                try Disk.removeTree(root / "e")
                try Disk.rename(root / "d", root / "e")
            },
            Case(testDescription: "a file exchanged within a directory that is renamed then") { root in
                try Disk.exchange(root / "d/f", root / "e/f")
                try Disk.rename(root / "d", root / "n")
            },
            Case(testDescription: "a directory renamed, and a file exchanged then") { root in
                try Disk.rename(root / "d", root / "n")
                try Disk.exchange(root / "n/f", root / "e/f")
            },
            Case(testDescription: "three directories in a ring") { root in
                try Disk.rename(root / "d", root / "t")
                try Disk.rename(root / "g", root / "d")
                try Disk.rename(root / "e", root / "g")
                try Disk.rename(root / "t", root / "e")
            },
            Case(testDescription: "exchanged and renamed") { root in
                try Disk.exchange(root / "d", root / "e")
                try Disk.rename(root / "d", root / "n")
            },
            Case(testDescription: "renamed, and another in its place") { root in
                try Disk.rename(root / "d", root / "n")
                try Disk.rename(root / "e", root / "d")
            },
            Case(testDescription: "inner directories exchanged, and the outer renamed") { root in
                try Disk.exchange(root / "top/d", root / "top/e")
                try Disk.rename(root / "top", root / "above")
            },
            Case(testDescription: "the outer renamed, and inner directories exchanged") { root in
                try Disk.rename(root / "top", root / "above")
                try Disk.exchange(root / "above/d", root / "above/e")
            },
            Case(testDescription: "an inner directory moved out, and another in its place") { root in
                try Disk.rename(root / "top/d", root / "n")
                try Disk.rename(root / "top", root / "above")
                try Disk.rename(root / "e", root / "above/d")
            },
            Case(testDescription: "a file moved to a name that was free, and the directory renamed") { root in
                try Disk.unlink(root / "d/f")
                try Disk.rename(root / "a", root / "d/f")
                try Disk.rename(root / "d", root / "n")
            },
            Case(testDescription: "a hard-linked file renamed over another") { root in
                try Disk.link(root / "a", root / "a2")
                try Disk.rename(root / "a2", root / "b")
            },
        ]

        @Test(.timeLimit(.minutes(1)), arguments: Scale.isThorough ? cases : Array(cases.prefix(4)))
        func changingPlaces(_ test: Case) throws {
            let site = try SyncSite()
            let root = site.site.root
            try Disk.makeDirectory(root / "top")
            for (index, name) in ["d", "e", "g", "top/d", "top/e"].enumerated() {
                try Disk.makeDirectory(root / Path(name))
                try Disk.makeDirectory(root / Path(name + "/sub"))
                for file in ["f", "sub/f"] { try write("\(index)", root / Path("\(name)/\(file)")) }
            }
            try write("a", root / "a")
            try write("b", root / "b")
            try site.start()
            try site.syncFully("--allow-deletes")
            try test.change(root)
            // With the guards, which count names that take each other's place.
            try site.syncFully()
            try site.expectEqual(note: test.testDescription)
        }

        /// Rows of a deletion and of what came after it, in one count of what is gone.
        @Test(.timeLimit(.minutes(1))) func aNameThatComesBackIsCounted() throws {
            let site = try SyncSite()
            let root = site.site.root
            for name: Path in ["a", "b", "c"] { try write(name.string, root / name) }
            try site.start()
            try site.syncFully("--allow-deletes")
            try Disk.unlink(root / "b")
            #expect(try site.site.tracker.verifyIndex().isSuccess)
            try Disk.rename(root / "a", root / "b")
            let completed = try site.sync()
            #expect(completed.isSuccess, "\(completed)")
            try site.expectEqual()
        }

        private func write(_ content: String, _ path: Path) throws {
            try Disk.write(path, Array(content.utf8))
            try Disk.setModified(path, seconds: 1_600_000_000)
        }
    }
}
