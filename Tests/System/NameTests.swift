import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Names are bytes.
    @Suite struct NameTests {
        @Test(.timeLimit(.minutes(1))) func oddNamesAreRecordedAndForgeNothing() throws {
            let site = try Site()
            // A file whose name is a whole line of the log of another path.
            let forged = Path(Array("x\n".utf8) + site.root.bytes.map { $0 == UInt8(ascii: "/") ? 0x2D : $0 })
            let names = Churn.oddNames.map { Path($0) } + [forged]
            try site.start()
            for name in names {
                try Disk.makeDirectory(site.root / (name.bytes.count < 250 ? name + "d" : "long"))
                try Disk.write(site.root / name)
                try Disk.write(site.root / (name.bytes.count < 250 ? name + "d" : "long") / name)
            }
            try site.expectComplete(note: "(created)")
            for name in names {
                try Disk.append(site.root / name, [0x2E])
                try Disk.rename(
                    site.root / (name.bytes.count < 250 ? name + "d" : "long"),
                    site.root / (name.bytes.count < 250 ? name + "moved" : "longer"))
            }
            try site.expectComplete(note: "(changed)")
            for name in names { try Disk.unlink(site.root / name) }
            try site.expectComplete(note: "(deleted)")
            let text = try Disk.read(site.tracker.settings.log)
            #expect(!text.contains { ($0 < 0x20 && $0 != 0x0A) || $0 == 0x7F })
            site.tracker.stop()
        }

        /// Longer than PATH_MAX: made by relative calls, tracked like the rest.
        @Test(.timeLimit(.minutes(1))) func pathsLongerThanTheKernelTakes() throws {
            let site = try Site()
            try Disk.makeDirectory(site.outside / "deep")
            try site.start()
            let deepest = try makeDeepTree(below: site.root, levels: 25)
            #expect(deepest.bytes.count > Int(PATH_MAX))
            try site.expectComplete(note: "(made)")
            _ = try makeDeepTree(below: site.outside / "deep", levels: 25)
            try Disk.rename(site.outside / "deep", site.root / "moved-in")
            try site.expectComplete(note: "(moved in)")
            site.tracker.kill9()
            try Disk.rename(site.root / "moved-in", site.root / "renamed")
            try site.tracker.start()
            try site.expectComplete(note: "(renamed while down)")
            let child = try #require(
                try site.list().entries.keys.first { $0.parent == site.root && $0.name.bytes.count == 200 })
            try Disk.removeTree(child)
            try site.expectComplete(note: "(removed)")
            site.tracker.stop()
        }
    }
}
