import Glibc

/// A change through one name of an inode is a change of each, also when that name is gone or has moved before anyone
/// could look: the event tells of the name, and only what led there tells which inode it was.
extension MoveScenario {
    /// Moves the time of change only, so that nothing but the event tells of it.
    private static func touch(_ path: Path) throws {
        try Disk.changeMode(path, 0o600)
        try Disk.changeMode(path, 0o644)
    }

    /// `here/f` and `there/f` are one file; `here/old` is another, and `here/d` a directory.
    private static func makeLinks(_ stage: Stage) throws {
        for name in ["f", "old"] { try Disk.write(stage.here / Path(name)) }
        try Disk.changeMode(stage.here / "f", 0o644)
        try Disk.link(stage.here / "f", stage.there / "f")
        try Disk.makeDirectory(stage.here / "d")
    }

    /// Each stage's `there/f` has to be told of, whatever became of the name by which it was changed.
    private init(link name: String, act: @escaping @Sendable (Stage) throws -> Void) {
        self.init("a hardlink that is \(name)", prepare: Self.makeLinks, act: act)
        touched = "f"
    }

    static let hardlinks: [MoveScenario] = [
        MoveScenario("changed through a new hardlink that is renamed") { stage in
            for name in ["f", "old"] { try Disk.write(stage.here / Path(name)) }
        } act: { stage in
            try Disk.link(stage.here / "f", stage.there / "passing")
            try touch(stage.there / "passing")
            try Disk.rename(stage.there / "passing", stage.here / "old")
        },
        MoveScenario(link: "changed and removed") { stage in
            try touch(stage.here / "f")
            try Disk.unlink(stage.here / "f")
        },
        MoveScenario(link: "changed and renamed over") { stage in
            try touch(stage.here / "f")
            try Disk.rename(stage.here / "old", stage.here / "f")
        },
        MoveScenario(link: "renamed, changed and removed") { stage in
            try Disk.rename(stage.here / "f", stage.here / "g")
            try touch(stage.here / "g")
            try Disk.unlink(stage.here / "g")
        },
        MoveScenario(link: "renamed twice, changed and removed") { stage in
            try Disk.rename(stage.here / "f", stage.here / "g")
            try Disk.rename(stage.here / "g", stage.here / "old")
            try touch(stage.here / "old")
            try Disk.unlink(stage.here / "old")
        },
        MoveScenario(link: "changed and moved out") { stage in
            try touch(stage.here / "f")
            try Disk.rename(stage.here / "f", stage.outside / "f")
        },
        MoveScenario(link: "changed and exchanged with a file that is removed") { stage in
            try touch(stage.here / "f")
            try Disk.exchange(stage.here / "f", stage.here / "old")
            try Disk.unlink(stage.here / "old")
        },
        MoveScenario(link: "renamed to an excluded name, changed and removed, as by an NFS client") { stage in
            try Disk.rename(stage.here / "f", stage.here / ".nfs0001")
            try touch(stage.here / ".nfs0001")
            try Disk.unlink(stage.here / ".nfs0001")
        },
        MoveScenario(link: "renamed to an excluded name and changed") { stage in
            try Disk.rename(stage.here / "f", stage.here / ".nfs0002")
            try touch(stage.here / ".nfs0002")
        },
        MoveScenario(link: "changed in a directory that is moved out") { stage in
            try Disk.rename(stage.here / "f", stage.here / "d/f")
            try touch(stage.here / "d/f")
            try Disk.rename(stage.here / "d", stage.outside / "d")
        },
        MoveScenario(link: "changed in a directory that is renamed and removed") { stage in
            try Disk.rename(stage.here / "f", stage.here / "d/f")
            try touch(stage.here / "d/f")
            try Disk.rename(stage.here / "d", stage.there / "e")
            try Disk.removeTree(stage.there / "e")
        },
    ]
}
