import Glibc
import LinuxKernel
import Testing

/// Debian's Roundcube as a document root: 2,592 files, 337 directories and 81 symlinks of real input.
enum Roundcube {
    /// Where the packages are kept between runs.
    static let cache = Path(
        Scale.environment("CHANGES_TEST_CACHE")
            ?? (Scale.environment("HOME") ?? "/tmp") + "/.cache/nfs-changes-tests")

    /// Downloads the packages where they are not there yet; false without apt or without its servers.
    static let isAvailable: Bool = {
        do {
            if try packages().count == 2 { return true }
            try require(["mkdir", "-p", cache.string])
            try require(["apt-get", "download", "roundcube-core", "roundcube-plugins"], directory: cache)
            return try packages().count == 2
        } catch {
            return false
        }
    }()

    private static func packages() throws -> [Path] {
        guard Disk.exists(cache) else { return [] }
        return try Listing([cache]).entries.keys.filter { $0.string.hasSuffix("_all.deb") }.sorted()
    }

    static func unpack(into directory: Path) throws {
        try Disk.makeDirectory(directory)
        for package in try packages() { try require(["dpkg-deb", "-x", package.string, directory.string]) }
    }

    /// A week's work on the site: a changed file, a new one, one removed, one made executable, a renamed directory.
    static func edit(_ source: Path, week: Int) throws {
        let library = source / "usr/share/roundcube"
        try Disk.append(library / "index.php", Array("// week \(week)\n".utf8))
        try Disk.write(library / Path("new-in-\(week).php"))
        if week > 1 { try Disk.unlink(library / Path("new-in-\(week - 1).php")) }
        try Disk.changeMode(library / "program/include/iniset.php", week % 2 == 0 ? 0o644 : 0o755)
        let directory = library / "program/localization"
        try Disk.rename(
            directory / Path(week == 1 ? "de_DE" : "de_\(week - 1)"), directory / Path("de_\(week)"))
    }
}

extension TimedSystemTests {
    /// The job that the product was made for.
    @Suite struct RoundcubeTests {
        @Test(
            .timeLimit(.minutes(5)),
            .enabled(if: Roundcube.isAvailable, "needs the packages roundcube-core and roundcube-plugins from apt"))
        func nineWeeks() throws {
            let site = try Site(roots: ["roundcube-backup"])
            let source = site.scratch.path / "docroot"
            try Roundcube.unpack(into: source)
            try site.start()
            var weeks: [Path] = []
            for week in 0..<Scale.pick(3, full: 9) {
                if week > 0 { try Roundcube.edit(source, week: week) }
                let target = site.root / Path("2026-\(10 + week)")
                var command = ["rsync", "-aH", "--delete"]
                if let previous = weeks.last { command.append("--link-dest=\(previous.string)") }
                try require(command + [source.string + "/", target.string + "/"])
                let exit = Timestamp.now
                try expectWeek(site, target, earlier: weeks, exit: exit)
                weeks.append(target)
            }
            let oldest = weeks.removeFirst()
            try require(["rm", "-rf", oldest.string])
            let removed = try site.expectComplete(note: "(the oldest week removed)")
            #expect(removed.filter { $0.isAtOrBelow(oldest) }.count > 3_000)
            site.tracker.stop()
        }

        /// One week: complete, in time, a line at least for each of its own paths and none for the weeks before it.
        private func expectWeek(_ site: Site, _ target: Path, earlier: [Path], exit: Timestamp) throws {
            let first = site.log.lines.count - site.newLines.count
            let listing = try Listing([target]).entries
            let own = listing.keys
            let isLogged = try wait(atMost: 10, every: 5) {
                try site.log.refresh()
                let lines = Set(site.newLines)
                return own.allSatisfy { lines.contains($0) }
            }
            let delay = Double(try site.lastAppend().nanoseconds - exit.nanoseconds) / 1e9
            #expect(isLogged, "\(target): \(site.diagnosis)")
            #expect(delay <= 1, "\(target): the last line came \(delay) s after rsync's exit")
            let changed = try site.expectComplete(note: "(\(target.name))")
            #expect(own.allSatisfy { changed.contains($0) })
            let stray = site.log.lines[first...].filter { line in earlier.contains { line.isAtOrBelow($0) } }
            #expect(stray.isEmpty, "lines for earlier weeks: \(stray.prefix(5)) of \(stray.count)")
            // Usually one each. On a busy machine rsync may set a directory's times, which is a change of its own, too late
            // for the line to wait, and a name that a listing saw before its event was read may be recorded again: of an
            // inode with other names nothing tells that it is the same link.
            let counts = site.log.lines[first...].reduce(into: [:]) { $0[$1, default: 0] += 1 }
            let repeated = counts.filter { $0.value > 2 && listing[$0.key]?.isDirectory == false }.map(\.key)
            #expect(repeated.isEmpty || earlier.isEmpty, "several lines: \(repeated.prefix(5)) of \(repeated.count)")
        }
    }
}
