public import LinuxKernel
import SystemPackage

/// Turns what is known of changed paths into what is to be done at the destination (design: "The algorithm"). It does no
/// I/O: history, looks and the names of inodes are given to it.
public struct BatchPlanner {
    /// One pending path.
    public struct Candidate: Sendable {
        /// Relative to the source.
        public let path: [UInt8]
        public let facts: PathFacts
        public let state: SourceState

        public init(path: [UInt8], facts: PathFacts, state: SourceState) {
            self.path = path
            self.facts = facts
            self.state = state
        }
    }

    /// A name of an inode that has several; directories have one.
    public struct Name: Sendable {
        public let path: [UInt8]
        /// What is pending about it; nil: nothing in this batch.
        public let facts: PathFacts?
        /// Nothing is pending about it anywhere, so the destination has it as it is.
        public let isSynced: Bool

        public init(path: [UInt8], facts: PathFacts?, isSynced: Bool) {
            self.path = path
            self.facts = facts
            self.isSynced = isSynced
        }
    }

    /// Content that changed within so many nanoseconds waits.
    private let settle: Int64
    /// But not longer than so many nanoseconds after the first change.
    private let maxDelay: Int64
    private let now: Timestamp
    /// Nanoseconds until something that is away is looked for again.
    static let absence: Int64 = 900_000_000_000

    private var gone: [[UInt8]] = []
    private var plan = BatchPlan()
    private var clones = LinkClones()

    public init(settle: Int64, maxDelay: Int64, now: Timestamp) {
        self.settle = settle
        self.maxDelay = maxDelay
        self.now = now
    }

    /// Adds a path whose inode has one name, or that is not there.
    public mutating func add(_ candidate: Candidate) {
        let facts = candidate.facts.given(candidate.state)
        switch candidate.state {
        case .present(let status):
            guard status.type == .file else {
                // The receiver's --force replaces a directory by something else; a directory is put as itself.
                if status.type != .directory { noteReplacement(of: candidate.path, facts) }
                put([candidate.path], isForced: false)
                return
            }
            if let due = dueTime(of: facts) { return postpone(candidate, until: due, .unsettled) }
            let isForced = facts.existedBefore && facts.wasWritten || facts.contentChanged
            put([candidate.path], isForced: isForced, bytes: status.size)
        case .missing:
            if facts.exists {
                postpone(candidate, until: now.advanced(by: Self.absence), .absent)
            } else {
                gone.append(candidate.path)
            }
        case .blocked:
            // What is gone goes with the ancestor that is no directory any more, once that one is put.
            if facts.exists { return postpone(candidate, until: now.advanced(by: Self.absence), .absent) }
            plan.covered.append(candidate.path)
            if let parent = BatchPlan.parents(of: candidate.path).last { blocked.insert(parent) }
        case .unknown(let error):
            postpone(candidate, until: now.advanced(by: Self.absence), .unreadable(error.rawValue))
        }
    }

    /// Directories of paths that something else than a directory stands above.
    public private(set) var blocked: Set<[UInt8]> = []

    /// Adds an ancestor that took the place of a directory: it is to be there before deletions.
    public mutating func addReplacement(_ path: [UInt8]) { put([path], isForced: false) }

    /// Adds what has several names, all of which are given, those outside of what is carried left out.
    ///
    /// - Parameters:
    ///   - isFile: not a symlink, a FIFO or the like, which nobody writes for long.
    ///   - size: bytes.
    public mutating func add(inode names: [Name], isFile: Bool = true, size: Int64) {
        // All these names are there.
        let pending = names.compactMap { name in name.facts.map { (name.path, $0.givenPresence) } }
        // All names have one content: while it is written, none of them is sent.
        if isFile, let due = pending.compactMap({ dueTime(of: $0.1) }).max() {
            for (path, facts) in pending {
                plan.postponed.append(.init(path: path, facts: facts, due: due, reason: .unsettled))
            }
            return
        }
        if !isFile { for (path, facts) in pending { noteReplacement(of: path, facts) } }
        let isContentSame = pending.allSatisfy { $0.1.isNewName || !$0.1.wasWritten && !$0.1.contentChanged }
        let synced = isFile && isContentSame ? names.filter { $0.facts == nil && $0.isSynced }.map(\.path) : []
        // Of what is no file the receiver makes the first name anew, and links to that.
        guard !synced.isEmpty else { return put(names.map(\.path), isForced: !isContentSame, bytes: size) }
        let unit = BatchPlan.Unit(pending.map(\.0), anchors: Self.anchors(among: synced))
        // Changed attributes are to be set on what is there, which a clone does not do.
        if pending.allSatisfy({ $0.1.isNewName }) { clones.add(unit, synced: synced) } else { plan.units.append(unit) }
    }

    /// Names that the receiver links to. One that is removed meanwhile leaves another: weeks go from one end of the order,
    /// and which end that is depends on how they are named.
    ///
    /// - Parameter synced: sorted, not empty.
    static func anchors(among synced: [[UInt8]]) -> [[UInt8]] {
        guard synced.count > 3 else { return synced }
        return [synced[0], synced[synced.count - 2], synced[synced.count - 1]]
    }

    private mutating func noteReplacement(of path: [UInt8], _ facts: PathFacts) {
        if facts.contentChanged || facts.existedBefore && facts.wasWritten { plan.replaced.append(path) }
    }

    private mutating func put(_ paths: [[UInt8]], isForced: Bool, bytes: Int64 = 0) {
        plan.units.append(.init(paths, isForced: isForced, bytes: bytes))
    }

    private mutating func postpone(_ candidate: Candidate, until due: Timestamp, _ reason: BatchPlan.Reason) {
        plan.postponed.append(.init(path: candidate.path, facts: candidate.facts, due: due, reason: reason))
    }

    /// When the content has settled; nil when it has, or has waited for long enough.
    private func dueTime(of facts: PathFacts) -> Timestamp? {
        guard facts.wasWritten, settle > 0 else { return nil }
        let due = min(facts.lastWritten.advanced(by: settle), facts.first.advanced(by: maxDelay))
        // A clock that was set back must not make anything wait for ever.
        return due > now && facts.lastWritten <= now ? due : nil
    }

    /// The plan: nothing to be deleted lies in another that is.
    public consuming func finish() -> BatchPlan {
        var plan = plan
        let made = clones.finish()
        plan.clones = made.clones
        plan.units += made.rest
        plan.replaced.sort(by: BatchPlan.precedes)
        plan.units.sort { BatchPlan.precedes($0.paths[0], $1.paths[0]) }
        gone.sort(by: BatchPlan.precedes)
        plan.gone = gone
        plan.deletions = BatchPlan.outermost(gone)
        return plan
    }
}
