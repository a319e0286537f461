import Glibc
import Testing

extension CopySystemTests {
    /// `changes verify DESTINATION` finds each way in which a copy can differ, and mends it.
    @Suite struct VerifyCopyTests {
        /// A site with an equal copy.
        private func makeSite(more: String = "") throws -> SyncSite {
            let site = try SyncSite(more: more)
            let root = site.site.root
            try Disk.makeDirectory(root / "d")
            for name in ["same", "d/missing", "grown", "mode", "time", "one", "two", "odd\nname", "a => b", "x -> y"] {
                try Disk.write(root / Path(name), Array("content of \(name)".utf8))
            }
            for (name, other) in [("pair", "pair2"), ("trio", "trio2"), ("trio", "d/trio3"), ("a => b", "c => d")] {
                if !Disk.exists(root / Path(name)) { try Disk.write(root / Path(name), Array(name.utf8)) }
                try Disk.link(root / Path(name), root / Path(other))
            }
            for name in ["one", "two"] {
                try Disk.write(root / Path(name), Array("alike".utf8))
                try Disk.setModified(root / Path(name), seconds: 1_600_000_000)
            }
            try Disk.symlink("target", at: root / "soft")
            try Disk.link(root / "soft", root / "d/soft2")
            try site.start()
            try site.syncFully("--allow-deletes")
            try site.expectEqual(note: "before")
            return site
        }

        /// What it said: a kind and a path, relative to the source.
        private func drifts(_ completed: Completed) -> [String] {
            String(decoding: completed.output, as: UTF8.self).split(separator: "\n").map { line in
                line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
                    .map { $0.trimmingSpaces }.joined(separator: " ")
            }.sorted()
        }

        private func expect(
            _ site: SyncSite, _ expected: [String], _ words: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let completed =
                switch words {
                case "": try site.verify()
                case "--sample": try site.verify("--sample", "100%")
                default: try site.verify(words)
                }
            #expect(drifts(completed) == expected.sorted(), "\(completed.errors)", sourceLocation: sourceLocation)
            #expect(completed.status == .exited(expected.isEmpty ? 0 : 1), sourceLocation: sourceLocation)
        }

        @Test(.timeLimit(.minutes(2))) func anEqualCopyHasNone() throws {
            let site = try makeSite()
            for words in ["", "--checksum", "--sample"] { try expect(site, [], words) }
        }

        @Test(.timeLimit(.minutes(3)), arguments: ["", "--checksum", "--sample"])
        func eachKindIsFoundAndMended(_ words: String) throws {
            let site = try makeSite()
            let copy = site.copy / "a-backup"
            try keepingTimes(of: copy) {
                try keepingTimes(of: copy / "d") { try Disk.unlink(copy / "d/missing") }
                try Disk.write(copy / "extra")
                try Disk.makeDirectory(copy / "more")
                try Disk.write(copy / "more/below")
                // One link broken, one made, one name of three alone.
                try breakLink(copy / "pair")
                try Disk.unlink(copy / "two")
                try Disk.link(copy / "one", copy / "two")
                try breakLink(copy / "d/trio3")
            }
            try Disk.append(copy / "grown", Array("!".utf8))
            try Disk.changeMode(copy / "mode", 0o755)
            try Disk.setModified(copy / "d", seconds: 1_500_000_000)
            let time = try Disk.status(copy / "same").st_mtim
            try Disk.write(copy / "same", Array("CONTENT of same".utf8))
            try Disk.setModified(copy / "same", seconds: time.tv_sec, nanoseconds: time.tv_nsec)
            var expected = [
                "missing a-backup/d/missing", "extra a-backup/extra", "extra a-backup/more",
                "extra a-backup/more/below", "content a-backup/grown", "metadata a-backup/mode",
                "metadata a-backup/d", "links a-backup/pair", "links a-backup/pair2", "links a-backup/one",
                "links a-backup/two", "links a-backup/trio", "links a-backup/trio2", "links a-backup/d/trio3",
            ]
            if !words.isEmpty { expected.append("content a-backup/same") }
            try expect(site, expected, words)

            let repaired =
                words == "--sample"
                ? try site.verify("--sample", "100%", "--repair")
                : words.isEmpty ? try site.verify("--repair") : try site.verify(words, "--repair")
            #expect(repaired.isSuccess, "\(repaired)")
            try expect(site, [], words)
            if !words.isEmpty { try site.expectEqual(note: "repaired") }
        }

        /// What rsync says in its own way: a type, a symlink's target, names that look like its arrows.
        @Test(.timeLimit(.minutes(2))) func oddNamesAndTypes() throws {
            let site = try makeSite()
            let copy = site.copy / "a-backup"
            try keepingTimes(of: copy) {
                try Disk.unlink(copy / "soft")
                try Disk.symlink("elsewhere", at: copy / "soft")
                try Disk.unlink(copy / "odd\nname")
                try Disk.unlink(copy / "mode")
                try Disk.makeDirectory(copy / "mode")
                try breakLink(copy / "a => b")
                try Disk.append(copy / "x -> y", [1])
                try Disk.write(copy / "extra\\#012\n\u{1B}")
            }
            let found = try site.verify()
            let paths = Set(drifts(found).map { $0.split(separator: " ", maxSplits: 1).last.map(String.init) ?? "" })
            let expected: Set = [
                "a-backup/soft", "a-backup/d/soft2", #"a-backup/odd\012name"#, "a-backup/mode", "a-backup/a => b",
                "a-backup/c => d",
                "a-backup/x -> y", #"a-backup/extra\134#012\012\033"#,
            ]
            #expect(paths == expected, "\(drifts(found))")
            let repaired = try site.verify("--repair")
            #expect(repaired.isSuccess, "\(repaired)")
            try expect(site, [], "--checksum")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `names that look like rsync's own words are no difference`() throws {
            let site = try SyncSite()
            let root = site.site.root
            let names = [
                "hard => link => three", "other => name", "plain", ##"a\#012b"##, ##"\#134#012"##,
                ##"x\#012 => y\#012"##,
            ]
            try Disk.write(root / Path(names[0]), Array("content".utf8))
            for name in names.dropFirst() { try Disk.link(root / Path(names[0]), root / Path(name)) }
            try Disk.symlink("x => y//z -> w", at: root / "soft -> l => p")
            try Disk.link(root / "soft -> l => p", root / "soft2")
            try site.start()
            try site.syncFully()
            for words in ["", "--checksum", "--sample"] { try expect(site, [], words) }
            // Times alone differ: no link does.
            let copy = site.copy / "a-backup"
            try Disk.setModified(copy / Path(names[0]), seconds: 1_500_000_000)
            let found = drifts(try site.verify())
            #expect(!found.isEmpty && !found.contains { $0.hasPrefix("links") }, "\(found)")
            try keepingTimes(of: copy) { try breakLink(copy / Path(names[0])) }
            #expect(drifts(try site.verify()).contains("links a-backup/\(names[0])"))
            #expect(try site.verify("--repair").isSuccess)
            try expect(site, [], "--checksum")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(1))) func `a deletion that a guard holds is named and fails the verification`() throws
        {
            let site = try SyncSite(maxDelete: "10%")
            for index in 0..<20 { try Disk.write(site.site.root / Path("f\(index)")) }
            try site.start()
            try site.syncFully("--allow-deletes")
            for index in 0..<10 { try Disk.unlink(site.site.root / Path("f\(index)")) }
            #expect(try site.sync().status == .exited(1))
            let found = try site.verify()
            #expect(found.status == .exited(1) && drifts(found).isEmpty, "\(found)")
            #expect(found.errors.contains("left out: 10 deletions are held"), "\(found)")
            try site.syncFully("--allow-deletes")
            try expect(site, [], "")
        }

        /// The source's own top is no root: others change it, and nobody is to be woken for it.
        @Test(.timeLimit(.minutes(1))) func `what comes and goes beside the roots is no difference`() throws {
            let site = try makeSite()
            try Disk.makeDirectory(site.site.base / "isos")
            try Disk.setModified(site.site.base, seconds: 1_500_000_000)
            try expect(site, [], "")
        }

        @Test(.timeLimit(.minutes(1))) func `a root that is away is named and fails the verification`() throws {
            let site = try SyncSite(roots: ["a-backup", "b-backup"])
            for root in site.site.roots { try Disk.write(root / "file") }
            try site.start()
            try site.syncFully()
            try Disk.rename(site.site.roots[1], site.site.outside / "elsewhere")
            let found = try site.verify()
            #expect(found.status == .exited(1) && drifts(found).isEmpty, "\(found)")
            #expect(found.errors.contains("not compared: \(site.site.roots[1]) is missing"), "\(found)")
            #expect(!found.errors.contains("no difference\n"), "\(found)")
            try Disk.write(site.copy / "a-backup/file", [9])
            #expect(drifts(try site.verify()) == ["content a-backup/file"])
        }

        /// What an unmounted file system holds is not too much at the destination, and a repair deletes none of it.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func `what lies in a mount point that is away is not compared`() throws {
            let site = try SyncSite()
            let place = site.site.root / "mounted"
            try Disk.makeDirectory(place)
            let mounted = try Mounted(tmpfsAt: place)
            try Disk.write(place / "file")
            try site.start()
            try site.syncFully()
            try mounted.unmount()
            let isHeld = try wait(atMost: 10, every: 100) { try site.sync().status == .exited(75) }
            #expect(isHeld)
            for words in [[], ["--repair"]] {
                let found = try words.isEmpty ? site.verify() : site.verify("--repair")
                #expect(found.status == .exited(1) && drifts(found).isEmpty, "\(found)")
                #expect(found.errors.contains("not compared: \(place) is held"), "\(found)")
            }
            #expect(Disk.exists(site.copy / "a-backup/mounted/file"))
        }

        /// The whole source is a root: it is compared all the same.
        @Test(.timeLimit(.minutes(1))) func `a source that is a root itself is compared`() throws {
            let site = try SyncSite(roots: ["a-backup"])
            let configuration = site.site.scratch.path / "sync.toml"
            let text = String(decoding: try Disk.read(configuration), as: UTF8.self)
            try Disk.write(
                configuration,
                Array(text.replacing("source = \"\(site.site.base)\"", with: "source = \"\(site.site.root)\"").utf8))
            for name in ["one", "two"] { try Disk.write(site.site.root / Path(name)) }
            try site.start()
            try site.syncFully()
            try expect(site, [], "")
            try Disk.unlink(site.copy / "one")
            try Disk.write(site.copy / "extra")
            try expect(site, ["missing one", "extra extra"], "")
        }

        /// On the other side: nobody can say what is in it.
        @Test(
            .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"),
            .enabled(if: Privilege.isRoot, "needs a receiver who is not root"))
        func `a directory that cannot be read there is named and fails the verification`() throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            for name in ["open", "closed"] {
                try Disk.makeDirectory(site.site.root / Path(name))
                try Disk.write(site.site.root / Path(name) / "file")
            }
            try site.start()
            try site.syncFully()
            let closed = site.copy / "a-backup/closed"
            try Disk.changeOwner(closed, 0, 0)
            try Disk.changeMode(closed, 0o700)
            let found = try site.verify()
            #expect(found.status == .exited(1), "\(found)")
            #expect(found.errors.contains("not compared: \(closed) cannot be read at the destination"), "\(found)")
            // What can be read is compared all the same.
            try Disk.write(site.copy / "a-backup/open/extra")
            #expect(drifts(try site.verify()).contains("extra a-backup/open/extra"))
        }

        @Test(.timeLimit(.minutes(2))) func whatIsPendingIsLeftOut() throws {
            let site = try makeSite()
            let (root, copy) = (site.site.root, site.copy / "a-backup")
            try Disk.write(root / "new")
            try Disk.write(root / "grown", Array("another content".utf8))
            try Disk.unlink(root / "time")
            try Disk.link(root / "one", root / "d/one2")
            try keepingTimes(of: copy) { try Disk.unlink(copy / "same") }
            try expect(site, ["missing a-backup/same"], "")
            try site.syncFully()
            try expect(site, ["missing a-backup/same"], "")
        }

        /// More deletions than `max_delete` lets go wait here as anywhere.
        @Test(.timeLimit(.minutes(2))) func aRepairIsGuarded() throws {
            let site = try SyncSite(maxDelete: "10%")
            for index in 0..<20 { try Disk.write(site.site.root / Path("f\(index)")) }
            try site.start()
            try site.syncFully("--allow-deletes")
            for index in 0..<10 { try Disk.write(site.copy / Path("a-backup/extra\(index)")) }
            _ = try site.verify("--repair")
            #expect(Disk.exists(site.copy / "a-backup/extra3"))
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
        }

        @Test(
            .thorough,
            .timeLimit(.minutes(3)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"),
            arguments: [false, true])
        func overSSH(_ isRestricted: Bool) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, isRestricted: isRestricted)
            for name in ["a", "b", "c"] { try Disk.write(site.site.root / Path(name), Array(name.utf8)) }
            try Disk.makeFIFO(site.site.root / "pipe")
            try site.start()
            try site.syncFully("--allow-deletes")
            try expect(site, [], "--checksum")
            let copy = site.copy / "a-backup"
            let time = try Disk.status(copy / "a").st_mtim
            try keepingTimes(of: copy) {
                try Disk.unlink(copy / "b")
                try Disk.link(copy / "a", copy / "b")
            }
            try Disk.setModified(copy / "a", seconds: time.tv_sec, nanoseconds: time.tv_nsec)
            let found = drifts(try site.verify("--checksum"))
            #expect(found.contains("links a-backup/a") && found.contains("links a-backup/b"), "\(found)")
            let repaired = try site.verify("--checksum", "--repair")
            #expect(repaired.isSuccess, "\(repaired)")
            try expect(site, [], "--checksum")
            try site.expectEqual()
        }

        /// The same content and time under another inode.
        private func breakLink(_ path: Path) throws {
            try require(["cp", "-p", path.string, path.string + ".new"])
            try Disk.rename(Path("\(path.string).new"), path)
        }

        /// A directory whose entries are changed by `body`, with its time as before.
        private func keepingTimes(of directory: Path, _ body: () throws -> Void) throws {
            let time = try Disk.status(directory).st_mtim
            try body()
            try Disk.setModified(directory, seconds: time.tv_sec, nanoseconds: time.tv_nsec)
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        return text
    }
}
