import ChangeStore
import Glibc
import LinuxKernel
import Testing

extension CommandSystemTests {
    /// `changes status` and `changes doctor` about a destination.
    @Suite struct SyncStatusTests {
        private func status(_ copy: SyncSite, _ code: Int32) throws -> (text: String, destination: JSONValue) {
            let json = try copy.site.changes(["status", "--json"])
            let value = try #require(JSONValue(json.output), "\(json)")
            let consumer = try #require(value["consumers"]?.array.first { $0["name"] == .string(SyncSite.name) })
            let screen = try copy.site.changes(["status"])
            let text = String(decoding: screen.output, as: UTF8.self)
            #expect(screen.status == .exited(code) && json.status == .exited(code), "\(text)\n\(copy.site.diagnosis)")
            return (text, consumer["destination"] ?? .null)
        }

        @Test(.timeLimit(.minutes(1))) func whatIsPendingHeldAndPaused() throws {
            let copy = try SyncSite(maxDelete: "1%")
            for number in 0..<8 { try Disk.write(copy.site.root / Path("f\(number)"), [1, 2, 3]) }
            try copy.start()
            try copy.syncFully()
            let well = try status(copy, 0)
            #expect(well.text.contains("offsite    offsite: up to date"), "\(well.text)")
            #expect(well.destination["pending_paths"] == .number(0) && well.destination["paused"] == .boolean(false))
            #expect(well.destination["drift_paths"] == nil && well.destination["oldest_pending"] == nil)

            try copy.sync("pause")
            try Disk.write(copy.site.root / "new", [1])
            try copy.site.settled()
            let paused = try status(copy, 1)
            #expect(paused.text.contains("PAUSED") && paused.text.contains("changes sync resume offsite"))
            #expect(paused.destination["paused"] == .boolean(true) && paused.destination["oldest_pending"] != nil)
            #expect((paused.destination["pending_paths"]?.number ?? 0) >= 1)
            try copy.sync("resume")

            for number in 0..<7 { try Disk.unlink(copy.site.root / Path("f\(number)")) }
            #expect(try copy.sync().status == .exited(1))
            let held = try status(copy, 1)
            #expect(held.destination["held_deletions"] == .number(7), "\(held)")
            #expect(held.destination["held"]?.array.count == 7)
            #expect(held.destination["held_reason"]?.text?.contains("max_delete") == true)
            for words in ["7 deletions are held (7 of ", "--allow-deletes", "held deletion: and 2 more"] {
                #expect(held.text.contains(words), "\(words)\n\(held.text)")
            }
            // Once, and it is not up to date.
            #expect(!held.text.contains("its last run failed"), "\(held.text)")
            #expect(held.text.contains("DEGRADED, no change is pending"), "\(held.text)")
            let listed = try copy.sync("--dry-run", "--allow-deletes")
            #expect(!listed.errors.contains("--allow-deletes"), "\(listed)")
            try copy.syncFully("--allow-deletes")
            #expect(try status(copy, 0).destination["held_deletions"] == .number(0))
            copy.site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1))) func whatIsSetAsideOrDrifted() throws {
            let copy = try SyncSite()
            for name in ["one", "two"] { try Disk.write(copy.site.root / Path(name), [1, 2, 3]) }
            try copy.start()
            try copy.syncFully()
            try Disk.write(copy.copy / "a-backup/one", [9])
            let verified = try run(
                [
                    Tracker.binary, "verify", SyncSite.name, "--config", copy.configuration.string, "--state",
                    copy.site.tracker.settings.state.string,
                ])
            #expect(verified.status == .exited(1), "\(verified)")
            let drifted = try status(copy, 1)
            #expect(drifted.destination["drift_paths"] == .number(1), "\(drifted)")
            #expect(drifted.text.contains("changes verify offsite --repair"))

            // FakeRsync keeps its calls in a directory that rsync's sandbox does not have.
            let fake = copy.site.scratch.path / "fake"
            try Disk.makeDirectory(fake)
            let script = "#!/bin/sh\ncase \"$*\" in *--partial-dir*) echo no such luck >&2; exit 23 ;; esac\n"
            try Disk.write(fake / "rsync", Array((script + "exec /usr/bin/rsync \"$@\"\n").utf8))
            try Disk.changeMode(fake / "rsync", 0o755)
            let environment = ["PATH": "\(fake):/usr/local/bin:/usr/bin:/bin"]
            try Disk.write(copy.site.root / "two", [4, 5])
            #expect(try copy.sync(environment: environment).status == .exited(1))
            let aside = try status(copy, 1)
            #expect((aside.destination["quarantined_paths"]?.number ?? 0) >= 1, "\(aside)")
            let first = aside.destination["quarantined"]?.array.first
            #expect(first?["reason"]?.text?.contains("no such luck") == true && first?["attempts"] == .number(1))
            #expect(aside.text.contains("quarantined: ") && aside.text.contains("(1 attempt, next "), "\(aside.text)")
            copy.site.tracker.stop()
        }

        /// With the configuration: the exit status, and a destination's own line.
        private func check(_ copy: SyncSite, _ name: String) throws -> (text: String, status: ExitStatus) {
            let done = try run(
                [Tracker.binary, "status", "--check", name, "--config", copy.configuration.string]
                    + ["--state", copy.site.tracker.settings.state.string])
            return (String(decoding: done.output, as: UTF8.self), done.status)
        }

        @Test(.timeLimit(.minutes(1)))
        func `a destination that never ran or lost its worker is degraded, the tracker is not`()
            throws
        {
            let copy = try SyncSite(more: "max_age = \"1h\"")
            try copy.site.start()
            let never = try check(copy, SyncSite.name)
            #expect(never.status == .exited(2) && never.text.contains("it has never run"), "\(never)")
            #expect(try check(copy, "tracker").status == .exited(0))
            let screen = try run(
                [Tracker.binary, "status", "--config", copy.configuration.string]
                    + ["--state", copy.site.tracker.settings.state.string])
            let text = String(decoding: screen.output, as: UTF8.self)
            #expect(screen.status == .exited(1) && text.contains("tracker    healthy"), "\(text)")
            #expect(text.contains("offsite    offsite: DEGRADED, has never finished"), "\(text)")
            #expect(try copy.sync("init").isSuccess)
            #expect(try check(copy, SyncSite.name).status == .exited(2))

            // Between the runs of a timer no worker is missed.
            try copy.syncFully()
            #expect(try check(copy, SyncSite.name).text == "offsite: healthy, up to date\n")
            let worker = try copy.launch("--watch")
            let state = copy.site.tracker.settings.state
            let isUp = wait(atMost: 20, every: 20) {
                let record = try? Disk.read(state / "consumers/offsite.worker")
                return record.map { String(decoding: $0, as: UTF8.self).contains("mode watch") } ?? false
            }
            #expect(isUp, "\(copy.errors)")
            #expect(try check(copy, SyncSite.name).status == .exited(0))
            worker.signal(SIGKILL)
            _ = worker.waitForExit(atMost: 5)
            let dead = try check(copy, SyncSite.name)
            #expect(dead.status == .exited(2) && dead.text.contains("no worker runs"), "\(dead)")

            // A success that is too old; and a run by hand does not stand for the service that died.
            #expect(try copy.sync().isSuccess)
            let consumer = try Consumer(name: SyncSite.name, stateDirectory: state.bytes)
            try consumer.noteSuccess(at: Timestamp.now.advanced(by: -7_200_000_000_000))
            let old = try check(copy, SyncSite.name)
            #expect(old.status == .exited(2) && old.text.contains("no worker runs"), "\(old)")
            #expect(old.text.contains("its last success was 2h ago (max_age 1h)"), "\(old)")
            copy.site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: PushGateway.obstacle == nil, "\(PushGateway.obstacle ?? "")"))
        func `a refused push shows until one is taken`() throws {
            let gateway = try PushGateway()
            func push(_ text: String) throws {
                try require(["curl", "-fsS", "--data-binary", text, gateway.url + "/metrics/job/stranger"])
            }
            try push("# TYPE offsite_pending_paths counter\noffsite_pending_paths 1\n")
            let scratch = try Scratch()
            let copy = try SyncSite(
                more: "\n[metrics]\npushgateway = \"\(gateway.url)\"\ntextfile_directory = \"\(scratch.path)\"")
            try copy.start()
            #expect(try copy.sync().isSuccess)
            func isFailing() throws -> Bool {
                let text = String(decoding: try Disk.read(scratch.path / "nfs-changes-offsite.prom"), as: UTF8.self)
                return text.contains("offsite_metrics_push_failed{job=\"nfs-offsite-sync\",destination=\"offsite\"} 1")
            }
            #expect(try isFailing())
            let refused = try check(copy, SyncSite.name)
            #expect(refused.status == .exited(1) && refused.text.contains("the gateway answered 400"), "\(refused)")
            try require(["curl", "-fsS", "-X", "DELETE", gateway.url + "/metrics/job/stranger"])
            #expect(try copy.sync().isSuccess)
            #expect(try !isFailing())
            #expect(try check(copy, SyncSite.name).status == .exited(0))
            copy.site.tracker.stop()
        }

        private func findings(_ copy: SyncSite) throws -> [DoctorFinding] {
            let completed = try run(
                [
                    Tracker.binary, "doctor", "--json", "--config", copy.configuration.string, "--state",
                    copy.site.tracker.settings.state.string,
                ])
            return try DoctorFinding.all(completed.output).filter { ["rsync", "ssh", "offsite"].contains($0.check) }
        }

        @Test(.timeLimit(.minutes(1))) func doctorLooksAtALocalTarget() throws {
            let copy = try SyncSite()
            #expect(try findings(copy).last?.remedy.contains("changes sync init offsite") == true)
            try copy.start()
            let found = try findings(copy)
            #expect(found.map(\.check) == ["rsync", "offsite"] && found.last?.text.contains("has its marker") == true)
            try Disk.removeTree(copy.copy)
            #expect(try findings(copy).last?.state == "problem")
            copy.site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"))
        func doctorAsksARealDaemon() throws {
            let daemon = try RsyncDaemon()
            let copy = try SyncSite(target: daemon.url("place"), copy: daemon.target / "place")
            #expect(try findings(copy).last.map { ["problem", "warning"].contains($0.state) } == true)
            try require(["install", "-d", "-m", "777", (daemon.target / "place").string])
            #expect(try findings(copy).last?.text.contains("has no marker") == true)
            try copy.start()
            let state = copy.site.tracker.settings.state / "offsite"
            let before = try Listing([state])
            let found = try findings(copy)
            #expect(found.last?.text.contains("answers, and has its marker") == true, "\(found)\n\(daemon.diagnosis)")
            #expect(try Listing([state]).entries == before.entries, "it changed something")
            copy.site.tracker.stop()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func doctorAsksARealSSHServer() throws {
            let server = try SSHServer()
            let ssh =
                "ssh = { port = \(server.port), identity = \"\(server.identity)\", known_hosts = \"\(server.knownHosts)\" }"
            let copy = try SyncSite(target: server.remote(server.target), copy: server.target, more: ssh)
            try copy.start()
            let well = try findings(copy)
            #expect(well.map(\.check) == ["rsync", "ssh", "offsite"], "\(well)")
            #expect(well.last?.text.contains("answers, and has its marker") == true, "\(well)\n\(server.diagnosis)")
            try Disk.changeMode(server.identity, 0o644)
            #expect(try findings(copy).last?.remedy.hasPrefix("chmod 600") == true)
            try Disk.changeMode(server.identity, 0o600)
            try Disk.write(server.knownHosts, [])
            #expect(try findings(copy).last?.remedy == "changes sync init offsite")
            copy.site.tracker.stop()
        }
    }
}
