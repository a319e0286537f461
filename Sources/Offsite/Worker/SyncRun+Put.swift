import ChangeStore
import LinuxKernel
import SystemPackage

/// Sending units, and finding out what of them fails by itself.
extension SyncRun {
    /// Units that are isolated one by one, where rsync does not say which fail, before the rest is quarantined together:
    /// each costs a few runs of rsync.
    static let mostIsolated = 64
    /// Runs that a unit's other names get after some of its names failed.
    private static let mostTries = 4

    /// What of some units was not sent as it was meant to be.
    struct Unsent {
        /// Paths that fail by themselves, with what rsync says of them.
        var failed: [(path: [UInt8], reason: String)] = []
        /// Paths that were there when the batch was planned.
        var vanished: [[UInt8]] = []
        /// Names that were sent although the destination has their inode: there they are files of their own now.
        var split: [[UInt8]] = []

        mutating func add(_ other: Unsent) {
            failed += other.failed
            vanished += other.vanished
            split += other.split
        }
    }

    /// Sends units. What vanished meanwhile is taken out before each try; what fails is sent once more by itself, and in
    /// halves where rsync does not say what it is.
    func put(
        _ units: [BatchPlan.Unit], isForced: Bool, _ batch: inout BatchReport
    ) throws -> Unsent {
        var unsent = Unsent()
        var rest = [(units: units, tries: 0)]
        // A local target's receiver writes to nothing that stands there under a name already.
        let mayBeInPlace = isFirstCopy && !isForced && !link.isLocal
        if mayBeInPlace {
            let (small, large) = (units.filter(\.isSmall), units.filter { !$0.isSmall })
            rest = [(large, 0), (small, 0)].filter { !$0.0.isEmpty }
        }
        while let (units, tries) = rest.popLast() {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let paths = BatchPlan.paths(of: units)
            var complaints = complaints(about: paths)
            var sent = SentFiles(among: Set(units.lazy.filter(\.isLinked).flatMap { $0.paths + $0.anchors }))
            let outcome = try link.put(
                paths, isForced: isForced, isInPlace: mayBeInPlace && units.allSatisfy(\.isSmall),
                mayReplaceDirectories: mayDelete, isItemized: !sent.isIdle,
                showsProgress: context.progress != nil,
                take: { [context] bytes in
                    sent.take(bytes)
                    context.progress?(bytes)
                }, takeErrors: { complaints.take($0) })
            batch.statistics = batch.statistics + outcome.statistics
            unsent.split += sent.paths
            guard outcome.verdict == .partial else {
                try link.check(outcome, "sending \(counted(paths.count, "path"))")
                count(units, in: &batch)
                continue
            }
            // Files come and go: what vanished meanwhile failed nobody.
            let (present, vanished) = stillPresent(units)
            unsent.vanished += vanished
            if present.isEmpty { continue }
            if complaints.isExplained {
                let failed = complaints.failed
                let blamed = present.filter { unit in
                    (unit.paths + unit.anchors).contains { failed[$0] != nil || complaints.vanished.contains($0) }
                }
                let isBlamed = Set(blamed.map(\.paths[0]))
                count(present.filter { !isBlamed.contains($0.paths[0]) }, in: &batch)
                if tries == 0 {
                    if !blamed.isEmpty { rest.append((blamed, 1)) }
                    continue
                }
                for unit in blamed {
                    unsent.failed += unit.paths.compactMap { path in failed[path].map { (path, $0) } }
                    guard let others = unit.without({ failed[$0] != nil }) else { continue }
                    if tries < Self.mostTries {
                        rest.append(([others], tries + 1))
                    } else {
                        unsent.failed += others.paths.map { ($0, DestinationLink.display(outcome.errors)) }
                    }
                }
                continue
            }
            if tries == 0 {
                rest.append((present, 1))
            } else if present.count == 1 || unsent.failed.count >= Self.mostIsolated {
                let reason = DestinationLink.display(outcome.errors)
                unsent.failed += present.flatMap(\.paths).map { ($0, reason) }
            } else {
                let middle = present.count / 2
                rest.append((Array(present[middle...]), 1))
                rest.append((Array(present[..<middle]), 1))
            }
        }
        return unsent
    }

    /// Reads what rsync says of paths that are relative to source and destination.
    func complaints(about paths: [[UInt8]], in directory: [UInt8] = [], namesAncestors: Bool = false) -> RsyncComplaints
    {
        let below = directory.isEmpty ? [] : [UInt8(ascii: "/")] + directory
        let tops = [settings.source + below, link.targetPath.map { Array($0.utf8) + below } ?? []]
        return RsyncComplaints(paths, tops: tops, namesAncestors: namesAncestors)
    }

    private func count(_ units: [BatchPlan.Unit], in batch: inout BatchReport) {
        for unit in units {
            batch.paths += unit.paths.count
            batch.linked += unit.paths.count + min(unit.anchors.count, 1) - 1
        }
    }

    /// The units without the paths that are not there any more, and these.
    func stillPresent(_ units: [BatchPlan.Unit]) -> (present: [BatchPlan.Unit], vanished: [[UInt8]]) {
        guard var look = try? SourceLook(source: settings.source) else { return (units, []) }
        var present: [BatchPlan.Unit] = []
        var vanished: [[UInt8]] = []
        for unit in units {
            var gone: Set<[UInt8]> = []
            for path in unit.paths + unit.anchors {
                if case .present = look.state(of: path) { continue }
                gone.insert(path)
            }
            vanished += unit.paths.filter(gone.contains)
            if let rest = unit.without(gone.contains) { present.append(rest) }
        }
        return (present, vanished)
    }

    /// A later row says that they were deleted, or none does: then a file system was unmounted, and what it holds is to be
    /// sent when it is back.
    ///
    /// - Returns: those of which the last row says it, and that were there again for a moment only: no later row will.
    func keepVanished(
        _ vanished: [[UInt8]], _ facts: [[UInt8]: PathFacts], _ commit: inout ConsumerCommit
    ) -> [[UInt8]] {
        var gone: [[UInt8]] = []
        for path in vanished {
            let absolute = context.scope.absolute(path)
            guard let pending = facts[absolute] else { continue }
            guard pending.exists else {
                gone.append(path)
                continue
            }
            commit.kept.append(
                ConsumerWork(
                    absolute, pending, .waiting, due: Timestamp.now.advanced(by: BatchPlanner.absence),
                    reason: "not there, and not known to be deleted"))
        }
        return gone
    }
}
