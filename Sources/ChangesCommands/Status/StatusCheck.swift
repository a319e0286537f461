import LinuxKernel
import TrackerDaemon

/// A health check of one part: the tracker, a destination or a consumer.
struct StatusCheck {
    let name: String
    /// 0: healthy, 1: degraded, 2: it does not run, or nothing can be said.
    let status: ExitStatus
    let health: String
    /// What is wrong; for a healthy one how it is.
    let details: [String]

    /// The part that is no consumer.
    static let tracker = "tracker"

    /// - Throws: `CommandFailure`: `usage` when there is no such part.
    init(_ name: String, of status: Status) throws {
        self.name = name
        if name == Self.tracker {
            switch status.tracker {
            case .running(let report):
                let reasons = status.trackerReasons
                (self.status, health) = reasons.isEmpty ? (.success, "healthy") : (.failure, "degraded")
                details = reasons.isEmpty ? [report.sentence] : reasons
            case .notRunning:
                (self.status, health) = (.usage, "not running")
                details = ["start it: systemctl start nfs-change-tracker"]
            case .unknown(let reason): (self.status, health, details) = (.usage, "unknown", [reason])
            }
            return
        }
        guard let consumer = status.consumers.first(where: { $0.name == name }) else {
            if case .failure(let failure) = status.store { throw CommandFailure(.usage, failure.message) }
            let known = ([Self.tracker] + status.consumers.map(\.name)).joined(separator: ", ")
            throw CommandFailure(.usage, "there is no \(name) to check; there is: \(known)")
        }
        let reasons = consumer.reasons(now: status.now)
        let standing = StatusText.standing(of: consumer, now: status.now)
        if reasons.isEmpty {
            (self.status, health, details) = (.success, "healthy", [standing])
        } else if consumer.isDown(now: status.now) {
            (self.status, health, details) = (.usage, "not running", reasons)
        } else {
            (self.status, health, details) = (.failure, "degraded", reasons)
        }
    }

    /// One line, whatever is in it.
    var text: [UInt8] {
        let line = "\(name): \(health), \(details.joined(separator: "; "))"
        return Array(TerminalText.of(Array(line.split(separator: "\n").joined(separator: " ").utf8)).utf8) + [0x0A]
    }

    var json: [UInt8] {
        var output: [UInt8] = []
        var object = JSONObjectWriter(to: &output)
        object.append("name", text: Array(name.utf8), to: &output)
        object.append("health", text: Array(health.utf8), to: &output)
        object.append(status == .success ? "details" : "reasons", array: details, to: &output) { detail, output in
            JSONObjectWriter.appendString(Array(detail.utf8), to: &output)
        }
        object.end(to: &output)
        return output + [0x0A]
    }
}

extension ConsumerLag {
    /// Nothing will bring it up to date, or nobody can tell how it is.
    fileprivate func isDown(now: Timestamp) -> Bool {
        if case .unreadable = standing { return true }
        return destination?.isAbandoned(self, now: now) ?? false
    }
}
