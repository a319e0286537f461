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
    }
}
