import Glibc
import Testing

extension CopySystemTests {
    /// The host is gone. A new one has the program, the configuration and the key.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct WorstDayTests {
        private func fill(_ site: SyncSite) throws {
            let week = site.site.root / "2026-47"
            try Disk.makeDirectory(week)
            for index in 0..<20 { try Disk.write(week / Path("file \(index)"), Array("\(index)".utf8)) }
            try Disk.write(week / "large", (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 5) })
            try Disk.symlink("large", at: week / "latest")
            try require(["rsync", "-aH", "--link-dest=\(week)", "\(week)/", "\(site.site.root / "2026-48")/"])
        }

        private static func fingerprint(of server: SSHServer) throws -> String {
            let key = try run(["ssh-keygen", "-lf", "\(server.scratch.path)/host_key.pub"])
            return String(decoding: key.output.split(separator: 0x20)[1], as: UTF8.self)
        }

        /// `changes` with the site's configuration and state directory.
        private func changes(_ site: SyncSite, _ words: String...) throws -> Completed {
            let place = ["--config", site.configuration.string, "--state", site.site.tracker.settings.state.string]
            return try run([Tracker.binary] + words + place, atMost: 60)
        }

        @Test(.timeLimit(.minutes(2))) func `a bare host gets everything back and goes on with the copy`() throws {
            let server = try SSHServer()
            let old = try SyncSite(over: server, trustsHost: false, roots: ["a-backup", "b-backup"])
            try fill(old)
            try Disk.write(old.site.roots[1] / "other")
            let fingerprint = try Self.fingerprint(of: server)
            try old.start("--host-key", fingerprint)
            try old.syncFully("--allow-deletes")
            try Disk.makeDirectory(old.copy / "@eaDir")
            try Disk.makeDirectory(old.copy / ".nfs-changes-partial")
            let marker = String(decoding: try Disk.read(old.copy / ".nfs-changes/marker"), as: UTF8.self)
            let lines = marker.split(separator: "\n").map { $0.hasPrefix("machine") ? "machine 0123" : $0 }
            try Disk.write(old.copy / ".nfs-changes/marker", Array((lines.joined(separator: "\n") + "\n").utf8))

            // Nothing but the configuration and the key.
            let new = try SyncSite(over: server, trustsHost: false, roots: ["a-backup", "b-backup"])
            try Disk.removeTree(new.site.base)
            try Disk.removeTree(new.site.tracker.settings.state)
            let listed = try changes(new, "ls", SyncSite.name)
            #expect(String(decoding: listed.output, as: UTF8.self).contains("a-backup/"), "\(listed)")
            #expect(listed.errors.contains(fingerprint) && listed.errors.contains("--host-key \(fingerprint)"))
            #expect(!Disk.exists(new.site.tracker.settings.state), "only a key that is confirmed is noted")
            let wrong = try changes(
                new, "restore", SyncSite.name, "--all", "--to", new.site.base.string, "--host-key", "SHA256:no")
            #expect(wrong.status == .exited(78) && wrong.errors.contains(fingerprint), "\(wrong)")
            #expect(!Disk.exists(new.site.base))
            let restored = try changes(
                new, "restore", SyncSite.name, "--all", "--to", new.site.base.string, "--host-key", fingerprint)
            #expect(restored.isSuccess, "\(restored)")
            let compared = try CopyComparison(
                old.site.base, new.site.base, options: SyncSite.dropping, excluding: ["/outside"], comparesTop: false)
            #expect(compared.isEqual, "\(compared.differences)")
            #expect(try Disk.names(of: new.site.base).sorted() == ["a-backup", "b-backup"])
            let week = new.site.root
            #expect(try Disk.status(week / "2026-47/large").st_ino == Disk.status(week / "2026-48/large").st_ino)

            // And the copy goes on.
            try Disk.makeDirectory(new.site.outside)
            try new.start("--adopt")
            let first = try new.sync("--allow-deletes")
            #expect(first.isSuccess, "\(first)")
            let sent = try #require(first.bytesSent)
            #expect(sent < 20_000, "\(sent) bytes were sent of what is there: \(first.errors)")
            try Disk.write(week / "new")
            try new.syncFully()
            #expect(Disk.exists(new.copy / "a-backup/new"))
            #expect(try Disk.read(new.copy / "a-backup/2026-48/large") == Disk.read(week / "2026-48/large"))
        }

        @Test(.timeLimit(.minutes(2))) func `a restore that was cut off goes on by the same command`() throws {
            let bin = try Scratch()
            // The sender is slow at first.
            let slow = bin.path / "rsync"
            try Disk.write(
                slow,
                Array("#!/bin/sh\none=$1; shift; exec /usr/bin/rsync \"$one\" --bwlimit=2m \"$@\"\n".utf8))
            try Disk.changeMode(slow, 0o755)
            try Disk.changeMode(bin.path, 0o755)
            let server = try SSHServer(searchPath: bin.path)
            let site = try SyncSite(over: server)
            try fill(site)
            try Disk.write(
                site.site.root / "2026-48/zz", (0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) })
            try site.start()
            try site.syncFully("--allow-deletes")
            let place = site.site.scratch.path / "deep/er/restored"
            let worker = try ChildProcess(
                [
                    Tracker.binary, "restore", SyncSite.name, "--all", "--to", place.string, "--config",
                    site.configuration.string, "--state", site.site.tracker.settings.state.string,
                ], output: (bin.path / "out", bin.path / "err"))
            let temporary = place / ".nfs-changes-restore/tmp"
            let isUnderWay = wait(atMost: 20, every: 10) {
                ((try? Disk.names(of: temporary)) ?? []).contains {
                    ((try? Disk.status(temporary / $0).st_size) ?? 0) > 2 << 20
                }
            }
            #expect(isUnderWay)
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 5) == .exited(128 + SIGTERM))
            let said = String(decoding: try Disk.read(bin.path / "err"), as: UTF8.self)
            #expect(said.contains("the same command continues"), "\(said)")
            let part = place / "a-backup/2026-48/.nfs-changes-partial/zz"
            #expect(wait(atMost: 5) { Disk.exists(part) })
            let other = try site.restore("a-backup/2026-47", to: place)
            #expect(!other.isSuccess && other.errors.contains("not empty"), "\(other)")

            try Disk.unlink(slow)
            // What a SIGKILL leaves where a file was begun.
            let empty = place / "a-backup/.nfs-changes-partial"
            try Disk.makeDirectory(empty)
            let again = try site.restore(".", to: place)
            #expect(again.isSuccess && again.errors.contains("continuing the restore"), "\(again)")
            let compared = try CopyComparison(
                site.site.base, place, options: SyncSite.dropping, excluding: ["/outside"], comparesTop: false)
            #expect(compared.isEqual, "\(compared.differences)")
            #expect(try Disk.names(of: place) == ["a-backup"])
            #expect(!Disk.exists(part.parent) && !Disk.exists(empty))
        }

        @Test(.timeLimit(.minutes(1))) func `a snapshot is read by its path, and what is not there leaves nothing`()
            throws
        {
            let server = try SSHServer()
            let site = try SyncSite(over: server)
            try fill(site)
            try site.start()
            try site.syncFully("--allow-deletes")
            let snapshots = server.target / "#snapshot"
            try server.receiver.makeDirectory(snapshots)
            let snapshot = snapshots / "GMT+01-2026.11.25 00.00.01"
            try require(["cp", "-a", site.copy.string, snapshot.string])
            try Disk.removeTree(snapshot / ".nfs-changes")
            site.site.tracker.stop()
            try Disk.removeTree(site.copy / "a-backup/2026-47")
            try Disk.makeDirectory(site.copy / "a-backup/@eaDir")
            try Disk.write(site.copy / "a-backup/@eaDir/SYNO@")

            let listed = try changes(site, "ls", SyncSite.name, "--from", snapshot.string, "--json", "a-backup/2026-47")
            let names = String(decoding: listed.output, as: UTF8.self).split(separator: "\n")
            #expect(listed.isSuccess && names.count == 22, "\(listed)")
            let line = try #require(JSONValue(Array(names[0].utf8)))
            #expect(line["path"] == .string("a-backup/2026-47/file 0") && line["type"] == .string("file"))
            let place = site.site.scratch.path / "restored"
            let restored = try site.restore("a-backup/2026-47", to: place, "--from", snapshot.string)
            #expect(restored.isSuccess, "\(restored)")
            #expect(try Disk.read(place / "2026-47/file 3") == Array("3".utf8))

            let none = site.site.scratch.path / "none/deeper"
            for (path, more) in [
                ("a-backup/2026-47", []), ("a-backup/@eaDir", []), (".nfs-changes", []), (".", ["--from", "/nowhere"]),
            ] as [(Path, [String])] {
                let failed = try changes(
                    site, "restore", SyncSite.name, path.string, "--to", none.string, more.first ?? "--overwrite",
                    more.last ?? "--overwrite")
                #expect(failed.status == .exited(1), "\(path): \(failed)")
                #expect(!Disk.exists(none.parent), "\(path)")
            }
            let missing = try changes(site, "ls", SyncSite.name, "a-backup/2026-47")
            #expect(missing.status == .exited(1) && missing.errors.contains("a-backup/2026-47 is not in"), "\(missing)")
            try Disk.changeMode(site.copy / "a-backup/2026-48/file 7", 0o6755)
            let all = try site.restore(site.site.base, to: place / "all")
            #expect(all.isSuccess, "\(all)")
            #expect(try Disk.status(place / "all/a-backup/2026-48/file 7").st_mode & 0o7777 == 0o755)
            #expect(try Disk.names(of: place / "all/a-backup") == ["2026-48"])
        }
    }
}
