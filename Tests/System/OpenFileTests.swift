import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Whoever has a file open goes on writing to it whatever becomes of the name it was opened by. The kernel's events
    /// tell of it by that name.
    @Suite struct OpenFileTests {
        /// Writes to `file` after `change`, each seen by the tracker, and expects that `other`, a name of the same file,
        /// is told of.
        private func expectTold(
            of other: String, _ flags: Int32 = O_WRONLY, opening file: String, _ change: (Site, Int32) throws -> Void
        ) throws {
            let site = try Site()
            try Disk.write(site.root / "file")
            try Disk.link(site.root / "file", site.root / "link")
            try site.start()
            try Disk.withOpen(site.root / Path(file), flags) { descriptor in
                try change(site, descriptor)
                try site.expectComplete(note: "(before the write)")
                try Disk.put(Array("late".utf8), to: descriptor, site.root / Path(file))
                let changed = try site.expectComplete(note: "(written)")
                #expect(changed.contains(site.root / Path(other)))
            }
            site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func itsNameWasRemoved() throws {
            try expectTold(of: "link", opening: "file") { site, _ in try Disk.unlink(site.root / "file") }
        }

        @Test(.timeLimit(.minutes(1))) func anotherFileTookItsName() throws {
            try expectTold(of: "link", opening: "file") { site, _ in
                try Disk.write(site.root / "other", Array("other".utf8))
                try Disk.rename(site.root / "other", site.root / "file")
            }
        }

        @Test(.timeLimit(.minutes(1))) func itGotItsNameLater() throws {
            try expectTold(of: "named", O_WRONLY | O_DIRECTORY | 0o20000000, opening: ".") { site, descriptor in
                let source = Path("/proc/self/fd/\(descriptor)")
                try Disk.check("linkat", site.root / "named") { name in
                    source.withCString { linkat(AT_FDCWD, $0, AT_FDCWD, name, AT_SYMLINK_FOLLOW) }
                }
            }
        }
    }
}
