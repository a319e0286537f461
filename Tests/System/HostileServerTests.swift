import Glibc
import Testing

extension CopySystemTests {
    /// Nothing that a destination says, or whoever owns a local one, makes this host write elsewhere.
    @Suite(.enabled(if: Privilege.canMount, "\(Privilege.needsMount)")) struct HostileServerTests {
        /// An rsync that a server has taken over: it writes where it likes, reads what it likes, and does its work.
        private func hostile(_ bin: Path, victim: Path, secret: Path) throws {
            let text = """
                #!/bin/sh
                case "$*" in --version|-V) exec /usr/bin/rsync "$@";; esac
                echo broken into >"\(victim)/written" 2>/dev/null
                ln -s "\(victim)" ./link 2>/dev/null
                for last; do :; done
                cat "\(secret)" >"$last/stolen" 2>/dev/null
                exec /usr/bin/rsync "$@"

                """
            try Disk.write(bin / "rsync", Array(text.utf8))
            try Disk.changeMode(bin / "rsync", 0o755)
        }

        @Test(
            .timeLimit(.minutes(2)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"),
            arguments: Scale.pick([.ssh], full: [CopyWay.ssh, .daemon, .local]))
        func `restore, ls, listings and the marker are read in a sandbox`(_ way: CopyWay) throws {
            let place = try way.makeSite()
            let site = place.site
            try Disk.write(site.site.root / "file", Array("content".utf8))
            try site.start()
            try site.syncFully("--allow-deletes")
            let bin = try Scratch()
            let victim = site.site.scratch.path / "victim"
            try Disk.makeDirectory(victim)
            let secret = victim / "secret"
            try Disk.write(secret, Array("secret".utf8))
            try hostile(bin.path, victim: victim, secret: secret)
            let path = "\(bin.path):/usr/local/bin:/usr/bin:/bin"
            let restored = site.site.scratch.path / "restored"
            let state = site.site.tracker.settings.state
            for words in [
                ["restore", SyncSite.name, "--all", "--to", restored.string], ["ls", SyncSite.name],
                ["sync", SyncSite.name, "--full"], ["verify", SyncSite.name], ["sync", "init", SyncSite.name],
            ] {
                let done = try run(
                    [Tracker.binary] + words + ["--config", site.configuration.string, "--state", state.string],
                    environment: ["PATH": path], atMost: 60)
                #expect(done.isSuccess, "\(words): \(done)")
                #expect(try Disk.names(of: victim) == ["secret"], "\(words) let it write elsewhere")
            }
            #expect(try Disk.read(restored / "a-backup/file") == Array("content".utf8))
            let found = try run([
                "grep", "-rl", "secret", restored.string, (state / "offsite").string, site.copy.string,
            ])
            #expect(found.status == .exited(1), "\(String(decoding: found.output, as: UTF8.self))")
        }

        @Test(.timeLimit(.minutes(1))) func `a local target that is reached through a symlink is refused`() throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "file")
            let victim = site.site.scratch.path / "victim"
            try Disk.makeDirectory(victim)
            try site.start()
            try site.syncFully("--allow-deletes")
            try Disk.rename(site.copy, site.site.scratch.path / "moved")
            try Disk.symlink(victim, at: site.copy)
            let refused = try site.sync()
            #expect(refused.status == .exited(78) && refused.errors.contains("through a symlink"), "\(refused)")
            #expect(try site.sync("init", "--adopt").status == .exited(78))
            #expect(try Disk.names(of: victim).isEmpty)
        }

        /// The target's owner is another user, who waits for root to come by.
        @Test(.timeLimit(.minutes(1)), arguments: [".nfs-changes", "marker", "marker.new", "lock"])
        func `nothing is written through a symlink in a local target`(_ name: String) throws {
            let site = try SyncSite()
            try Disk.write(site.site.root / "file")
            let victim = site.site.scratch.path / "victim"
            try Disk.makeDirectory(victim)
            try Disk.write(victim / "precious", Array("mine".utf8))
            try site.start()
            try site.syncFully("--allow-deletes")
            let own = site.copy / ".nfs-changes"
            if name == ".nfs-changes" {
                try Disk.rename(own, victim / "own")
                try Disk.symlink(victim / "own", at: own)
            } else {
                try Disk.unlink(own / Path(name), ifThere: true)
                try Disk.symlink(victim / "precious", at: own / Path(name))
            }
            let before = try Listing([victim]).entries
            try Disk.write(site.site.root / "later")
            let done = try site.sync()
            #expect(name == "marker.new" ? done.isSuccess : !done.isSuccess, "\(done)")
            #expect(try Disk.read(victim / "precious") == Array("mine".utf8))
            #expect(try Listing([victim]).entries.keys.sorted() == before.keys.sorted())
        }
    }
}
