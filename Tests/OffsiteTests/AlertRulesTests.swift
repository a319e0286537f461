import Glibc
import LinuxKernel
import Testing

@testable import Offsite

@Suite struct AlertRulesTests {
    private static let promtool = "/usr/bin/promtool"
    private static let rules =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/packaging/alerts.yml"

    /// An alert on a metric that nobody writes never fires, and nobody sees it.
    @Test func everyRuleAsksForMetricsThatThereAre() throws {
        let file = try OwnedDescriptor.open(Array(Self.rules.utf8), flags: O_RDONLY)
        let rules = String(decoding: try file.readToEnd(), as: UTF8.self).components(after: "- alert: ")
        #expect(!rules.isEmpty)
        let written = Set(SyncMetric.all.map(\.name))
        for rule in rules {
            // Up to the labels, and without what is no expression.
            let expression = rule.components(after: " expr: ").first?.components(before: "labels:") ?? ""
            let used = expression.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
                .filter { $0.hasPrefix("offsite_") || $0.hasPrefix("backup_") }
            #expect(!used.isEmpty && written.isSuperset(of: used), "\(rule)")
        }
    }

    /// What a site's Prometheus sees, and which alerts fire at a moment.
    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Series with their values, one each five minutes, in promtool's notation.
        let series: [(String, String)]
        let moment: String
        let firing: [String]
    }

    private static let labels = #"{job="nfs-offsite-sync",destination="nas"}"#

    @Test(
        .enabled(if: access(promtool, X_OK) == 0),
        arguments: [
            Story(
                testDescription: "a quiet weekend: idle checks succeed",
                series: [
                    ("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_worker_once", "0x1000"),
                    ("backup_last_success_timestamp", "0+300x1000"), ("offsite_sync_last_status", "0x1000"),
                    ("offsite_first_copy", "2x1000"), ("offsite_oldest_pending_seconds", "0x1000"),
                ], moment: "72h", firing: []),
            Story(
                testDescription: "nightly runs by a timer",
                series: [
                    ("offsite_worker_heartbeat_timestamp", "0x287 86400x288"), ("offsite_worker_once", "1x1000"),
                    ("backup_last_success_timestamp", "0x287 86400x288"), ("offsite_sync_last_status", "0x1000"),
                    ("offsite_first_copy", "2x1000"),
                ], moment: "47h", firing: []),
            Story(
                testDescription: "a worker that dies, its textfile still there",
                series: [
                    ("offsite_worker_heartbeat_timestamp", "0+300x10 3000x100"), ("offsite_worker_once", "0x110"),
                    ("backup_last_success_timestamp", "0+300x10 3000x100"),
                ], moment: "2h", firing: ["OffsiteWorkerDown"]),
            Story(
                testDescription: "a worker that says nothing of its kind",
                series: [("offsite_worker_heartbeat_timestamp", "0x100"), ("backup_last_success_timestamp", "0x100")],
                moment: "1h", firing: ["OffsiteWorkerDown"]),
            Story(
                testDescription: "no figures of any worker", series: [("up", "1x100")], moment: "1h",
                firing: ["OffsiteWorkerDown"]),
            Story(
                testDescription: "a first copy that never began",
                series: [("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_first_copy", "0x1000")],
                moment: "30h", firing: ["BackupNeverSucceeded", "OffsiteFirstCopyNotBegun"]),
            Story(
                testDescription: "a first copy that never ends",
                series: [("offsite_worker_heartbeat_timestamp", "0+300x3000"), ("offsite_first_copy", "1x3000")],
                moment: "8d", firing: ["BackupNeverSucceeded", "OffsiteFirstCopyEndless"]),
            Story(
                testDescription: "a first copy of two days",
                series: [
                    ("offsite_worker_heartbeat_timestamp", "0+300x1000"), ("offsite_first_copy", "1x600 2x300"),
                    ("backup_last_success_timestamp", "_x600 180000+300x300"),
                ], moment: "60h", firing: []),
            Story(
                testDescription: "the tracker is down",
                series: [
                    ("offsite_worker_heartbeat_timestamp", "0+300x100"), ("offsite_sync_last_status", "0x12 1x88"),
                    ("backup_last_success_timestamp", "0+300x12 3600x88"),
                ], moment: "3h", firing: ["OffsiteSyncFailed"]),
            Story(
                testDescription: "a gateway that refuses",
                series: [
                    ("offsite_worker_heartbeat_timestamp", "0+300x100"), ("offsite_metrics_push_failed", "1x100"),
                    ("backup_last_success_timestamp", "0+300x100"),
                ], moment: "1h", firing: ["OffsiteMetricsPushFailed"]),
        ])
    func `alerts fire when they should and only then`(_ story: Story) throws {
        let directory = try MetricsDirectory()
        var text = "rule_files: [\(Self.rules)]\nevaluation_interval: 5m\ntests:\n- interval: 5m\n  input_series:\n"
        for (name, values) in story.series { text += "  - series: '\(name)\(Self.labels)'\n    values: '\(values)'\n" }
        text += "  promql_expr_test:\n  - expr: 'count by (alertname) (ALERTS{alertstate=\"firing\"})'\n"
        text += "    eval_time: \(story.moment)\n    exp_samples:\n"
        for name in story.firing { text += "    - labels: '{alertname=\"\(name)\"}'\n      value: 1\n" }
        try directory.write("tests.yml", Array(text.utf8))
        let pipe = try Pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        var child = try ChildProcess.spawn(
            [Self.promtool, "test", "rules", "\(directory.path)/tests.yml"].map { Array($0.utf8) },
            output: .descriptor(writer.number), error: .descriptor(writer.number))
        writer.close()
        let output = String(decoding: try reader.readToEnd(), as: UTF8.self)
        #expect(try child.wait() == .exited(0), "\(output)\n\(text)")
    }
}

extension String {
    /// What follows each occurrence of a separator.
    fileprivate func components(after separator: String) -> [String] {
        var parts = split(separator: separator, omittingEmptySubsequences: false).map(String.init)
        parts.removeFirst()
        return parts
    }

    fileprivate func components(before separator: String) -> String {
        split(separator: separator, omittingEmptySubsequences: false).first.map(String.init) ?? self
    }
}
