import ChangeStore
import LinuxKernel

/// What the destination's file system cannot hold.
extension SyncRun {
    /// Nanoseconds until it is looked at again whether a path can be there now.
    private static let pause: Int64 = 86_400_000_000_000

    /// Takes what cannot be there out of a plan: it is quarantined with no try, and said once.
    func quarantineUnrepresentable(
        in plan: inout BatchPlan, _ facts: [[UInt8]: PathFacts], _ commit: inout ConsumerCommit,
        _ batch: inout BatchReport
    ) throws {
        let limits = link.limits
        guard limits.longestName < DestinationLimits.longestOfAny || !limits.takesAnyBytes else { return }
        var refused: [(path: [UInt8], reason: String)] = []
        plan.units = plan.units.compactMap { unit in
            unit.without { path in
                guard let reason = limits.refusal(of: path) else { return false }
                refused.append((path, reason))
                return true
            }
        }
        for (relative, reason) in refused {
            let path = context.scope.absolute(relative)
            let known = try consumer.work(about: path)
            let pending =
                facts[path]
                ?? PathFacts(
                    existedBefore: true, contentChanged: true, exists: true, wasWritten: false, first: .now,
                    lastWritten: Timestamp(nanoseconds: 0))
            if known?.reason != reason, batch.firstQuarantined == nil {
                batch.firstQuarantined = .init(path: path, reason: reason)
            }
            commit.kept.append(
                ConsumerWork(
                    path, pending, .quarantined, due: Timestamp.now.advanced(by: Self.pause),
                    attempts: (known?.attempts ?? 0) + 1, reason: reason))
        }
        batch.quarantined += refused.count
    }
}
