import ChangeStore
import LinuxKernel
import SystemPackage

/// Collects what is pending and what stands on the disk, and has it planned.
struct BatchSurvey {
    let stateDirectory: [UInt8]
    let reader: StoreReader
    let consumer: Consumer
    let later: LaterRows
    let scope: SourceScope
    let roots: RootCheck
    let settle: Int64
    let maxDelay: Int64
    let pulse: Pulse
    let taken: TakenInodes

    /// Paths and bytes of one batch. More paths make one inode's names dear to keep together, and bytes what an
    /// interruption repeats.
    static let mostPaths = 20_000
    static let mostBytes: Int64 = 8 << 30

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
        // A cursor is always a row's own number: one that no row has would look like that of a row which was lost.
        var previous = cursor
        try reader.run(HistoryScan(after: cursor, through: end)) { row in
            defer { if !window.isCut { previous = row.sequence } }
            path.removeAll(keepingCapacity: true)
            row.appendPath(to: &path)
            if let known = window.facts[path] {
                var facts = known
                facts.add(row.kind, at: row.at, isContentUncertain: row.isContentUncertain)
                window.facts[path] = facts
                noteOrigin(of: row, in: &window)
                return .next
            }
            guard let facts = PathFacts(row.kind, at: row.at, isContentUncertain: row.isContentUncertain),
                scope.relative(path, isDirectory: row.type == .directory) != nil
            else { return .next }
            if window.facts.count >= Self.mostPaths || bytes >= Self.mostBytes {
                window.through = previous
                window.isCut = true
                return .stop
            }
            if row.kind != .deleted, row.type == .file { bytes += row.size }
            window.facts[path] = facts
            noteOrigin(of: row, in: &window)
            return .next
        }
        return window
    }

    /// Where something was moved from, something else may have come: names that are exchanged are never gone, and a row
    /// of theirs says no more than that of a name that is new. What the destination has there may look like it.
    private func noteOrigin(of row: HistoryRow, in window: inout Window) {
        guard row.kind == .moved, row.type != .directory, let from = row.record.from,
            scope.relative(from, isDirectory: false) != nil
        else { return }
        var facts =
            window.facts[from]
            ?? PathFacts(
                existedBefore: true, contentChanged: true, exists: false, wasWritten: false, first: row.at,
                lastWritten: Timestamp(nanoseconds: 0))
        facts.contentChanged = true
        window.facts[from] = facts
    }

    /// Plans what is to be done about paths.
    ///
    /// - Parameters:
    ///   - facts: by absolute path.
    ///   - end: the row up to which they tell of.
    ///   - isFullPass: everything comes up once: an inode's names go with the first of them, and none counts as being
    ///     there already.
    func plan(_ facts: [[UInt8]: PathFacts], through end: Int64, isFullPass: Bool = false) throws -> BatchPlan {
        var planner = BatchPlanner(settle: settle, maxDelay: maxDelay, now: .now)
        var look: SourceLook
        do throws(Errno) { look = try SourceLook(source: scope.source) } catch {
            throw SyncFailure.sourceAway(scope.source, error)
        }
        var away: [BatchPlan.Postponed] = []
        var groups = InodeGroups()
        for (path, pending) in facts.sorted(by: { BatchPlan.precedes($0.key, $1.key) }) {
            // Looks at a slow disk may take milliseconds each.
            try pulse()
            guard let relative = scope.relative(path, isDirectory: nil) else { continue }
            if roots.isAway(path) {
                away.append(
                    .init(
                        path: relative, facts: pending, due: Timestamp.now.advanced(by: BatchPlanner.absence),
                        reason: .rootAway))
                continue
            }
            let state = look.state(of: relative)
            if case .present(let status) = state, !status.isDirectory, status.linkCount > 1 {
                groups.add(relative, pending, status)
            } else {
                planner.add(.init(path: relative, facts: pending, state: state))
            }
        }
        try add(groups, facts, through: isFullPass ? nil : end, &look, &planner)
        for parent in planner.blocked { addReplacement(of: parent, &look, &planner) }
        var plan = planner.finish()
        plan.postponed += away
        return plan
    }

    /// Puts the ancestor that is no directory.
    private func addReplacement(of directory: [UInt8], _ look: inout SourceLook, _ planner: inout BatchPlanner) {
        for path in BatchPlan.parents(of: directory) + [directory] {
            guard case .present(let status) = look.state(of: path) else { return }
            if status.type != .directory { return planner.addReplacement(path) }
        }
    }
}
