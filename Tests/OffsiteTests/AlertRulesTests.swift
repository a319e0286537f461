import Glibc
import LinuxKernel
import Testing

@testable import Offsite
@testable import TrackerDaemon

@Suite struct AlertRulesTests {
    private static let promtool = "/usr/bin/promtool"
    /// The repository, with a slash at its end.
    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/"

    /// The names of all series that worker and tracker write.
    private static var written: Set<String> {
        let text = String(decoding: SyncFigures.complete.exposition + TrackerFigures.complete.exposition, as: UTF8.self)
        return Set(
            text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
                line.split { "{ ".contains($0) }.first.map(String.init)
            })
    }

    /// An alert on a metric that nobody writes never fires, and nobody sees it.
    @Test func everyRuleAsksForMetricsThatThereAre() throws {
        let rules = try Self.text(of: "packaging/alerts.yml").components(after: "- alert: ")
        #expect(!rules.isEmpty)
        let written = Self.written
        for rule in rules {
            let used = Self.metrics(in: rule).filter { !$0.hasPrefix("node_") }
            #expect(!used.isEmpty && written.isSuperset(of: used), "\(rule)")
        }
    }

    /// What an administrator is told to do has a place in the README.
    @Test func `every alert leads to its place in the README`() throws {
        let readme = try Self.text(of: "README.md")
        for rule in try Self.text(of: "packaging/alerts.yml").components(after: "- alert: ") {
            let name = rule.components(before: "\n")
            #expect(rule.contains("runbook: \"README.md#\(name.lowercased())\"\n"), "\(name)")
            #expect(readme.contains("<a id=\"\(name.lowercased())\"></a>\(name)"), "\(name)")
        }
    }

    /// A rule that no story makes fire may never do so, and one that no story keeps quiet may always.
    @Test func `every alert fires in a story and is quiet in another`() throws {
        let stories = AlertStory.offsite + AlertStory.tracker
        for rule in try Self.text(of: "packaging/alerts.yml").components(after: "- alert: ") {
            let name = rule.components(before: "\n")
            let metrics = Self.metrics(in: rule)
            #expect(stories.contains { $0.firing.contains(name) }, "\(name) never fires")
            let isQuiet = stories.contains { story in
                !story.firing.contains(name)
                    && metrics.allSatisfy { metric in
                        story.allSeries.contains { $0.0.components(before: "{") == metric }
                    }
            }
            #expect(isQuiet, "\(name) is never quiet where its metrics are: \(metrics)")
        }
    }

    /// The metrics of these programs that a rule asks for.
    private static func metrics(in rule: String) -> Set<String> {
        // Up to the labels, and without what is no expression.
        let expression = rule.components(after: " expr: ").first?.components(before: "labels:") ?? ""
        return Set(
            expression.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
                .filter { name in
                    ["offsite_", "backup_", "nfs_changes_", "node_textfile_"].contains { name.hasPrefix($0) }
                })
    }

    private static func text(of file: String) throws -> String {
        let file = try OwnedDescriptor.open(Array((root + file).utf8), flags: O_RDONLY)
        return String(decoding: try file.readToEnd(), as: UTF8.self)
    }

    /// Those of one interval in one run: promtool takes long to start.
    @Test(.enabled(if: access(promtool, X_OK) == 0), arguments: ["1m", "5m", "30m"])
    func `alerts fire when they should and only then`(_ interval: String) throws {
        let directory = try MetricsDirectory()
        var text = "rule_files: [\(Self.root)packaging/alerts.yml]\nevaluation_interval: \(interval)\ntests:\n"
        for story in AlertStory.offsite + AlertStory.tracker where story.evaluation == interval {
            text += "- interval: \(interval)\n  name: \"\(story.name)\"\n  input_series:\n"
            for (series, values) in story.allSeries {
                text += "  - series: '\(series)'\n    values: '\(story.evaluated(values))'\n"
            }
            text += "  promql_expr_test:\n  - expr: 'count by (alertname) (ALERTS{alertstate=\"firing\"})'\n"
            text += "    eval_time: \(story.moment)\n    exp_samples:\n"
            for name in story.firing { text += "    - labels: '{alertname=\"\(name)\"}'\n      value: 1\n" }
        }
        try directory.write("tests.yml", Array(text.utf8))
        let (outcome, output) = try Self.promtool(["test", "rules", "\(directory.path)/tests.yml"])
        #expect(outcome == .exited(0), "\(output)\n\(text)")
    }

    @Test(.enabled(if: access(promtool, X_OK) == 0)) func `promtool finds no fault with the metrics`() throws {
        // The names that other jobs share have no help: the second with another text would be refused.
        let own = String(decoding: SyncFigures.complete.exposition, as: UTF8.self).split(separator: "\n")
            .filter { !$0.hasPrefix("backup_") }.joined(separator: "\n")
        for text in [Array((own + "\n").utf8), TrackerFigures.complete.exposition] {
            let (outcome, output) = try Self.promtool(["check", "metrics"], input: text)
            #expect(outcome == .exited(0) && output.isEmpty, "\(output)\n\(String(decoding: text, as: UTF8.self))")
        }
    }

    private static func promtool(
        _ words: [String], input: [UInt8] = []
    ) throws -> (outcome: ChildProcess.Outcome, output: String) {
        let pipe = try Pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        let text = try OwnedDescriptor.memoryFile(input)
        var child = try ChildProcess.spawn(
            ([promtool] + words).map { Array($0.utf8) }, input: .descriptor(text.number),
            output: .descriptor(writer.number), error: .descriptor(writer.number))
        writer.close()
        let output = String(decoding: try reader.readToEnd(), as: UTF8.self)
        return (try child.wait(), output)
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
