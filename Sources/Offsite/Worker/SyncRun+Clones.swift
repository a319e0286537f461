import ChangeStore
import LinuxKernel

/// Hard links that the destination gets without anything being sent, and those that came apart on the way.
extension SyncRun {
    /// Makes the clones of a plan, which are done with then; what of them fails joins the units, to be listed beside
    /// names that the destination has.
    func makeClones(_ plan: inout BatchPlan, _ batch: inout BatchReport) throws -> Unsent {
        var unsent = Unsent()
        let directories = Set(plan.clones.isEmpty ? [] : plan.units.flatMap(\.paths))
        for clone in plan.clones {
            // After a run that did not end, a name may be there as a file of its own, which no clone would mend.
            guard mayClone, link.mayBeArgument(clone.directory), link.mayBeArgument(clone.origin) else {
                plan.units += clone.units
                continue
            }
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let parents = BatchPlan.parents(of: clone.directory) + [clone.directory]
            if parents.contains(where: directories.contains) {
                let made = try link.put(parents, isForced: false, mayReplaceDirectories: mayDelete)
                try checkIsOver(made)
            }
            var complaints = complaints(about: clone.entries, in: clone.directory, namesAncestors: false)
            var sent = SentFiles(among: Set(clone.entries))
            let outcome = try link.link(
                clone.entries, in: clone.directory, from: clone.origin, take: { sent.take($0) },
                takeErrors: { complaints.take($0) })
            try checkIsOver(outcome)
            batch.statistics = batch.statistics + outcome.statistics
            unsent.split += sent.paths.map { clone.directory + [UInt8(ascii: "/")] + $0 }
            let isDone = outcome.verdict == .done
            let hasVanished = outcome.verdict == .partial && complaints.isExplained && complaints.failed.isEmpty
            guard isDone || hasVanished else {
                try consumer.notePartials(in: Set(clone.units.flatMap(\.paths).map(BatchPlan.parent(of:))), notes: [:])
                plan.units += clone.units
                continue
            }
            let (present, vanished) = isDone ? (clone.units, []) : stillPresent(clone.units)
            unsent.vanished += vanished
            let names = present.reduce(0) { $0 + $1.paths.count }
            batch.paths += names
            batch.linked += names - sent.paths.count
        }
        plan.units.sort { BatchPlan.precedes($0.paths[0], $1.paths[0]) }
        return unsent
    }

    /// Sends the inodes of names that came apart once more, each with all its names: the receiver makes one file of them
    /// again, and sends nothing of it.
    func relink(_ split: [[UInt8]], _ survey: BatchSurvey, _ batch: inout BatchReport) throws {
        guard !split.isEmpty else { return }
        let units = try survey.units(ofInodesNamed: split)
        guard !units.isEmpty else { return }
        context.tell(.relinked(units.count))
        // What vanishes of them now has rows of its own.
        _ = try put(units, isForced: false, &batch)
    }
}
