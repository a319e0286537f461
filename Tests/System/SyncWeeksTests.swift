import Glibc
import LinuxKernel
import Testing

extension CopySystemTests {
    /// The job that the product was made for: weeks of hard links, tracked and synced as they happen.
    @Suite(
        .enabled(if: Roundcube.isAvailable, "needs the packages roundcube-core and roundcube-plugins from apt"),
        .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
    struct SyncWeeksTests {
        // Not beside other lanes: on a busy machine the tracker records some new links twice, and their content is compared.
        @Test(.thorough, .timeLimit(.minutes(15))) func nineWeeksAndTheirRotation() throws {
            let counter = try CountingServer()
            // The default lets one of eight weeks go.
            let site = try SyncSite(
                over: counter.server, roots: ["roundcube-backup"], maxDelete: Scale.pick("40%", full: "30%"))
            let docroot = site.site.scratch.path / "docroot"
            try Roundcube.unpack(into: docroot)
            try site.start()
            try site.syncFully("--allow-deletes")
            var weeks: [Path] = []
            let count = Scale.pick(3, full: 9)
            let kept = Scale.pick(2, full: 8)
            for week in 0..<count {
                if week > 0 { try Roundcube.edit(docroot, week: week) }
                let target = site.site.root / Path("2026-\(10 + week)")
                var command = ["rsync", "-aH", "--delete"]
                if let previous = weeks.last { command.append("--link-dest=\(previous)") }
                try require(command + ["\(docroot)/", "\(target)/"])
                weeks.append(target)
                try sync(site, counter, "week \(week)", mostSent: week == 0 ? 1.1 : 0.02, of: target)
                if weeks.count > kept {
                    let oldest = weeks.removeFirst()
                    try Disk.removeTree(oldest)
                    try sync(site, counter, "the oldest removed", mostSent: 0.02, of: target)
                    #expect(!Disk.exists(site.copy / "roundcube-backup" / oldest.name))
                }
            }
        }

        /// One run, and what it may cost of a tree's size.
        private func sync(
            _ site: SyncSite, _ counter: CountingServer, _ note: String, mostSent: Double, of tree: Path
        ) throws {
            let completed = try site.sync()
            #expect(completed.isSuccess, "\(note): \(completed)")
            let sent = try counter.take()
            let compared = try CopyComparison(
                site.site.base, site.copy, options: site.comparing, excluding: ["/.nfs-changes", "/outside"],
                comparesTop: false)
            #expect(compared.isEqual, "\(note): \(compared.differences)")
            let usage = Double(compared.copyUsage) / Double(compared.sourceUsage)
            #expect(usage <= 1.02, "\(note): the copy takes \(compared.copyUsage) bytes, \(usage) times the source's")
            let size = try Listing([tree]).entries.values.reduce(0) { $0 + Int($1.isDirectory ? 0 : $1.size) }
            let share = Double(sent) / Double(size)
            #expect(sent > 0)
            // Each name that is carried is about 140 bytes of rsync's lists: none of an earlier week may be among them.
            try site.site.collect()
            let stray = site.site.newRows.filter { row in
                !row.path.isAtOrBelow(tree) && row.kind != "deleted" && row.path != site.site.root
            }
            #expect(stray.isEmpty, "\(note): \(stray.count) rows of earlier weeks, \(stray.prefix(3))")
            try site.site.begin()
            #expect(share <= mostSent, "\(note): \(sent) bytes were sent for a tree of \(size)")
            print("\(note): \(sent) bytes sent of \(size) (\(share * 100) %), disk usage \(usage) times the source's")
        }
    }
}
