import ChangeStore
import LinuxKernel

/// Keeping what fails by itself, to be tried again slowly.
extension SyncRun {
    /// Nanoseconds until what failed by itself is tried again, doubled with each failure, up to a day.
    private static let quarantine: Int64 = 3_600_000_000_000
    private static let longestQuarantine: Int64 = 86_400_000_000_000

    func quarantine(
        _ failed: [(path: [UInt8], reason: String)], _ facts: [[UInt8]: PathFacts], _ commit: inout ConsumerCommit,
        _ batch: inout BatchReport
    ) throws {
        for (relative, reason) in failed {
            let path = context.scope.absolute(relative)
            // Whatever rsync made of it: the next time it is sent anew.
            var pending =
                facts[path]
                ?? PathFacts(
                    existedBefore: true, contentChanged: true, exists: true, wasWritten: false, first: .now,
                    lastWritten: Timestamp(nanoseconds: 0))
            // Only a name more is missing where an inode has as many as there can be (EMLINK).
            if !reason.contains("Too many links") { pending.contentChanged = true }
            try quarantine(path, pending, reason, &commit, &batch)
        }
    }

    /// - Parameter path: absolute.
    func quarantine(
        _ path: [UInt8], _ facts: PathFacts, _ reason: String, _ commit: inout ConsumerCommit,
        _ batch: inout BatchReport
    ) throws {
        let attempts = (try consumer.work(about: path)?.attempts ?? 0) + 1
        let pause = min(Self.quarantine << min(attempts - 1, 5), Self.longestQuarantine)
        commit.kept.append(
            ConsumerWork(
                path, facts, .quarantined, due: Timestamp.now.advanced(by: pause), attempts: attempts, reason: reason))
        batch.quarantined += 1
        if batch.firstQuarantined == nil { batch.firstQuarantined = .init(path: path, reason: reason) }
    }
}
