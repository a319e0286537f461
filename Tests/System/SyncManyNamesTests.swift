import Glibc
import Testing

extension CopySystemTests {
    /// So many names that rsync gets them as arguments.
    @Suite(.enabled(if: Programs.obstacle("rsync") == nil, "needs rsync")) struct SyncManyNamesTests {
        @Test(.timeLimit(.minutes(2)))
        func `many names arrive, those that look like options, patterns and hosts among them`() throws {
            let site = try SyncSite()
            let root = site.site.root
            for number in 0..<40 {
                let directory = root / Path("d\(number)")
                try Disk.makeDirectory(directory)
                for name in HostileNames.short { try Disk.write(directory / name, Array("\(number)".utf8)) }
            }
            for name in HostileNames.all { try Disk.write(root / name, name.bytes) }
            try site.start()
            try site.syncFully("--allow-deletes")
            try site.expectEqual()

            // The same in place of what is there.
            for number in 0..<40 {
                for name in HostileNames.short {
                    try Disk.write(root / Path("d\(number)") / name, Array("\(number) again".utf8))
                }
            }
            try site.syncFully()
            try site.expectEqual(note: "after a change of all of them")
        }

        @Test(.thorough, .timeLimit(.minutes(3)))
        func `64,000 names of one inode are copied in a time that grows with their number, and stop at once`() throws {
            let site = try SyncSite()
            let root = site.site.root
            try Disk.write(root / "name", Array(repeating: 1, count: 100_000))
            for number in 0..<64 {
                let directory = root / Path("d\(number)")
                try Disk.makeDirectory(directory)
                for name in 0..<1_000 { try Disk.link(root / "name", directory / Path("n\(name)")) }
            }
            try site.start()
            // In the first, when everything is planned, and in the middle of what follows.
            for pause in [0.5, 2, 5] {
                let worker = try site.launch()
                _ = worker.waitForExit(atMost: pause)
                worker.signal(SIGTERM)
                #expect(worker.waitForExit(atMost: 5) != nil, "SIGTERM after \(pause) s: \(site.errors)")
            }
            try site.syncFully("--allow-deletes")
            #expect(try Disk.status(site.copy / "a-backup/name").st_nlink == 64_001)
        }
    }
}
