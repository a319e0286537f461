import Changelog
import LinuxKernel

/// How the tracker is, in plain words for `systemctl status` and for the control socket.
struct TrackerStatus: Equatable, Sendable {
    var roots: [TrackerReport.Root] = []
    var watches = 0
    var polled = 0
    /// Directories that cannot be read.
    var unreadable = 0
    var overflows: Int64 = 0
    var directories = 0
    var changesLastMinute: Int64 = 0
    /// Why nothing is recorded at all now.
    var storeFailure: String?
    /// Directories still to be walked before the tracker is ready; nil once it is.
    var walked: Int?
    /// What weakens the promise, each with its remedy.
    var degraded: [String] = []

    var sentence: String {
        var parts: [String] = []
        if let storeFailure {
            parts.append("NOT RECORDING, trying again: \(storeFailure); what changes meanwhile is found by a walk")
        } else if let walked {
            parts.append("comparing with the index: \(walked) directories done")
        } else {
            parts.append(
                "watching \(roots.count) \(roots.count == 1 ? "root" : "roots"), \(directories) \(directories == 1 ? "directory" : "directories")"
            )
            parts.append("\(changesLastMinute) \(changesLastMinute == 1 ? "change" : "changes") in the last minute")
        }
        if degraded.isEmpty {
            if storeFailure == nil { parts.append("log up to date") }
        } else {
            parts.append("DEGRADED: " + degraded.joined(separator: "; "))
        }
        return parts.joined(separator: ", ")
    }
}
