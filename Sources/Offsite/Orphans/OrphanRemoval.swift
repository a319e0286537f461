public import ChangeStore
import LinuxKernel
import SystemPackage

/// Lists the orphans of a destination, and removes them there when told so.
public final class OrphanRemoval {
    private let settings: DestinationSettings
    private let context: SyncContext
    private let reader: StoreReader

    /// Paths that one run of rsync deletes.
    private static let most = 10_000

    /// - Throws: `StoreError`.
    public init(_ settings: DestinationSettings, context: SyncContext) throws(StoreError) {
        self.settings = settings
        self.context = context
        reader = try StoreReader(stateDirectory: context.stateDirectory)
    }

    /// What was found last, less what is copied again by now.
    ///
    /// - Throws: `StoreError`, `SyncFailure`, what settling throws.
    public func orphans() throws -> OrphanList {
        try context.settle()
        var orphans = try OrphanList(
            of: settings.name, stateDirectory: context.stateDirectory, consumer: context.consumer)
        var standing = try CopyStanding(context.scope, reader, stateDirectory: context.stateDirectory)
        for path in orphans.tops.keys
        where ![.orphan, .stranger].contains(try standing.answer(path, isDirectory: nil)) {
            orphans.remove(path)
        }
        return orphans
    }

    /// Deletes orphans at the destination, with everything in them. The consumer's lock is held.
    ///
    /// - Returns: how many files and directories are gone.
    public func remove(_ orphans: OrphanList) throws -> Int64 {
        let link = try DestinationLink(
            settings, stateDirectory: context.stateDirectory,
            process: ProgramRun(stop: context.stop, heartbeat: context.heartbeat))
        try link.findPrograms()
        _ = try link.recall(context.consumer)
        guard let marker = try link.greet().marker else { throw SyncFailure.noMarker(target: link.targetText) }
        let stores = ["", try reader.uuid]
        guard marker.destination == settings.name, marker.machine == context.machine, stores.contains(marker.store)
        else {
            throw SyncFailure.foreignMarker(
                target: link.targetText, "is that of another host, store or destination")
        }
        link.contact.marker = marker
        var left = orphans
        var deleted: Int64 = 0
        var paths = orphans.tops.keys.sorted(by: BatchPlan.precedes)[...]
        while !paths.isEmpty {
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            let part = Array(paths.prefix(Self.most))
            paths = paths.dropFirst(part.count)
            let count = part.reduce(0) { $0 + (orphans.tops[$1] ?? 0) }
            let outcome = try link.delete(part, atMost: count * 2 + 1_000)
            deleted += outcome.statistics.deleted
            try link.check(outcome, "removing orphans")
            for path in part { left.remove(path) }
            try left.save(for: settings.name, stateDirectory: context.stateDirectory, consumer: context.consumer)
            try putTimes(of: part, link)
        }
        return deleted
    }

    /// A deletion changes its directory's time.
    private func putTimes(of paths: [[UInt8]], _ link: DestinationLink) throws {
        var standing = try CopyStanding(context.scope, reader, stateDirectory: context.stateDirectory)
        let parents = try Set(paths.map(BatchPlan.parent(of:))).filter {
            try !$0.isEmpty && standing.answer($0, isDirectory: true) == .copied
        }
        if parents.isEmpty { return }
        let outcome = try link.put(
            BatchPlan.paths(of: parents.map { BatchPlan.Unit([$0]) }), isForced: false, mayReplaceDirectories: false)
        if outcome.verdict != .partial { try link.check(outcome, "putting back the times of directories") }
    }
}
