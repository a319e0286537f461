import Glibc
import LinuxKernel
import Testing

/// One way of moving things that trackers get wrong.
struct MoveScenario: Sendable, CustomTestStringConvertible {
    /// Where a scenario takes place: two directories in two roots, and one that nobody watches.
    struct Stage: Sendable {
        let here: Path
        let there: Path
        let outside: Path

        /// A directory with files and a directory with files in it.
        func makeTree(_ path: Path) throws {
            try Disk.makeDirectory(path)
            try Disk.makeDirectory(path / "sub")
            for name in ["one", "two", "sub/three", "sub/four"] { try Disk.write(path / Path(name)) }
        }
    }

    /// Some scenarios for one tracker: each takes place in directories of its own.
    struct Group: Sendable, CustomTestStringConvertible {
        let all: [MoveScenario]
        var testDescription: String { all.map(\.name).joined(separator: "; ") }
    }

    static let groups = stride(from: 0, to: all.count, by: 8).map {
        Group(all: Array(all[$0..<min($0 + 8, all.count)]))
    }

    let name: String
    let prepare: @Sendable (Stage) throws -> Void
    let act: @Sendable (Stage) throws -> Void
    /// A name in `there` that has to have a row although listings may show no difference.
    var touched: Path?

    var testDescription: String { name }

    init(
        _ name: String, prepare: @escaping @Sendable (Stage) throws -> Void,
        act: @escaping @Sendable (Stage) throws -> Void
    ) {
        self.name = name
        self.prepare = prepare
        self.act = act
    }

    static let all: [MoveScenario] =
        [
            MoveScenario("within a root") { stage in
                try stage.makeTree(stage.here / "tree")
                try Disk.makeDirectory(stage.here / "deeper")
            } act: { stage in
                try Disk.rename(stage.here / "tree", stage.here / "deeper/moved")
                try Disk.write(stage.here / "deeper/moved/sub/new")
            },
            MoveScenario("from one root to another") { stage in
                try stage.makeTree(stage.here / "tree")
            } act: { stage in
                try Disk.rename(stage.here / "tree", stage.there / "tree")
                try Disk.write(stage.there / "tree/one", Array("changed".utf8))
            },
            MoveScenario("in from outside") { stage in
                try stage.makeTree(stage.outside / "tree")
            } act: { stage in
                try Disk.rename(stage.outside / "tree", stage.here / "tree")
                try Disk.write(stage.here / "tree/sub/late")
            },
            MoveScenario("out of the root") { stage in
                try stage.makeTree(stage.here / "tree")
            } act: { stage in
                try Disk.rename(stage.here / "tree", stage.outside / "tree")
                // Writes there are nobody's business, and their events must not be taken for the old names'.
                try Disk.write(stage.outside / "tree/sub/unseen")
            },
            MoveScenario("out and back in") { stage in
                try stage.makeTree(stage.here / "tree")
            } act: { stage in
                try Disk.rename(stage.here / "tree", stage.outside / "tree")
                try Disk.write(stage.outside / "tree/sub/while-out")
                try Disk.unlink(stage.outside / "tree/one")
                try Disk.rename(stage.outside / "tree", stage.here / "again")
                try Disk.write(stage.here / "again/sub/back")
            },
            MoveScenario("chained") { stage in
                for name in ["a", "d1", "d2"] { try stage.makeTree(stage.here / Path(name)) }
            } act: { stage in
                try Disk.rename(stage.here / "d1", stage.here / "d2/d1")
                try Disk.rename(stage.here / "d2/d1", stage.here / "d1")
                try Disk.rename(stage.here / "d1", stage.here / "d3")
                try Disk.rename(stage.here / "a", stage.here / "d1")
                try Disk.write(stage.here / "d1/sub/last")
            },
            MoveScenario("swap by three renames") { stage in
                for name in ["x", "y"] { try stage.makeTree(stage.here / Path(name)) }
                try Disk.write(stage.here / "x/only-in-x")
            } act: { stage in
                try Disk.rename(stage.here / "x", stage.here / "t")
                try Disk.rename(stage.here / "y", stage.here / "x")
                try Disk.rename(stage.here / "t", stage.here / "y")
            },
            MoveScenario("renameat2 EXCHANGE of directories") { stage in
                try stage.makeTree(stage.here / "x")
                try stage.makeTree(stage.there / "y")
                try Disk.write(stage.here / "x/only-in-x")
            } act: { stage in
                try Disk.exchange(stage.here / "x", stage.there / "y")
                try Disk.write(stage.here / "x/after")
                try Disk.unlink(stage.there / "y/only-in-x")
            },
            MoveScenario("renameat2 EXCHANGE of a file and a directory") { stage in
                try stage.makeTree(stage.here / "x")
                try Disk.write(stage.here / "file")
            } act: { stage in
                try Disk.exchange(stage.here / "x", stage.here / "file")
                try Disk.write(stage.here / "file/sub/inside")
            },
            MoveScenario("directory, file, symlink, directory") { stage in
                try stage.makeTree(stage.here / "name")
                try stage.makeTree(stage.here / "other")
            } act: { stage in
                try Disk.removeTree(stage.here / "name")
                try Disk.write(stage.here / "name")
                try Disk.unlink(stage.here / "name")
                try Disk.symlink("other", at: stage.here / "name")
                try Disk.write(stage.here / "name/through-the-link")
                try Disk.unlink(stage.here / "name")
                try Disk.makeDirectory(stage.here / "name")
                try Disk.write(stage.here / "name/one")
            },
            MoveScenario("removed and recreated") { stage in
                try stage.makeTree(stage.here / "tree")
                try Disk.write(stage.here / "file")
            } act: { stage in
                try Disk.removeTree(stage.here / "tree")
                try stage.makeTree(stage.here / "tree")
                try Disk.unlink(stage.here / "file")
                try Disk.write(stage.here / "file")
            },
            MoveScenario("a parent renamed while its children are written") { stage in
                try stage.makeTree(stage.here / "tree")
            } act: { stage in
                try Disk.withOpen(stage.here / "tree/sub/three", O_WRONLY | O_APPEND) { descriptor in
                    var name = stage.here / "tree"
                    for round in 0..<20 {
                        let next = stage.here / Path("tree-\(round)")
                        try Disk.rename(name, next)
                        name = next
                        try Disk.put(Array("more".utf8), to: descriptor, name)
                        try Disk.write(name / Path("sub/new-\(round)"))
                    }
                }
            },
            MoveScenario("parent, child and grandchild renamed at once") { stage in
                try Disk.makeDirectory(stage.here / "p")
                try stage.makeTree(stage.here / "p/c")
            } act: { stage in
                try Disk.rename(stage.here / "p/c/sub", stage.here / "p/c/s2")
                try Disk.rename(stage.here / "p/c", stage.here / "p/c2")
                try Disk.rename(stage.here / "p", stage.here / "p2")
                try Disk.rename(stage.here / "p2/c2/s2", stage.here / "s3")
            },
            MoveScenario("a directory that vanishes during its own scan") { stage in
                try Disk.makeDirectory(stage.outside / "wide")
                for number in 0..<2_000 { try Disk.write(stage.outside / Path("wide/f\(number)")) }
            } act: { stage in
                try Disk.rename(stage.outside / "wide", stage.here / "wide")
                try Disk.removeTree(stage.here / "wide")
                try Disk.write(stage.here / "survivor")
            },
            MoveScenario("hardlinks across roots") { stage in
                for name in ["f", "g", "h"] { try Disk.write(stage.here / Path(name)) }
                try Disk.link(stage.here / "g", stage.there / "g")
                try Disk.link(stage.here / "h", stage.there / "h")
            } act: { stage in
                try Disk.link(stage.here / "f", stage.there / "f")
                try Disk.write(stage.there / "g", Array("through the other name".utf8))
                try Disk.unlink(stage.here / "h")
            },
            MoveScenario("renamed over") { stage in
                for name in ["new", "old"] { try Disk.write(stage.here / Path(name)) }
                try stage.makeTree(stage.here / "full")
                try Disk.makeDirectory(stage.here / "empty")
            } act: { stage in
                try Disk.rename(stage.here / "new", stage.here / "old")
                try Disk.rename(stage.here / "full", stage.here / "empty")
                try Disk.write(stage.here / "new")
            },
            MoveScenario("a directory that lost a part before it took a file's place") { stage in
                try stage.makeTree(stage.there / "tree")
                try Disk.write(stage.here / "name")
            } act: { stage in
                try Disk.rename(stage.there / "tree", stage.there / "again")
                try Disk.removeTree(stage.there / "again/sub")
                try Disk.unlink(stage.here / "name")
                try Disk.write(stage.here / "name")
                try Disk.exchange(stage.here / "name", stage.there / "again")
            },
            MoveScenario("directories renamed into one that was renamed") { stage in
                for name in ["one", "two"] { try stage.makeTree(stage.here / Path(name)) }
                try Disk.write(stage.there / "file")
            } act: { stage in
                try Disk.exchange(stage.here / "one", stage.there / "file")
                try Disk.rename(stage.here / "two", stage.there / "file/brought")
                try Disk.makeDirectory(stage.there / "file/made")
                try Disk.write(stage.there / "file/made/inside")
            },
            MoveScenario("two directories in turn at a name that moves away with both") { stage in
                for name in ["one", "two"] { try stage.makeTree(stage.here / Path(name)) }
                try Disk.write(stage.there / "file")
            } act: { stage in
                try Disk.makeDirectory(stage.here / "one/new")
                try Disk.write(stage.here / "one/new/inside")
                try Disk.exchange(stage.here / "one/new", stage.here / "two")
                try Disk.exchange(stage.here / "one", stage.there / "file")
            },
        ] + hardlinks
}
