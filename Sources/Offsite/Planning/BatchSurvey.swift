import ChangeStore
import LinuxKernel
import SystemPackage

/// Collects what is pending and what stands on the disk, and has it planned.
struct BatchSurvey {
    let stateDirectory: [UInt8]
    let reader: StoreReader
    let scope: SourceScope
    let roots: RootCheck
    let settle: Int64
    let maxDelay: Int64

    /// Paths and bytes of one batch. More paths make one inode's names dear to keep together, and bytes what an
    /// interruption repeats.
    static let mostPaths = 20_000
    static let mostBytes: Int64 = 8 << 30
    /// Later rows are looked through for names of inodes of this batch, up to so many.
    private static let mostLaterRows = 1_000_000

    /// What history tells of, up to a row.
    struct Window {
        /// By absolute path.
        var facts: [[UInt8]: PathFacts] = [:]
        var through: Int64
        /// There are rows after `through` that were there already.
        var isCut = false
    }

    /// Reads the next rows.
    func window(after cursor: Int64, through end: Int64) throws -> Window {
        var window = Window(through: end)
        var bytes: Int64 = 0
        var path: [UInt8] = []
        try reader.run(HistoryScan(after: cursor, through: end)) { row in
            path.removeAll(keepingCapacity: true)
            row.appendPath(to: &path)
            if let known = window.facts[path] {
                var facts = known
                facts.add(row.kind, at: row.at)
                window.facts[path] = facts
                return .next
            }
            guard let facts = PathFacts(row.kind, at: row.at),
                scope.relative(path, isDirectory: row.type == .directory) != nil
            else { return .next }
            if window.facts.count >= Self.mostPaths || bytes >= Self.mostBytes {
                window.through = row.sequence - 1
                window.isCut = true
                return .stop
            }
            if row.kind != .deleted, row.type == .file { bytes += row.size }
            window.facts[path] = facts
            return .next
        }
        return window
    }

    /// Plans what is to be done about paths.
    ///
    /// - Parameters:
    ///   - facts: by absolute path.
    ///   - end: the row up to which they tell of.
    ///   - isFullPass: everything comes up once: an inode's names go with the first of them, and none counts as being
    ///     there already.
    ///   - isKept: whether something is kept about an absolute path that is not among `facts`.
    func plan(
        _ facts: [[UInt8]: PathFacts], through end: Int64, isFullPass: Bool = false, isKept: ([UInt8]) throws -> Bool
    ) throws -> BatchPlan {
        var planner = BatchPlanner(settle: settle, maxDelay: maxDelay, now: .now)
        var look: SourceLook
        do throws(Errno) { look = try SourceLook(source: scope.source) } catch {
            throw SyncFailure.sourceAway(scope.source, error)
        }
        var away: [BatchPlan.Postponed] = []
        var groups: [InodeID: [(path: [UInt8], status: FileStatus)]] = [:]
        for path in facts.keys.sorted(by: BatchPlan.precedes) {
            guard let pending = facts[path], let relative = scope.relative(path, isDirectory: nil) else { continue }
            if roots.isAway(path) {
                away.append(
                    .init(
                        path: relative, facts: pending, due: Timestamp.now.advanced(by: BatchPlanner.absence),
                        reason: .rootAway))
                continue
            }
            let state = look.state(of: relative)
            if case .present(let status) = state, !status.isDirectory, status.linkCount > 1 {
                groups[InodeID(status), default: []].append((relative, status))
            } else {
                planner.add(.init(path: relative, facts: pending, state: state))
            }
        }
        try addGroups(groups, facts, through: end, isFullPass: isFullPass, isKept, &look, &planner)
        for parent in planner.blocked { addReplacement(of: parent, &look, &planner) }
        var plan = planner.finish()
        plan.postponed += away
        return plan
    }

    private struct InodeID: Hashable {
        let device: UInt64
        let inode: UInt64
        init(_ status: FileStatus) { (device, inode) = (status.device, status.inode) }
    }

    /// Adds what has several names: files, and what else `cp -al` and `rsync --link-dest` link, with all of these.
    private func addGroups(
        _ groups: [InodeID: [(path: [UInt8], status: FileStatus)]], _ facts: [[UInt8]: PathFacts],
        through end: Int64, isFullPass: Bool, _ isKept: ([UInt8]) throws -> Bool, _ look: inout SourceLook,
        _ planner: inout BatchPlanner
    ) throws {
        guard !groups.isEmpty else { return }
        let index = try InodeNames(stateDirectory: stateDirectory)
        var names: [InodeID: [[UInt8]]] = [:]
        for (inode, known) in groups {
            var paths = Set(known.map(\.path))
            for path in try index.paths(inode: inode.inode) where !roots.isAway(path) {
                guard let relative = scope.relative(path, isDirectory: false), !paths.contains(relative),
                    case .present(let status) = look.state(of: relative), InodeID(status) == inode
                else { continue }
                paths.insert(relative)
            }
            names[inode] = paths.sorted(by: BatchPlan.precedes)
        }
        // What the index has may be newer than the rows that were read: a name without a row in them may have one since.
        let later = isFullPass ? nil : try laterPaths(after: end)
        for (inode, paths) in names {
            if isFullPass, let first = paths.first, facts[scope.absolute(first)] == nil { continue }
            let group = try paths.map { path in
                let absolute = scope.absolute(path)
                let pending = facts[absolute]
                let isSynced = try pending == nil && later.map { !$0.contains(absolute) } == true && !isKept(absolute)
                return BatchPlanner.Name(path: path, facts: pending, isSynced: isSynced)
            }
            let status = groups[inode]?.first?.status
            planner.add(inode: group, isFile: status?.type == .file, size: status?.size ?? 0)
        }
    }

    /// The paths of the rows after this one; nil when they are too many to know.
    private func laterPaths(after sequence: Int64) throws -> Set<[UInt8]>? {
        let last = try reader.lastSequence
        var paths: Set<[UInt8]> = []
        var path: [UInt8] = []
        var count = 0
        try reader.run(HistoryScan(after: sequence, through: last)) { row in
            count += 1
            if count > Self.mostLaterRows { return .stop }
            guard row.type != .directory, row.kind != .deleted else { return .next }
            path.removeAll(keepingCapacity: true)
            row.appendPath(to: &path)
            paths.insert(path)
            return .next
        }
        return count > Self.mostLaterRows ? nil : paths
    }

    /// Puts the ancestor that is no directory.
    private func addReplacement(of directory: [UInt8], _ look: inout SourceLook, _ planner: inout BatchPlanner) {
        for path in BatchPlan.parents(of: directory) + [directory] {
            guard case .present(let status) = look.state(of: path) else { return }
            if status.type != .directory { return planner.addReplacement(path) }
        }
    }
}
