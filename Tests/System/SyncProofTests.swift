import Glibc
import LinuxKernel
import Testing

extension SyncSystemTests {
    /// A run is a success only where the tracker answered, every root is there, and the destination was reached.
    @Suite struct SyncProofTests {
        private let scratch: Scratch
        private let site: SyncSite
        private var metrics: Path { scratch.path }

        init() throws {
            scratch = try Scratch()
            site = try SyncSite(
                roots: ["a-backup", "b-backup"],
                more: "\n[metrics]\ntextfile_directory = \"\(scratch.path)\"")
            for root in site.site.roots { try Disk.write(root / "file") }
            try site.start()
            try site.syncFully()
        }

        /// The value of a metric in the textfile.
        private func value(_ metric: String) throws -> Double? {
            let text = String(decoding: try Disk.read(metrics / "nfs-changes-offsite.prom"), as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix(metric + "{") }
            return line?.split(separator: " ").last.flatMap { Double($0) }
        }

        /// A success shows from then on.
        private func waitForLaterSecond(than moment: Double) {
            #expect(wait(atMost: 5, every: 20) { Double(Timestamp.now.nanoseconds / 1_000_000_000) > moment })
        }

        /// Expects a run to copy what is known, and to say why it proves nothing.
        private func expectDoubt(_ words: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let before = try #require(try value("backup_last_success_timestamp"))
            waitForLaterSecond(than: before)
            let doubtful = try site.sync("--once")
            #expect(doubtful.status == .exited(75), "\(doubtful)", sourceLocation: sourceLocation)
            #expect(
                doubtful.errors.contains("not proven: ") && doubtful.errors.contains(words), "\(doubtful)",
                sourceLocation: sourceLocation)
            #expect(!doubtful.errors.contains("up to date"), "\(doubtful)", sourceLocation: sourceLocation)
            #expect(try value("offsite_sync_last_status") == 1, sourceLocation: sourceLocation)
            #expect(try value("backup_last_success_timestamp") == before, sourceLocation: sourceLocation)
        }

        private func expectSuccess(sourceLocation: SourceLocation = #_sourceLocation) throws {
            let before = try #require(try value("backup_last_success_timestamp"))
            waitForLaterSecond(than: before)
            let good = try site.sync("--once")
            #expect(good.isSuccess && good.errors.contains("up to date"), "\(good)", sourceLocation: sourceLocation)
            #expect(try value("offsite_sync_last_status") == 0, sourceLocation: sourceLocation)
            #expect(try #require(try value("backup_last_success_timestamp")) > before, sourceLocation: sourceLocation)
        }

        @Test(.timeLimit(.minutes(1))) func `a tracker that is down makes no success, and what it recorded is copied`()
            throws
        {
            try Disk.write(site.site.root / "recorded")
            try site.site.settled()
            site.site.tracker.stop()
            try Disk.write(site.site.root / "missed")
            try expectDoubt("the tracker does not run")
            #expect(Disk.exists(site.copy / "a-backup/recorded") && !Disk.exists(site.copy / "a-backup/missed"))
            try site.site.tracker.start()
            try expectSuccess()
            try site.expectEqual()
        }

        /// It answers at first: what it is busy with would be waited for.
        @Test(.thorough, .timeLimit(.minutes(3))) func `a tracker that falls silent is not waited for for an hour`()
            throws
        {
            try Disk.write(site.site.root / "recorded")
            try site.site.settled()
            let tracker = site.site.tracker
            let descriptors = Path("/proc/\(tracker.pid)/fd")
            // The connection of `settled` may stand for a moment.
            var before = Int.max
            _ = try wait(atMost: 1, every: 20) {
                before = min(before, try Disk.names(of: descriptors).count)
                return false
            }
            let holder = try StoppedThread(named: "tracker", of: tracker.pid)
            let worker = try site.launch()
            var seen = 0
            let isWaiting = try wait(atMost: 20, every: 20) {
                // The connection of the status ends at once, that of the settle barrier does not.
                seen = try Disk.names(of: descriptors).count > before ? seen + 1 : 0
                return seen > 50
            }
            #expect(isWaiting, "\(site.errors)")
            tracker.signal(SIGSTOP)
            try holder.release()
            #expect(worker.waitForExit(atMost: 100) == .exited(75), "\(site.errors)")
            #expect(site.errors.contains("it has not answered for") && site.errors.contains("nor does its status"))
            #expect(Disk.exists(site.copy / "a-backup/recorded"))
            tracker.thaw()
        }

        @Test(.timeLimit(.minutes(1))) func `a root that is away makes no success, and the others are copied`() throws {
            let away = site.site.outside / "elsewhere"
            try Disk.rename(site.site.roots[1], away)
            try Disk.write(site.site.root / "new")
            try expectDoubt("b-backup is missing")
            #expect(Disk.exists(site.copy / "a-backup/new") && Disk.exists(site.copy / "b-backup/file"))
            try Disk.rename(away, site.site.roots[1])
            try expectSuccess()
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func `a root that is held makes no success`() throws {
            let mounted = try Mounted(tmpfsAt: site.site.roots[1])
            try expectDoubt("b-backup is held")
            try mounted.unmount()
            try expectSuccess()
        }

        /// A destination whose source is watched by nobody: there is nothing to copy, which is no success.
        @Test(.timeLimit(.minutes(1))) func `a source without a root makes no success`() throws {
            let other = site.site.scratch.path / "other"
            let copy = site.site.scratch.path / "other-copy"
            for directory in [other, copy] { try Disk.makeDirectory(directory) }
            try Disk.write(other / "unwatched")
            let configuration = site.site.scratch.path / "other.toml"
            let text = "[[destination]]\nname = \"other\"\nsource = \"\(other)\"\ntarget = \"\(copy)\"\n"
            try Disk.write(configuration, Array(text.utf8))
            func sync(_ words: String...) throws -> Completed {
                try run(
                    [Tracker.binary, "sync"] + words + ["--config", configuration.string]
                        + ["--state", site.site.tracker.settings.state.string])
            }
            #expect(try sync("init").isSuccess)
            let empty = try sync()
            #expect(empty.status == .exited(75) && empty.errors.contains("has no root"), "\(empty)")
        }

        @Test(.timeLimit(.minutes(1))) func `a pause is no success`() throws {
            try site.sync("pause")
            #expect(try site.sync("--once").status == .exited(75))
            try site.sync("resume")
            try expectSuccess()
        }

        /// Being idle is a success only because the destination was asked.
        @Test(.timeLimit(.minutes(1))) func `an idle worker goes on proving its success, and notices when it cannot`()
            throws
        {
            let text = String(decoding: try Disk.read(site.configuration), as: UTF8.self)
            let more = text.replacing("settle = ", with: "check_interval = \"1s\"\nsettle = ")
            try Disk.write(site.configuration, Array(more.utf8))
            let worker = try site.launch("--watch")
            let first = try #require(try value("backup_last_success_timestamp"))
            func waitForSuccess(after moment: Double) throws -> Bool {
                try wait(atMost: 20, every: 50) {
                    try (value("backup_last_success_timestamp") ?? 0) > moment && value("offsite_sync_last_status") == 0
                }
            }
            #expect(try waitForSuccess(after: first + 1), "\(site.errors)")
            #expect(!site.errors.contains("up to date"), "\(site.errors)")

            site.site.tracker.stop()
            #expect(try wait(atMost: 20, every: 50) { try value("offsite_sync_last_status") == 1 }, "\(site.errors)")
            let last = try #require(try value("backup_last_success_timestamp"))
            // Said after it was published.
            let isSaid = wait(atMost: 5) { site.errors.contains("not proven: the tracker does not run") }
            #expect(isSaid, "\(site.errors)")
            try site.site.tracker.start()
            #expect(try waitForSuccess(after: last), "\(site.errors)")

            // Its volume is not mounted any more.
            try Disk.rename(site.copy / ".nfs-changes", site.copy / "elsewhere")
            #expect(try wait(atMost: 20, every: 50) { try value("offsite_sync_last_status") == 1 }, "\(site.errors)")
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 10) == .exited(0), "\(site.errors)")
        }

        /// A gateway that never answers, and a transfer that does not end: figures are written, and a stop is heard.
        @Test(.thorough, .timeLimit(.minutes(3))) func `figures are of now in the middle of a transfer`() throws {
            let text = String(decoding: try Disk.read(site.configuration), as: UTF8.self)
            let dead = DeafListener()
            try Disk.write(
                site.configuration, Array((text + "\npushgateway = \"http://127.0.0.1:\(dead.port)\"\n").utf8))
            let fake = try site.fake([.waits])
            try Disk.write(site.site.root / "new")
            let worker = try site.launch("--watch", environment: fake.environment)
            try fake.waitForCall()
            let before = try #require(try value("offsite_worker_heartbeat_timestamp"))
            let isLater = try wait(atMost: 60, every: 200) {
                try (value("offsite_worker_heartbeat_timestamp") ?? 0) > before
                    && (value("offsite_pending_paths") ?? 0) > 0
            }
            #expect(isLater, "\(site.errors)")
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 6) == .exited(0), "\(site.errors)")
        }

        /// Every figure is of now, whatever the worker waits for, and an idle one goes on proving its success.
        @Test(.thorough, .timeLimit(.minutes(3))) func `a worker that is paused publishes what is pending`() throws {
            let worker = try site.launch("--watch")
            let isUp = try wait(atMost: 20, every: 100) { try value("offsite_worker_once") == 0 }
            #expect(isUp, "\(site.errors)")
            let heartbeat = try #require(try value("offsite_worker_heartbeat_timestamp"))
            try site.sync("pause")
            for number in 0..<50 { try Disk.write(site.site.root / Path("new\(number)")) }
            let isTold = try wait(atMost: 60, every: 500) { try (value("offsite_pending_paths") ?? 0) >= 50 }
            #expect(isTold, "\(site.errors)")
            #expect(try #require(try value("offsite_worker_heartbeat_timestamp")) > heartbeat)
            worker.signal(SIGTERM)
            #expect(worker.waitForExit(atMost: 10) == .exited(0), "\(site.errors)")
        }
    }
}

/// A port of the loopback on which connections are made and nothing is ever answered.
private final class DeafListener {
    private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    private(set) var port: UInt16 = 0

    init() {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            let bound = bind(descriptor, __CONST_SOCKADDR_ARG(__sockaddr_in__: pointer), length)
            #expect(bound == 0 && listen(descriptor, 8) == 0)
            #expect(getsockname(descriptor, __SOCKADDR_ARG(__sockaddr_in__: pointer), &length) == 0)
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}
