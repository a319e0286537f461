import Glibc
import Testing

extension CommandSystemTests {
    /// The dashboard and the rules, in a real Prometheus that scraped a real run.
    @Suite(.thorough, .enabled(if: Prometheus.obstacle == nil, "\(Prometheus.obstacle ?? "")")) struct DashboardTests {
        private static let packaging =
            "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/packaging"

        /// Whose series are there only when something is wrong, or when something is configured that is not here.
        private static let mayBeEmpty = ["nfs_changes_degraded_reasons{} > 0", "offsite_metrics_push_failed{}"]

        /// All expressions of the dashboard as they are for one host and one destination.
        private func expressions() throws -> [String] {
            let text = try Disk.read(Path("\(Self.packaging)/dashboard.json"))
            let dashboard = try #require(JSONValue(text))
            return (dashboard["panels"]?.array ?? []).flatMap { panel in
                (panel["targets"]?.array ?? []).compactMap { $0["expr"]?.text }
            }.map { expression in
                expression.replacing("\\\"", with: "\"").replacing("{instance=~\"$instance\"}", with: "{}")
                    .replacing("{destination=~\"$destination\"}", with: "{}").replacing("$__rate_interval", with: "10s")
            }
        }

        @Test(.timeLimit(.minutes(1))) func `every query has data after a real run`() throws {
            let site = try SyncSite()
            let metrics = site.site.scratch.path / "metrics"
            try Disk.makeDirectory(metrics)
            let more = "\n[metrics]\ntextfile_directory = \"\(metrics)\"\n"
            site.site.tracker.settings.more = more
            try site.site.tracker.writeConfiguration()
            try Disk.append(site.configuration, Array(more.utf8))
            try site.start()
            try Disk.write(site.site.root / "file", [1, 2, 3])
            try site.syncFully()
            #expect(try site.verify().isSuccess)
            try site.syncFully()
            let prometheus = try Prometheus(reading: metrics, rules: "\(Self.packaging)/alerts.yml")
            let expressions = try expressions()
            #expect(expressions.count > 40 && !expressions.contains { $0.contains("$") }, "\(expressions)")
            var empty = expressions
            let isFull = try wait(atMost: 40, every: 500) {
                site.site.tracker.signal(SIGHUP)
                try Disk.append(site.site.root / "file", [4])
                empty = try empty.filter { expression in
                    let series = try prometheus.query(expression)
                    #expect(series != nil, "\(expression) is none")
                    return series?.isEmpty ?? true
                }
                return Set(empty) == Set(Self.mayBeEmpty)
            }
            #expect(isFull, "without data: \(empty)")
            #expect(try prometheus.query("node_textfile_scrape_error == 0")?.count == 1)
            #expect(try prometheus.query("node_textfile_mtime_seconds")?.count == 2)

            // The rules run, and none is about to fire.
            let groups = try prometheus.ask("rules")["data"]?["groups"]?.array ?? []
            let rules = groups.flatMap { $0["rules"]?.array ?? [] }
            #expect(rules.count > 20)
            for rule in rules {
                // Whose disk this is, is not known.
                let isQuiet = rule["state"] == .string("inactive") || rule["name"] == .string("OffsiteDestinationFull")
                #expect(rule["health"] == .string("ok") && isQuiet, "\(rule)")
            }
        }
    }
}
