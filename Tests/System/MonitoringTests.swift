import Glibc
import LinuxKernel
import Testing

/// What a monitoring system sees of a real tracker and a real worker.
extension CommandSystemTests {
    @Suite struct MonitoringTests {
        /// The tracker's textfile as values by series; a series without labels by its name.
        private func values(in file: Path) throws -> [String: Double] {
            let text = String(decoding: try Disk.read(file), as: UTF8.self)
            var values: [String: Double] = [:]
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                guard let space = line.lastIndex(of: " ") else { continue }
                values[String(line[..<space])] = Double(line[space...].dropFirst())
            }
            return values
        }

        private func site(metrics: String) throws -> Site {
            try Site(roots: ["a-backup", "b-backup"]) { settings, scratch in
                settings.more = "[metrics]\ntextfile_directory = \"\(scratch.string)/\(metrics)\"\n"
                settings.rootsInFile = true
            }
        }

        @Test(.timeLimit(.minutes(1))) func `the tracker's figures are those of what happened`() throws {
            let site = try site(metrics: "metrics")
            let file = site.scratch.path / "metrics" / "nfs-change-tracker.prom"
            try Disk.makeDirectory(site.scratch.path / "metrics")
            try site.start()
            for number in 0..<7 { try Disk.write(site.root / Path("f\(number)"), [1, 2, 3]) }
            try site.settled()
            try Disk.unlink(site.root / "f0")
            try site.settled()
            let created = "nfs_changes_changes_total{root=\"\(site.root)\",kind=\"created\"}"
            var found: [String: Double] = [:]
            let isThere = try wait(atMost: 20, every: 200) {
                // Rereading the configuration brings the next write forward.
                site.tracker.signal(SIGHUP)
                found = try values(in: file)
                return found[created] == 7 && found["nfs_changes_log_owed_lines"] == 0
                    && found["nfs_changes_log_delay_seconds_count"] ?? 0 >= 8
            }
            #expect(isThere, "\(found.sorted { $0.key < $1.key })\n\(site.diagnosis)")
            for (name, value) in [
                "nfs_changes_up": 1, "nfs_changes_recording": 1, "nfs_changes_roots{state=\"watched\"}": 2,
                "nfs_changes_directories": 2, "nfs_changes_watches": 2, "nfs_changes_overflows_total": 0,
                "nfs_changes_walk_in_progress": 0, "nfs_changes_degraded_reasons{reason=\"missing\"}": 0,
                "nfs_changes_changes_total{root=\"\(site.root)\",kind=\"deleted\"}": 1,
                "nfs_changes_changes_total{root=\"\(site.roots[1])\",kind=\"created\"}": 0,
                "nfs_changes_log_oldest_owed_seconds": 0.0,
            ] { #expect(found[name] == value, "\(name): \(String(describing: found[name]))") }
            // Lone changes are in the log within the half second that 0.2 s and a busy machine take.
            let quick = found["nfs_changes_log_delay_seconds_bucket{le=\"2\"}"] ?? 0
            #expect(quick >= 8, "\(found)")
            #expect(found["nfs_changes_store_bytes"] ?? 0 > 0 && found["nfs_changes_history_bytes"] ?? 0 > 0)
            let last = found["nfs_changes_last_change_timestamp_seconds"] ?? 0
            #expect(abs(last - Double(Timestamp.now.nanoseconds) / 1e9) < 60)
            #expect(try Disk.names(of: site.scratch.path / "metrics").count == 1)

            try Disk.rename(site.roots[1], site.outside / "away")
            let isTold = try wait(atMost: 20, every: 200) {
                site.tracker.signal(SIGHUP)
                found = try values(in: file)
                return found["nfs_changes_roots{state=\"missing\"}"] == 1
                    && found["nfs_changes_degraded_reasons{reason=\"missing\"}"] == 1
            }
            #expect(isTold, "\(found)")
            site.tracker.stop()
            #expect(try values(in: file)["nfs_changes_up"] == 0)
            #expect(try values(in: file)["nfs_changes_recording"] == nil)
        }

        @Test(.timeLimit(.minutes(1))) func `a directory for metrics that is missing stops nothing`() throws {
            let site = try site(metrics: "missing")
            try site.start()
            try Disk.write(site.root / "file", [1])
            try site.expectComplete()
            let status = try site.changes(["status"])
            #expect(status.status == .exited(1))
            let text = String(decoding: status.output, as: UTF8.self)
            #expect(text.contains("metrics: not written to \(site.scratch.path)/missing"), "\(text)")
            #expect(site.tracker.errors.components(of: "metrics: not written") == 1, "\(site.diagnosis)")
            try Disk.makeDirectory(site.scratch.path / "missing")
            site.tracker.signal(SIGHUP)
            #expect(try wait(atMost: 20, every: 100) { try site.changes(["status"]).isSuccess })
        }

        @Test(.timeLimit(.minutes(1))) func `a directory for metrics that does not answer stops nothing`() throws {
            let site = try site(metrics: "metrics")
            try Disk.makeDirectory(site.scratch.path / "metrics")
            // Whoever opens it for writing waits for a reader, for ever.
            try Disk.makeFIFO(site.scratch.path / "metrics" / "nfs-change-tracker.prom.new")
            try site.start()
            try Disk.write(site.root / "file", [1])
            try site.expectComplete(atMost: 5)
            #expect(try site.changes(["status"]).isSuccess)
            site.tracker.stop()
            #expect(try Disk.names(of: site.scratch.path / "metrics") == ["nfs-change-tracker.prom.new"])
        }
    }
}

extension String {
    /// How often a text is in this one.
    fileprivate func components(of text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
