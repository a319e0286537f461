import ChangeStore
import LinuxKernel
import SystemPackage

/// How a copy differs from its source at one path.
public struct Drift: Equatable, Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case missing, extra, content, metadata
        /// Names that are one file on one side and several on the other.
        case links
        /// Its time is one that the destination cannot keep: no transfer ends that, so it is no drift.
        case unrepresentable
    }

    /// Relative to the source.
    public let path: [UInt8]
    public let kind: Kind

    public init(path: [UInt8], kind: Kind) {
        self.path = path
        self.kind = kind
    }
}

/// Compares a destination with the source: what a transfer would change, and hard links, of which rsync sees only those
/// that are missing. What is pending is left out, and what differs is looked at again.
public final class CopyVerification {
    private let context: SyncContext
    private let settings: DestinationSettings
    private let reader: StoreReader
    private let link: DestinationLink
    /// What the last run found that the destination cannot keep, sorted.
    public internal(set) var unrepresentable: [[UInt8]] = []
    private let pulse: Pulse

    /// Returns the places of the source that are not what they should be, absolute: what is in them is not compared, least
    /// of all taken for deleted.
    private let heldPlaces: () throws -> [[UInt8]]

    /// - Parameter heldPlaces: asked after settling.
    /// - Throws: `StoreError`, `SyncFailure`.
    public init(
        _ settings: DestinationSettings, context: SyncContext, heldPlaces: @escaping () throws -> [[UInt8]]
    ) throws {
        self.settings = settings
        self.context = context
        self.heldPlaces = heldPlaces
        let pulse = Pulse(stop: context.stop, heartbeat: context.heartbeat)
        self.pulse = pulse
        reader = try StoreReader(stateDirectory: context.stateDirectory)
        reader.onPage = { try pulse() }
        link = try DestinationLink(
            settings, stateDirectory: context.stateDirectory,
            process: ProgramRun(stop: context.stop, heartbeat: context.heartbeat))
        _ = try link.recall(context.consumer)
    }

    /// What is compared by content, not by size and time alone.
    public enum Contents: Equatable, Sendable {
        case none
        case all
        /// This part of all files, in percent, another one each day.
        case sample(percent: Double)
        /// The same, and nothing of the rest is looked at.
        case sampleOnly(percent: Double)
    }

    /// - Returns: the differences, and what could not be compared.
    /// - Throws: `StoreError`, `SyncFailure`, what settling throws.
    public func run(_ contents: Contents) throws -> VerificationResult {
        uncompared = []
        let drifts = try compare(contents)
        return VerificationResult(drifts: drifts, uncompared: uncompared.outermost)
    }

    private func compare(_ contents: Contents) throws -> [Drift] {
        guard try reader.isBaselineDone else { throw SyncFailure.baselineMissing }
        guard case .at = try context.consumer.standing(in: reader) else { throw SyncFailure.neverComplete }
        try context.settle()
        guard try link.readMarker() != nil else { throw SyncFailure.noMarker(target: settings.target.text) }
        unrepresentable = []
        var found: Set<Drift> = []
        switch contents {
        case .none, .all: found = try compareAll(withChecksums: contents == .all)
        case .sample(let percent): found = try compareAll(withChecksums: false).union(compareSample(percent))
        case .sampleOnly(let percent): found = try compareSample(percent)
        }
        if case .sampleOnly = contents {} else { found.formUnion(try compareLinks()) }
        found = try withoutPending(try withoutUnrepresentable(found))
        if found.isEmpty { return [] }
        // What changed while it was compared: looked at again, and once more left out where it is pending by now.
        try context.settle()
        let again = try withoutUnrepresentable(try lookAgain(found, withChecksums: contents != .none))
        return try withoutPending(again).sorted { BatchPlan.precedes($0.path, $1.path) }
    }

    // MARK: Comparing

    /// What could not be compared so far.
    private var uncompared: Set<Uncompared> = []

    /// The roots that are what the index means, relative to the source; empty for the source itself, which may be one or lie
    /// in one.
    private var presentRoots: [[UInt8]] {
        get throws {
            let present = RootCheck(try reader.rootIdentities).present
            if present.contains(where: context.scope.isAbove) { return [[]] }
            return present.compactMap { context.scope.relative($0, isDirectory: true) }
        }
    }

    /// Whether a path, relative to the source, is a root or in one. The source's own top and what lies between it and the
    /// roots is nobody's: others change it, and a transfer brings it along as it happens to be.
    private static func isCompared(_ path: [UInt8], _ roots: [[UInt8]]) -> Bool {
        path != [UInt8(ascii: ".")]
            && roots.contains { $0.isEmpty || $0 == path || RenameMap.rest(of: path, below: $0) != nil }
    }

    private func compareAll(withChecksums: Bool) throws -> Set<Drift> {
        let roots = try presentRoots
        if roots.isEmpty { return [] }
        return try drifts(of: roots, isRecursive: true, withChecksums: withChecksums)
    }

    func drifts(of paths: [[UInt8]], isRecursive: Bool, withChecksums: Bool) throws -> Set<Drift> {
        var found: Set<Drift> = []
        var look = try? SourceLook(source: settings.source)
        let roots = try presentRoots
        let outcome = try link.compare(paths, isRecursive: isRecursive, withChecksums: withChecksums) { line in
            let path = line.name
            guard Self.isCompared(path, roots),
                context.scope.relative(context.scope.absolute(path), isDirectory: nil) != nil
            else { return }
            var isKept = true
            if line.isTimeAlone, case .present(let status)? = look?.state(of: path) {
                isKept = link.limits.keeps(status.modified)
            }
            let kind: Drift.Kind =
                switch line.kind {
                case .content where !isKept, .metadata where !isKept: .unrepresentable
                case .missing: .missing
                case .extra: .extra
                case .content: .content
                case .metadata: .metadata
                case .link: .links
                }
            found.insert(Drift(path: path, kind: kind))
        }
        try noteUncompared(outcome, "comparing", roots)
        return found
    }

    /// Files come and go while they are compared; what cannot be read is noted.
    private func noteUncompared(_ outcome: DestinationLink.Outcome, _ step: String, _ roots: [[UInt8]]) throws {
        guard outcome.verdict == .partial else { return try link.check(outcome, step) }
        let scope = context.scope
        uncompared.formUnion(
            link.uncompared(outcome) { path in
                Self.isCompared(path, roots) && scope.relative(scope.absolute(path), isDirectory: nil) != nil
            })
    }

    private func compareSample(_ percent: Double) throws -> Set<Drift> {
        var paths: [[UInt8]] = []
        let day = UInt64(bitPattern: Timestamp.now.nanoseconds / 86_400_000_000_000)
        let share = UInt64((min(max(percent, 0), 100) * 10_000).rounded())
        try IndexWalk(stateDirectory: context.stateDirectory).run { path, attributes in
            try pulse()
            guard attributes.type == .file, let relative = context.scope.relative(path, isDirectory: false) else {
                return .next
            }
            if (Self.hash(relative) &+ day &* share) % 1_000_000 < share { paths.append(relative) }
            return .next
        }
        return paths.isEmpty ? [] : try drifts(of: paths, isRecursive: false, withChecksums: true)
    }

    /// FNV-1a: the same on each day and in each process, so that a day's part follows the day before's.
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    // MARK: Hard links

    /// The names that are one file with a path on one side or on both, of paths with differing links.
    private var companions: [[UInt8]: Set<[UInt8]>] = [:]

    private func compareLinks() throws -> Set<Drift> {
        var theirs: [[UInt8]: Set<[UInt8]>] = [:]
        let roots = try presentRoots
        let outcome = try link.listLinks { path, other in
            guard let other else { return }
            theirs[other, default: [other]].insert(path)
        }
        try noteUncompared(outcome, "listing the destination's hard links", roots)
        let mine = try sourceGroups()
        let known = Set(mine)
        companions = [:]
        var drifts: Set<Drift> = []
        let scope = context.scope
        func isCarried(_ path: [UInt8]) -> Bool {
            Self.isCompared(path, roots) && scope.relative(scope.absolute(path), isDirectory: false) != nil
        }
        for group in theirs.values where !known.contains(group) {
            for path in group { companions[path, default: []].formUnion(group) }
            for path in group where isCarried(path) { drifts.insert(Drift(path: path, kind: .links)) }
        }
        let groups = Set(theirs.values)
        for group in mine where !groups.contains(group) {
            for path in group { companions[path, default: []].formUnion(group) }
            for path in group { drifts.insert(Drift(path: path, kind: .links)) }
        }
        return drifts
    }

    /// The names of each file of the source that has several which are carried.
    private func sourceGroups() throws -> [Set<[UInt8]>] {
        struct Inode: Hashable {
            let device: UInt64
            let inode: UInt64
        }
        var look: SourceLook
        do throws(Errno) { look = try SourceLook(source: settings.source) } catch {
            throw SyncFailure.sourceAway(settings.source, error)
        }
        var groups: [Inode: Set<[UInt8]>] = [:]
        try IndexWalk(stateDirectory: context.stateDirectory).run { path, attributes in
            try pulse()
            guard attributes.type != .directory, attributes.linkCount > 1,
                let relative = context.scope.relative(path, isDirectory: false),
                case .present(let status) = look.state(of: relative)
            else { return .next }
            groups[Inode(device: status.device, inode: status.inode), default: []].insert(relative)
            return .next
        }
        return groups.values.filter { $0.count > 1 }
    }

    // MARK: What is pending

    private func withoutPending(_ drifts: Set<Drift>) throws -> Set<Drift> {
        if drifts.isEmpty { return [] }
        guard case .at(let cursor) = try context.consumer.standing(in: reader) else { return [] }
        var pending: Set<[UInt8]> = []
        // A directory's time changes with what is in it.
        var stirred: Set<[UInt8]> = []
        var path: [UInt8] = []
        try reader.run(HistoryScan(after: cursor, through: try reader.lastSequence)) { row in
            path.removeAll(keepingCapacity: true)
            row.appendPath(to: &path)
            if pending.insert(path).inserted {
                for parent in BatchPlan.parents(of: path).reversed() where !stirred.insert(parent).inserted { break }
            }
            return .next
        }
        try context.consumer.forEachPath(in: .heldDeletion) { stirred.formUnion(BatchPlan.parents(of: $0).suffix(1)) }
        let roots = RootCheck(try reader.rootIdentities)
        let held = try heldPlaces()
        return try drifts.filter { drift in
            let absolute = context.scope.absolute(drift.path)
            if roots.isAway(absolute) || pending.contains(absolute) { return false }
            if held.contains(where: { $0 == absolute || RenameMap.rest(of: absolute, below: $0) != nil }) {
                return false
            }
            if drift.kind == .metadata, stirred.contains(absolute) { return false }
            // A name that is to be linked or deleted makes the others of its file differ as well.
            let names = drift.kind == .links ? companions[drift.path] ?? [] : []
            return try ([drift.path] + names).map(context.scope.absolute).allSatisfy { path in
                try !pending.contains(path) && context.consumer.work(about: path) == nil
            }
        }
    }

    private func lookAgain(_ drifts: Set<Drift>, withChecksums: Bool) throws -> Set<Drift> {
        let paths = Set(drifts.filter { $0.kind != .extra && $0.kind != .links }.map(\.path))
        var again =
            paths.isEmpty
            ? []
            : try self.drifts(
                of: paths.sorted(by: BatchPlan.precedes), isRecursive: false, withChecksums: withChecksums)
        again = again.filter { paths.contains($0.path) }
        if drifts.contains(where: { $0.kind == .links }) {
            again.formUnion(try compareLinks().intersection(drifts))
        }
        guard var look = try? SourceLook(source: settings.source) else { return again }
        again.formUnion(drifts.filter { $0.kind == .extra && look.state(of: $0.path) == .missing })
        return again
    }

    // MARK: Repair

    /// Makes what drifted pending: the next run sends or deletes it, whatever size and time say.
    public func makePending(_ drifts: [Drift]) throws {
        var commit = ConsumerCommit()
        let now = Timestamp.now
        for drift in drifts {
            let facts = PathFacts(
                existedBefore: true, contentChanged: drift.kind != .extra, exists: drift.kind != .extra,
                wasWritten: false, first: now, lastWritten: Timestamp(nanoseconds: 0))
            commit.kept.append(
                ConsumerWork(
                    context.scope.absolute(drift.path), facts, drift.kind == .extra ? .heldDeletion : .waiting,
                    due: now, reason: "it differed (\(drift.kind.rawValue))"))
        }
        try context.consumer.commit(commit, store: reader.uuid)
    }
}
