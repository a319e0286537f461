import Offsite
import SystemPackage

/// What the copies at other places need: programs, destinations, the directory for metrics.
struct OffsiteFacts: Sendable {
    enum Program<Version: Sendable & Equatable>: Sendable, Equatable {
        case missing
        case version(Version)
        /// It is there, and cannot be understood.
        case strange
    }

    var rsync: Program<RsyncVersion>
    /// nil where no destination needs it.
    var ssh: Program<String>?
    var destinations: [DestinationFacts] = []
    /// The directory of node_exporter's textfile collector; nil: none is configured.
    var metrics: PlaceFacts?

    func findings(user: UserFacts) -> [Finding] {
        [rsyncFinding] + (sshFinding.map { [$0] } ?? []) + destinations.flatMap { $0.findings(user: user) }
            + (metricsFinding(user).map { [$0] } ?? [])
    }
}

extension OffsiteFacts {
    private var rsyncFinding: Finding {
        let check = "rsync"
        switch rsync {
        case .missing:
            return .problem(
                check, "rsync is not installed: nothing can be copied", remedy: "apt-get install rsync")
        case .strange:
            return .note(
                check, "rsync --version is not understood: whether its known holes are closed is not known",
                remedy: "rsync --version; 3.5.0 and later are good")
        case .version(let version): return RsyncHoles.finding(check, version)
        }
    }

    private var sshFinding: Finding? {
        switch ssh {
        case nil: nil
        case .missing:
            .problem(
                "ssh", "ssh is not installed: destinations of the form user@host:/path cannot be reached",
                remedy: "apt-get install openssh-client")
        case .strange:
            .note("ssh", "ssh -V says nothing", remedy: "apt-get install --reinstall openssh-client")
        case .version(let version): .ok("ssh", TerminalText.of(Array(version.utf8)))
        }
    }

    private func metricsFinding(_ user: UserFacts) -> Finding? {
        guard let metrics else { return nil }
        let check = "metrics"
        switch metrics.kind {
        case .directory:
            return metrics.writeFinding(check, purpose: "the metrics", user: user) ?? .ok(check, metrics.name)
        case .missing:
            return .warning(
                check, "\(metrics.name), the directory for metrics, is missing: none are written",
                remedy: "apt-get install prometheus-node-exporter, or: mkdir -p \(ShellWord.of(metrics.path))")
        case .other:
            return .warning(
                check, "\(metrics.name), the directory for metrics, is not a directory",
                remedy: "correct the textfile directory in [metrics]")
        case .unknown(let code):
            return .note(
                check, "\(metrics.name), the directory for metrics, cannot be looked at (\(code))",
                remedy: "to check as root: sudo changes doctor")
        }
    }
}
