import LinuxKernel
import Testing

extension SyncSystemTests {
    /// What a real Pushgateway has after runs of the whole command.
    @Suite(.enabled(if: PushGateway.obstacle == nil, "\(PushGateway.obstacle ?? "")")) struct SyncMetricsTests {
        private let gateway: PushGateway
        private let site: SyncSite
        private static let labels = #"destination="offsite",instance="",job="nightly""#

        init() throws {
            gateway = try PushGateway()
            site = try SyncSite(
                more: """
                    [metrics]
                    pushgateway = "\(gateway.url)/"
                    job = "nightly"
                    """)
            try Disk.write(site.site.root / "file", [UInt8](repeating: 0x61, count: 1_000))
            try site.start()
        }

        /// Since 1970.
        private var wholeSeconds: Double { Double(Timestamp.now.nanoseconds / 1_000_000_000) }

        /// A metric of the destination; nil: the gateway has none, or one with other labels.
        private func value(_ metric: String) throws -> Double? { try gateway.values(of: metric)[Self.labels] }

        @Test(.timeLimit(.minutes(1))) func aFailureKeepsTheLastSuccess() throws {
            let begun = wholeSeconds
            let good = try site.sync("--once")
            #expect(good.isSuccess && !good.errors.contains("metrics not"), "\(good)")
            let success = try #require(try value("backup_last_success_timestamp"), "\(gateway.diagnosis)")
            #expect((begun...wholeSeconds).contains(success))
            #expect(try value("offsite_sync_last_status") == 0)
            let duration = try #require(try value("backup_duration_seconds"))
            #expect(duration > 0 && duration < 60)
            for metric in [
                "offsite_pending_paths", "offsite_pending_bytes", "offsite_oldest_pending_seconds",
                "offsite_quarantined_paths", "offsite_held_deletions",
            ] {
                #expect(try value(metric) == 0, "\(metric)")
            }
            let size = try #require(try value("offsite_dest_size_bytes"))
            let available = try #require(try value("offsite_dest_available_bytes"))
            #expect(available > 0 && available < size)
            // Nothing was verified.
            #expect(try value("offsite_drift_paths") == nil)

            // The volume of the destination is not there, and a second has gone by.
            let marker = site.copy / ".nfs-changes/marker"
            try Disk.rename(marker, site.copy / "elsewhere")
            try Disk.write(site.site.root / "new", [UInt8](repeating: 0x62, count: 500))
            #expect(wait(atMost: 5, every: 50) { wholeSeconds > success })
            let bad = try site.sync("--once")
            #expect(bad.status == .exited(69) && !bad.errors.contains("metrics not"), "\(bad)")
            let status = try #require(try value("offsite_sync_last_status"))
            #expect(status != 0)
            #expect(try value("backup_last_success_timestamp") == success)
            #expect(try #require(try value("offsite_pending_paths")) >= 1)
            #expect(try #require(try value("offsite_pending_bytes")) >= 500)

            try Disk.rename(site.copy / "elsewhere", marker)
            #expect(try site.sync("--once").isSuccess)
            #expect(try value("offsite_sync_last_status") == 0)
            #expect(try value("offsite_pending_paths") == 0)
            #expect(try #require(try value("backup_last_success_timestamp")) > success)
        }

        @Test(.timeLimit(.minutes(1))) func aGatewayThatIsDownHoldsNothingUp() throws {
            gateway.server.stop()
            let down = try site.sync("--once")
            #expect(down.isSuccess, "\(down)")
            #expect(down.errors.contains("changes: sync offsite: metrics not pushed: curl: (7) "), "\(down)")
            #expect(down.errors.contains("up to date"), "\(down)")
            try site.expectEqual()

            // A gateway that has forgotten everything gets it all with the next run.
            try gateway.server.restart()
            #expect(try gateway.values(of: "offsite_sync_last_status").isEmpty)
            #expect(try site.sync("--once").isSuccess)
            #expect(try value("offsite_sync_last_status") == 0)
            #expect(try value("backup_last_success_timestamp") != nil)
        }
    }
}
