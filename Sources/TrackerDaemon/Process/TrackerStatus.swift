import Changelog
import LinuxKernel

/// How the tracker is, in plain words for `systemctl status` and for the control socket.
struct TrackerStatus: Equatable, Sendable {
    var roots = 0
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
                "watching \(roots) \(roots == 1 ? "root" : "roots"), \(directories) \(directories == 1 ? "directory" : "directories")"
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

/// Counts events of the last minute, in steps of five seconds.
struct MinuteCounter {
    private var buckets = [Int64](repeating: 0, count: 12)
    private var current: Int64 = 0

    mutating func add(_ count: Int64, at now: MonotonicTime) {
        advance(to: now)
        buckets[Int(current % 12)] += count
    }

    mutating func total(at now: MonotonicTime) -> Int64 {
        advance(to: now)
        return buckets.reduce(0, +)
    }

    private mutating func advance(to now: MonotonicTime) {
        let step = now.nanoseconds / 5_000_000_000
        guard step > current else { return }
        for passed in max(current + 1, step - 11)...step { buckets[Int(passed % 12)] = 0 }
        current = step
    }
}
