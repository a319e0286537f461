import Glibc
import Testing

extension CopySystemTests {
    /// `changes restore`: the drill of the README, and what may not happen in it.
    @Suite struct RestoreTests {
        private static let noServer = SSHServer.obstacle

        /// Two weeks of a small backup, the second made of hard links to the first.
        private func fill(_ site: SyncSite) throws {
            let week = site.site.root / "2026-10"
            try Disk.makeDirectory(week)
            try Disk.makeDirectory(week / "sub", mode: 0o750)
            for name in ["dump.sql", "sub/file", "sub/mode"] { try Disk.write(week / Path(name), Array(name.utf8)) }
            try Disk.changeMode(week / "sub/mode", 0o640)
            try Disk.symlink("dump.sql", at: week / "latest")
            try Disk.link(week / "dump.sql", week / "sub/hard")
            if Privilege.isRoot { try Disk.changeOwner(week / "sub/file", 1234, 2345) }
            let second = site.site.root / "2026-11"
            try require(["rsync", "-aH", "--link-dest=\(week)", "\(week)/", "\(second)/"])
        }

        private func expectRestored(
            _ site: SyncSite, _ path: Path, _ options: [String], sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let place = site.site.scratch.path / "restored"
            if Disk.exists(place) { try Disk.removeTree(place) }
            let restored = try site.restore(site.site.root / path, to: place)
            #expect(restored.isSuccess, "\(restored)", sourceLocation: sourceLocation)
            #expect(try Disk.names(of: place) == [path.name], sourceLocation: sourceLocation)
            let source = site.site.root / path
            guard try Disk.status(source).isDirectory else {
                #expect(try Disk.read(place / path.name) == Disk.read(source), sourceLocation: sourceLocation)
                return
            }
            let compared = try CopyComparison(source, place / path.name, options: options, excluding: [])
            #expect(compared.isEqual, "\(path): \(compared.differences)", sourceLocation: sourceLocation)
        }

        @Test(
            .timeLimit(.minutes(3)), .enabled(if: noServer == nil, "\(noServer ?? "")"),
            arguments: Scale.isThorough ? [false, true] : [false])
        func aWeekOverSSH(_ isRestricted: Bool) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, isRestricted: isRestricted)
            try fill(site)
            try site.start()
            try site.syncFully("--allow-deletes")
            try expectRestored(site, "2026-11", SyncSite.dropping)
            try expectRestored(site, "2026-11/sub/file", SyncSite.dropping)
            // As a path relative to the source as well.
            let place = site.site.scratch.path / "again"
            #expect(try site.restore("a-backup/2026-11/sub", to: place).isSuccess)
            #expect(Disk.exists(place / "sub/file"))
        }

        @Test(
            .thorough, .timeLimit(.minutes(3)),
            .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"))
        func aWeekFromADaemon() throws {
            let daemon = try RsyncDaemon()
            let site = try SyncSite(over: daemon)
            try fill(site)
            try site.start()
            try site.syncFully("--allow-deletes")
            try expectRestored(site, "2026-11", SyncSite.dropping)
        }

        @Test(.timeLimit(.minutes(2)), .enabled(if: Privilege.isRoot, "only root can keep owners"))
        func ownersAndModesComeBack() throws {
            let site = try SyncSite(more: #"ownership = "keep""#)
            try fill(site)
            try require(["mknod", (site.site.root / "2026-10/node").string, "c", "1", "3"])
            try site.start()
            try site.syncFully("--allow-deletes")
            try expectRestored(site, "2026-10", ["--numeric-ids"])
            let place = site.site.scratch.path / "restored/2026-10"
            #expect(try Disk.status(place / "sub/file").st_uid == 1234)
            #expect(try Disk.status(place / "node").st_rdev == 0x103)
        }

        @Test(
            .thorough, .timeLimit(.minutes(3)), .enabled(if: Privilege.isRoot, "only root can give files away"),
            .enabled(if: noServer == nil, "\(noServer ?? "")"), arguments: [false, true])
        func ownersComeBackFromAttributes(_ isLocal: Bool) throws {
            let more = #"ownership = "fake-super""#
            let server = isLocal ? nil : try SSHServer()
            let site = try server.map { try SyncSite(over: $0, more: more) } ?? SyncSite(more: more)
            try fill(site)
            try require(["mknod", (site.site.root / "2026-10/node").string, "c", "1", "3"])
            try site.start()
            try site.syncFully("--allow-deletes")
            #expect(try Disk.status(site.copy / "a-backup/2026-10/sub/file").st_uid != 1234)
            try expectRestored(site, "2026-10", ["--numeric-ids"])
            let place = site.site.scratch.path / "restored/2026-10"
            #expect(try Disk.status(place / "sub/file").st_uid == 1234)
            #expect(try Disk.status(place / "node").st_rdev == 0x103)
            let verified = try site.verify("--checksum")
            #expect(verified.isSuccess, "\(verified)")
        }

        @Test(.timeLimit(.minutes(2))) func nothingIsOverwrittenUnasked() throws {
            let site = try SyncSite()
            try fill(site)
            try site.start()
            try site.syncFully("--allow-deletes")
            let place = site.site.scratch.path / "place"
            try Disk.makeDirectory(place)
            try Disk.write(place / "precious", Array("mine".utf8))
            let week = site.site.root / "2026-10"
            let refused = try site.restore(week, to: place)
            #expect(!refused.isSuccess && refused.errors.contains("not empty"), "\(refused)")
            #expect(try Disk.names(of: place) == ["precious"])
            let allowed = try site.restore(week, to: place, "--overwrite")
            #expect(allowed.isSuccess, "\(allowed)")
            #expect(Disk.exists(place / "2026-10/sub/hard"))
            #expect(try Disk.read(place / "precious") == Array("mine".utf8))

            for path: Path in ["/etc/passwd", "../outside", "a-backup/../../x", "a-backup/nothing"] {
                let target = site.site.scratch.path / "none"
                let failed = try site.restore(path, to: target)
                #expect(!failed.isSuccess, "\(path): \(failed)")
                #expect(try !Disk.exists(target) || Disk.names(of: target).isEmpty, "\(path)")
            }
        }

        /// A name is that name, and no pattern, option, command or host.
        @Test(
            .thorough, .timeLimit(.minutes(4)), .enabled(if: noServer == nil, "\(noServer ?? "")"),
            arguments: Scale.pick([.ssh], full: CopyWay.allCases))
        func oddNames(_ way: CopyWay) throws {
            let place = try way.makeSite()
            let site = place.site
            let names = Scale.pick(HostileNames.short, full: HostileNames.all)
            for name in HostileNames.all {
                try Disk.makeDirectory(site.site.root / name)
                try Disk.write(site.site.root / name / name, name.bytes)
            }
            for name: Path in ["[x]ab", "xab", "ab"] { try Disk.write(site.site.root / name, name.bytes) }
            try site.start()
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
            let restored = site.site.scratch.path / "restored"
            for name in names {
                for path in [name, name / name] {
                    if Disk.exists(restored) { try Disk.removeTree(restored) }
                    let completed = try site.restore(site.site.root / path, to: restored)
                    #expect(completed.isSuccess, "\(path): \(completed)")
                    #expect(try Disk.names(of: restored) == [name])
                    let file = path == name ? restored / name / name : restored / name
                    #expect(try Disk.read(file) == name.bytes)
                }
            }
        }
    }
}

/// Where a copy can be.
enum CopyWay: CaseIterable, Sendable {
    case local, ssh, restricted, daemon

    struct Place {
        let site: SyncSite
        let server: AnyObject?
    }

    func makeSite(roots: [String] = ["a-backup"]) throws -> Place {
        switch self {
        case .local: return Place(site: try SyncSite(roots: roots), server: nil)
        case .ssh, .restricted:
            let server = try SSHServer()
            return Place(
                site: try SyncSite(over: server, isRestricted: self == .restricted, roots: roots), server: server)
        case .daemon:
            let daemon = try RsyncDaemon()
            return Place(site: try SyncSite(over: daemon, roots: roots), server: daemon)
        }
    }
}
