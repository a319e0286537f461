import Synchronization

/// The latest status from every part, as one sentence.
final class StatusBoard: Sendable {
    private struct Parts {
        var tracker = TrackerStatus()
        var findings: [String] = []
        var changelog: [String] = []
    }
    private let parts = Mutex(Parts())

    func update(tracker: TrackerStatus, changelog: [String]) -> String {
        parts.withLock { parts in
            parts.tracker = tracker
            parts.changelog = changelog
            return Self.sentence(parts)
        }
    }

    func update(findings: [String], changelog: [String]) -> String {
        parts.withLock { parts in
            parts.findings = findings
            parts.changelog = changelog
            return Self.sentence(parts)
        }
    }

    var sentence: String { parts.withLock { Self.sentence($0) } }

    private static func sentence(_ parts: Parts) -> String {
        var status = parts.tracker
        status.degraded += parts.changelog + parts.findings
        return status.sentence
    }
}
