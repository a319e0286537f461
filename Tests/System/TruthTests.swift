import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Between an event and the look that it causes, the path may have come to mean something else.
    @Suite struct TruthTests {
        /// An ancestor replaced by a symlink to a directory that has the same names: nothing of it may be read.
        @Test(.timeLimit(.minutes(1))) func neverThroughASymlink() throws {
            let site = try Site()
            let directory = site.root / "conf"
            try Disk.makeDirectory(directory)
            for name in ["passwd", "hostname", "absent-there"] { try Disk.write(directory / Path(name)) }
            try site.start()
            try site.tracker.freeze()
            for name in ["passwd", "hostname", "absent-there"] { try Disk.append(directory / Path(name), [0x2E]) }
            try Disk.rename(directory, site.root / "aside")
            try Disk.symlink("/etc", at: directory)
            site.tracker.thaw()
            try site.expectComplete()
            let size = Int64(try Disk.status("/etc/passwd").st_size)
            #expect(!site.history.rows.contains { $0.size == size && $0.path.name == "passwd" })
            #expect(!site.history.rows.contains { $0.path.isAtOrBelow("/etc") })
            site.tracker.stop()
        }

        /// An ancestor renamed, exchanged or replaced while events below it wait: names that exist stay.
        @Test(.timeLimit(.minutes(1))) func noDeletionOfWhatExists() throws {
            let site = try Site()
            for name in ["one", "two"] {
                try Disk.makeDirectory(site.root / Path(name))
                for number in 0..<50 { try Disk.write(site.root / Path("\(name)/\(name)-\(number)")) }
            }
            try site.start()
            for round in 0..<6 {
                try site.tracker.freeze()
                let (one, two) = (site.root / "one", site.root / "two")
                for number in 0..<50 {
                    for directory in [one, two] {
                        for file in [Path("one-\(number)"), Path("two-\(number)")]
                        where Disk.exists(directory / file) {
                            try Disk.append(directory / file, [0x2E])
                        }
                    }
                }
                if round % 2 == 0 {
                    try Disk.exchange(one, two)
                } else {
                    try Disk.rename(one, site.root / "t")
                    try Disk.rename(two, one)
                    try Disk.rename(site.root / "t", two)
                }
                site.tracker.thaw()
                try site.expectComplete(note: "(round \(round))")
            }
            site.tracker.stop()
        }

        /// A file system below a root unmounted between event and look: its files are out of sight, not deleted.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func unmountedBetweenEventAndLook() throws {
            let site = try Site()
            let place = site.root / "mounted"
            try Disk.makeDirectory(place)
            try Disk.write(place / "covered")
            let mounted = try FileSystemKind.ext3.mounted(at: place, image: site.scratch.path / "image")
            for number in 0..<20 { try Disk.write(place / Path("f\(number)")) }
            try site.start()
            try site.tracker.freeze()
            for number in 0..<20 { try Disk.append(place / Path("f\(number)"), [0x2E]) }
            try mounted.unmount(lazily: true)
            try Disk.write(site.root / "after")
            site.tracker.thaw()
            let isSeen = try wait(atMost: 10) {
                try site.collect()
                return site.newLines.contains(site.root / "after")
            }
            #expect(isSeen, "\(site.diagnosis)")
            let untrue = site.newRows.filter { $0.kind == "deleted" }.map(\.path)
            #expect(untrue.isEmpty, "\(untrue.prefix(5)) \(site.diagnosis)")
            site.tracker.stop()
        }
    }
}
