import Glibc
import LinuxKernel
import Testing

@testable import Offsite

@Suite struct AlertRulesTests {
    /// An alert on a metric that nobody writes never fires, and nobody sees it.
    @Test func everyRuleAsksForMetricsThatThereAre() throws {
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try OwnedDescriptor.open(Array("/\(package)/packaging/alerts.yml".utf8), flags: O_RDONLY)
        let lines = String(decoding: try file.readToEnd(), as: UTF8.self).split(separator: "\n")
        let rules = lines.filter { $0.contains("- alert: ") }
        let expressions = lines.filter { $0.contains(" expr: ") }
        #expect(!rules.isEmpty && rules.count == expressions.count)
        let written = Set(SyncMetric.all.map(\.name))
        for expression in expressions {
            let used = expression.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
                .filter { $0.hasPrefix("offsite_") || $0.hasPrefix("backup_") }
            #expect(!used.isEmpty && written.isSuperset(of: used), "\(expression)")
        }
    }
}
