import Glibc
import Testing

/// What the tests of `changes sync` mean by equal.
extension CopySystemTests {
    @Suite(.thorough, .enabled(if: Programs.obstacle("rsync") == nil, "needs rsync")) struct CopyComparisonTests {
        @Test func itTellsEqualTreesFromOthers() throws {
            let trees = try CopiedTree()
            let (source, copy) = (trees.source, trees.copy)
            try require(["rsync", "-aH", "\(source.string)/", "\(copy.string)/"])
            try Disk.makeDirectory(copy / ".nfs-changes")
            try require(["touch", "-r", source.string, copy.string])
            let equal = try CopyComparison(source, copy)
            #expect(equal.isEqual, "\(equal.differences)")
            #expect(equal.sourceUsage > 0 && equal.copyUsage > 0)

            // rsync -H itself does not see this one.
            try Disk.write(source / "twin", Array("content".utf8))
            try require(["touch", "-r", (source / "file").string, (source / "twin").string])
            try Disk.link(copy / "file", copy / "twin")
            try require(["touch", "-r", source.string, copy.string])
            let linked = try CopyComparison(source, copy)
            #expect(
                linked.differences == [
                    "linked in the source only: file, sub/hard", "linked in the copy only: file, sub/hard, twin",
                ])
            #expect(linked.copyUsage < linked.sourceUsage)
        }

        @Test func itSeesABrokenLinkAndAnEditThatTimesHide() throws {
            let trees = try CopiedTree()
            let (source, copy) = (trees.source, trees.copy)
            try Disk.write(source / "plain", Array("content".utf8))
            try require(["rsync", "-aH", "\(source.string)/", "\(copy.string)/"])
            for (name, content) in [("plain", "CONTENT"), ("sub/hard", "content")] {
                let times = try Disk.status(copy / Path(name)).st_mtim
                try Disk.unlink(copy / Path(name))
                try Disk.write(copy / Path(name), Array(content.utf8))
                try Disk.setModified(copy / Path(name), seconds: times.tv_sec, nanoseconds: times.tv_nsec)
            }
            for name in ["", "sub"] {
                try require(["touch", "-r", (source / Path(name)).string, (copy / Path(name)).string])
            }
            let found = try CopyComparison(source, copy).differences
            #expect(found.contains { $0.hasPrefix(">fc") && $0.hasSuffix(" plain") }, "\(found)")
            #expect(found.contains("linked in the source only: file, sub/hard"), "\(found)")
            #expect(found.count == 3, "\(found)")
        }

        @Test func itIsBoundedAndEscaped() throws {
            let trees = try CopiedTree()
            for index in 0..<50 { try Disk.write(trees.copy / Path("extra\n\(index)")) }
            let found = try CopyComparison(trees.source, trees.copy, limit: 5).differences
            #expect(found.count == 7 && found.contains { $0.hasSuffix("more") }, "\(found)")
            #expect(found.allSatisfy { !$0.contains("\n") })
            // Special files and owners do not count where they are dropped, modes as they are made.
            let dropped = try CopiedTree()
            try Disk.makeFIFO(dropped.source / "pipe")
            try Disk.link(dropped.source / "pipe", dropped.source / "pipe2")
            try Disk.changeMode(dropped.source / "file", 0o444)
            let options = CopyComparison.droppedOwnership
            try require(["rsync", "-aH"] + options + ["\(dropped.source.string)/", "\(dropped.copy.string)/"])
            let again = try CopyComparison(dropped.source, dropped.copy, options: options)
            #expect(again.isEqual, "\(again.differences)")
            #expect(try !CopyComparison(dropped.source, dropped.copy).isEqual)
        }
    }
}
