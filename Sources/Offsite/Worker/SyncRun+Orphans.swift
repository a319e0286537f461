import ChangeStore
import LinuxKernel

/// What the destination has and this configuration does not copy any more.
extension SyncRun {
    /// Notes what a full scan found.
    func note(_ orphans: OrphanList) throws {
        try orphans.save(for: settings.name, stateDirectory: context.stateDirectory, consumer: consumer)
        guard orphans.count > 0 else { return }
        context.tell(
            .notice(
                "\(counted(orphans.count, "path is", plural: "paths are")) at the destination and no longer copied, and left alone: "
                    + "`changes sync orphans \(settings.name)` lists them"))
    }

    /// Adds what the history says is no longer tracked, as far as the destination has it: no scan is needed for that.
    func findUntracked(after cursor: Int64, through end: Int64) throws {
        var paths: Set<[UInt8]> = []
        var path: [UInt8] = []
        try reader.run(HistoryScan(after: cursor, through: end)) { row in
            guard row.kind == .untracked else { return .next }
            path.removeAll(keepingCapacity: true)
            row.appendPath(to: &path)
            if let relative = context.scope.relative(path, isDirectory: row.type == .directory) {
                paths.insert(relative)
            }
            return paths.count < OrphanList.mostTops ? .next : .stop
        }
        var standing = try CopyStanding(context.scope, reader, stateDirectory: context.stateDirectory)
        // Tracked again meanwhile, or gone.
        let untracked = try BatchPlan.outermost(paths.sorted(by: BatchPlan.precedes)).filter {
            [.orphan, .stranger].contains(try standing.answer($0, isDirectory: nil))
        }
        guard !untracked.isEmpty else { return }
        var orphans = try OrphanList(of: settings.name, stateDirectory: context.stateDirectory, consumer: consumer)
        for path in untracked { orphans.remove(path) }
        let known = orphans
        var tops = OrphanList()
        for path in untracked where known.top(of: path) == nil { tops.tops[path] = 0 }
        guard !tops.tops.isEmpty else { return }
        try link.list(Array(tops.tops.keys)) { path, _ in
            // The list has the parents too.
            if tops.top(of: path) != nil { orphans.add(path) }
        }
        if orphans != known { try note(orphans) }
    }
}
