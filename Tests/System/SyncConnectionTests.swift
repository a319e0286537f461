import Glibc
import Testing

extension CopySystemTests {
    /// The connection that `changes sync --watch` keeps.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
    struct SyncConnectionTests {
        private let server: SSHServer
        private let site: SyncSite

        init() throws {
            server = try SSHServer()
            site = try SyncSite(over: server)
            try Disk.makeDirectory(site.site.root / "tree")
            for name in ["file", "gone", "tree/a", "tree/b"] {
                try Disk.write(site.site.root / Path(name), Array("0".utf8))
            }
            try site.start()
            try site.syncFully("--allow-deletes")
        }

        private var logins: Int {
            get throws {
                let log = String(decoding: try Disk.read(server.server.log), as: UTF8.self)
                // sshd ends its lines with both, which is one character.
                return log.split(whereSeparator: \.isNewline).count { $0.contains("Accepted publickey") }
            }
        }

        /// Writes, and waits until that has arrived.
        private func expectArrival(of text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try Disk.write(site.site.root / "file", Array(text.utf8))
            let copy = site.copy / "a-backup/file"
            let hasArrived = try wait(atMost: 20, every: 10) { try Disk.read(copy) == Array(text.utf8) }
            #expect(hasArrived, "\(text): \(site.errors)", sourceLocation: sourceLocation)
        }

        @Test(.timeLimit(.minutes(2)))
        func `one login serves many runs, and is made anew when it is lost`() throws {
            let before = try logins
            let worker = try site.launch("--watch")
            for text in ["one", "two", "three"] { try expectArrival(of: text) }
            #expect(try logins == before + 1, "\(site.errors)\n\(server.diagnosis)")

            #expect(try server.server.killSessions() > 0)
            try expectArrival(of: "four")
            try expectArrival(of: "five")
            // A run that begins before this host hears of the loss makes one that is not kept.
            #expect((before + 2...before + 3).contains(try logins), "\(site.errors)\n\(server.diagnosis)")
            let isEqual = try wait(atMost: 20, every: 20) { try site.differences().isEmpty }
            #expect(isEqual, "\(site.errors)")
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 10) == .exited(0))
        }

        /// Each kind of change is another kind of run: one that writes the marker as well, one of several receivers, one that
        /// deletes, one that makes a renamed directory.
        private enum Change: CaseIterable {
            case file, deletion, both, rename, link

            func make(in root: Path) throws {
                if self == .file || self == .both { try Disk.write(root / "file", Array("two".utf8)) }
                if self == .deletion || self == .both { try Disk.unlink(root / "gone") }
                if self == .rename { try Disk.rename(root / "tree", root / "moved") }
                if self == .link { try Disk.link(root / "file", root / "second") }
            }

            func unmake(in root: Path) throws {
                if self == .deletion || self == .both { try Disk.write(root / "gone", Array("0".utf8)) }
                if self == .rename { try Disk.rename(root / "moved", root / "tree") }
                if self == .link { try Disk.unlink(root / "second") }
            }
        }

        private var marker: Path { site.copy / ".nfs-changes/marker" }

        /// Has the marker say something else in one of its lines.
        ///
        /// - Returns: what it said.
        private func change(_ word: String, to value: String) throws -> [UInt8] {
            let old = try Disk.read(marker)
            let lines = String(decoding: old, as: UTF8.self).split(separator: "\n").map { line in
                line.hasPrefix("\(word) ") ? "\(word) \(value)" : String(line)
            }
            try Disk.write(marker, Array((lines.joined(separator: "\n") + "\n").utf8))
            return old
        }

        /// Starts a worker, has it keep a connection, and waits until it rests.
        private func launchWatching(_ text: String) throws -> ChildProcess {
            let worker = try site.launch("--watch")
            try expectArrival(of: text)
            let rests = wait(atMost: 20, every: 10) { site.errors.contains("up to date") }
            #expect(rests, "\(site.errors)")
            return worker
        }

        @Test(.timeLimit(.minutes(2)))
        func `nothing is written to another host's copy, though the connection stands`() throws {
            let copy = site.copy / "a-backup"
            let owners = [
                ("machine", "0123456789abcdef0123456789abcdef"), ("store", "another"), ("destination", "other"),
            ]
            for (number, change) in Change.allCases.enumerated() {
                let worker = try launchWatching("before \(number)")
                let (word, value) = owners[number % owners.count]
                let old = try self.change(word, to: value)
                let changed = try Disk.read(marker)
                try change.make(in: site.site.root)
                let end = worker.waitForExit(atMost: 20)
                #expect(end == .exited(78), "\(change): \(site.errors)")
                #expect(try Disk.read(marker) == changed, "\(change)")
                #expect(try Disk.read(copy / "file") == Array("before \(number)".utf8), "\(change)")
                #expect(Disk.exists(copy / "gone") && Disk.exists(copy / "tree/a"), "\(change)")
                #expect(!Disk.exists(copy / "moved") && !Disk.exists(copy / "second"), "\(change)")
                try Disk.write(marker, old)
                try change.unmake(in: site.site.root)
            }
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
        }

        @Test(.timeLimit(.minutes(2)))
        func `an older copy that takes this one's place has everything looked at, though the connection stands`() throws
        {
            let worker = try launchWatching("one")
            try Disk.write(site.copy / "a-backup/tree/a", Array("older".utf8))
            _ = try change("cursor", to: "1")
            try expectArrival(of: "two")
            let isEqual = try wait(atMost: 20, every: 20) { try site.differences().isEmpty }
            #expect(isEqual, "\(site.errors)")
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 10) == .exited(0))
        }

        @Test(.timeLimit(.minutes(2)))
        func `a worker that is killed leaves no connection`() throws {
            let worker = try site.launch("--watch")
            try expectArrival(of: "one")
            worker.signal(SIGKILL)
            _ = worker.waitForExit(atMost: 10)
            let isGone = try wait(atMost: 60, every: 100) { try server.server.sessions().isEmpty }
            #expect(isGone)
        }
    }
}
