import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// What dead man's switches and the administrator's commands learn of runs.
    @Suite(.enabled(if: RecordingServer.obstacle == nil, "\(RecordingServer.obstacle ?? "")"))
    struct AnnouncementTests {
        private func fail(_ site: SyncSite) throws {
            try Disk.rename(site.copy / ".nfs-changes/marker", site.copy / "elsewhere")
        }

        private func mend(_ site: SyncSite) throws {
            try Disk.rename(site.copy / "elsewhere", site.copy / ".nfs-changes/marker")
        }

        @Test(.timeLimit(.minutes(1))) func `each run is told to begin and to end`() throws {
            let server = try RecordingServer()
            let scratch = try Scratch()
            let site = try SyncSite(
                more: """
                    ping_url = "\(server.url)/ping/secret"
                    on_success = "env | grep ^CHANGES_ | sort > \(scratch.path)/success"
                    on_failure = "env | grep ^CHANGES_ | sort > \(scratch.path)/failure"
                    """)
            try site.start()
            try Disk.write(site.site.root / "file", [UInt8](repeating: 0x61, count: 1_000))
            try site.syncFully()
            // A dry run is none, and `init` neither.
            _ = try site.sync("--dry-run")
            try fail(site)
            #expect(try site.sync("--once").status == .exited(69))
            try mend(site)
            let requests = server.requests
            #expect(
                requests.map { "\($0.method) \($0.path)" } == [
                    "POST /ping/secret/start", "POST /ping/secret", "POST /ping/secret/start", "POST /ping/secret/fail",
                ])
            #expect(requests[1].body.contains(" paths, ") && requests[3].body.contains("marker"), "\(requests)")

            let success = String(decoding: try Disk.read(scratch.path / "success"), as: UTF8.self)
            for line in [
                "CHANGES_DESTINATION=offsite", "CHANGES_RESULT=success", "CHANGES_REASON=", "CHANGES_DELETED=0",
                "CHANGES_HELD_DELETIONS=0",
            ] { #expect("\n\(success)".contains("\n\(line)\n"), "\(line)\n\(success)") }
            #expect(success.contains("CHANGES_LAST_SUCCESS=1") && success.contains("CHANGES_BYTES_SENT="), "\(success)")
            let failure = String(decoding: try Disk.read(scratch.path / "failure"), as: UTF8.self)
            #expect(failure.contains("CHANGES_RESULT=failure\n") && failure.contains("has no marker"), "\(failure)")
        }

        @Test(.timeLimit(.minutes(1))) func `a server that refuses is told and fails no run`() throws {
            let server = try RecordingServer(status: 404)
            let site = try SyncSite(more: "ping_url = \"\(server.url)/secret\"")
            try site.start()
            let done = try site.sync("--once")
            #expect(done.isSuccess, "\(done)")
            #expect(done.errors.contains("ping not delivered: the server answered 404: OK"), "\(done)")
            #expect(!done.errors.contains("secret"))
            let status = try site.site.changes(["status", "--config", site.configuration.string]).output
            #expect(String(decoding: status, as: UTF8.self).contains("ping not delivered"))
        }

        @Test(.timeLimit(.minutes(1))) func `neither a deaf server nor a slow command holds a worker up`() throws {
            let server = try RecordingServer(status: 0)
            let site = try SyncSite(
                more: """
                    ping_url = "\(server.url)/secret"
                    on_success = "sleep 600"
                    """)
            try site.start()
            let worker = try site.launch("--watch", SyncSite.name)
            for number in 0..<3 {
                try Disk.write(site.site.root / Path("file\(number)"), [1])
                #expect(
                    wait(atMost: 15, every: 50) { Disk.exists(site.copy / site.site.root.name / Path("file\(number)")) }
                )
            }
            #expect(wait(atMost: 10, every: 20) { !server.requests.isEmpty })
            // One curl at most, and what is secret stands in no command line.
            let lines = try ProcessTable().descendants(of: [worker.pid]).map { entry in
                (try? Disk.read(Path("/proc/\(entry.pid)/cmdline"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }
            #expect(
                lines.count { $0.hasPrefix("curl\0") } <= 1 && !lines.contains { $0.contains("secret") }, "\(lines)")
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 5) == .exited(0), "\(site.errors)")
        }
    }
}

extension CommandSystemTests {
    @Suite(.thorough, .enabled(if: RecordingServer.obstacle == nil, "\(RecordingServer.obstacle ?? "")"))
    struct TrackerPingTests {
        @Test(.timeLimit(.minutes(1))) func `the tracker's switch learns how it is`() throws {
            let server = try RecordingServer()
            let site = try Site()
            let configuration = site.scratch.path / "ping.toml"
            try Disk.write(
                configuration,
                Array("[watch]\nping_url = \"\(server.url)/api/push/token?status=up&msg=OK&ping=\"\n".utf8))
            let words = ["status", "--check", "tracker", "--ping", "--config", configuration.string]
            try site.start()
            #expect(try site.changes(words).status == .exited(0))
            #expect(server.requests.count == 1)
            #expect(server.requests[0].path.hasPrefix("/api/push/token?status=up&msg=tracker%3A%20healthy"))
            site.tracker.stop()
            #expect(try site.changes(words).status == .exited(2))
            #expect(server.requests.count == 2)
            #expect(server.requests[1].path.hasPrefix("/api/push/token?status=down&msg=tracker%3A%20not%20running"))

            try Disk.write(configuration, Array("".utf8))
            let none = try site.changes(words)
            #expect(none.status == .exited(78) && none.errors.contains("set ping_url in [watch]"), "\(none)")
            #expect(try site.changes(["status", "--ping"]).status == .exited(2))
        }
    }
}
