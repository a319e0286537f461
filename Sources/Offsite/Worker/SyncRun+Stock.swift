import ChangeStore
import LinuxKernel

/// How much there is, by the index: what the guards compare with.
extension SyncRun {
    /// Counts what there is in a root, or in all of them.
    ///
    /// - Parameter isEnough: ends the count early.
    func stock(
        of root: [UInt8]?, until isEnough: (PathAmounts) -> Bool
    ) throws -> (amounts: PathAmounts, hasLinks: Bool) {
        var amounts = PathAmounts.none
        var hasLinks = false
        // An absolute number of paths needs no count.
        if isEnough(amounts) { return (amounts, false) }
        try walk(after: root ?? []) { path, attributes in
            if let root, RenameMap.rest(of: path, below: root) == nil { return path == root ? .next : .stop }
            amounts += Self.amounts(of: attributes)
            if attributes.type == .file, attributes.linkCount > 1 { hasLinks = true }
            return amounts.paths % 256 == 0 && isEnough(amounts) ? .stop : .next
        }
        return (amounts, hasLinks)
    }

    /// Notes how much there is in each root, where that was not done lately. What is noted is what the destination has: all
    /// that was gone is deleted there.
    func noteStock() throws {
        guard !options.dryRun, mayDelete else { return }
        let now = Timestamp.now
        if let last = try consumer.lastStock, now.advanced(by: -deleteWindow / 4) < last, last <= now { return }
        var stock: [[UInt8]: PathAmounts] = [:]
        let roots = guardedRoots
        try walk(after: []) { path, attributes in
            let amounts = Self.amounts(of: attributes)
            stock[[], default: .none] += amounts
            if let root = roots.root(of: path) { stock[root, default: .none] += amounts }
            return .next
        }
        try consumer.noteStock(stock, at: now, forgetting: now.advanced(by: -deleteWindow - deleteWindow / 2))
    }

    /// Of a file with several names each has its part.
    private static func amounts(of attributes: EntryAttributes) -> PathAmounts {
        PathAmounts(
            paths: 1, bytes: attributes.type == .file ? attributes.size / Int64(max(1, attributes.linkCount)) : 0)
    }

    /// Goes through what the index has of what is copied.
    private func walk(
        after start: [UInt8], _ visit: ([UInt8], EntryAttributes) -> IndexWalk.Step
    ) throws {
        try IndexWalk(stateDirectory: context.stateDirectory).run(after: start) { [context, pulse] path, attributes in
            try pulse()
            let isDirectory = attributes.type == .directory
            guard context.scope.relative(path, isDirectory: isDirectory) != nil else {
                return !isDirectory || context.scope.isAbove(path) ? .next : .skipContents
            }
            return visit(path, attributes)
        }
    }
}
