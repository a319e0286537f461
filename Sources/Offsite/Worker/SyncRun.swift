public import ChangeStore
public import LinuxKernel
import SystemPackage

/// What a run is asked to do beyond the ordinary.
public struct SyncOptions: Equatable, Sendable {
    /// Everything is carried once more.
    public var full = false
    /// Deletions that are held are carried out, and the guards are content.
    public var allowDeletes = false
    /// Existing files that are held are overwritten.
    public var allowOverwrites = false
    /// What is gone is deleted before anything is sent.
    public var makeRoom = false
    /// Nothing is written anywhere: what would be done is told.
    public var dryRun = false

    public init() {}
}

/// What a run needs of its surroundings.
public struct SyncContext {
    public let stateDirectory: [UInt8]
    /// The consumer of the destination, whose lock is held.
    public let consumer: Consumer
    /// /etc/machine-id.
    public let machine: String
    public let scope: SourceScope
    public let stop: any StopSignal
    /// Has the tracker record everything that happened before; throws when one runs and cannot.
    public let settle: () throws -> Void
    public let tell: (SyncEvent) -> Void
    /// Called about once a second.
    public let heartbeat: () -> Void
    /// Gets what rsync says of its progress; nil: it is not asked to.
    public let progress: ((ArraySlice<UInt8>) -> Void)?
    /// Gets how much room the destination has, once that is known.
    public let roomFound: (FileSystemSpace?) -> Void
    /// Gets what a dry run would do.
    public let planned: ((BatchPlan) -> Void)?

    public init(
        stateDirectory: [UInt8], consumer: Consumer, machine: String, scope: SourceScope, stop: any StopSignal,
        settle: @escaping () throws -> Void, tell: @escaping (SyncEvent) -> Void,
        heartbeat: @escaping () -> Void = {}, progress: ((ArraySlice<UInt8>) -> Void)? = nil,
        planned: ((BatchPlan) -> Void)? = nil, roomFound: @escaping (FileSystemSpace?) -> Void = { _ in }
    ) {
        self.stateDirectory = stateDirectory
        self.consumer = consumer
        self.machine = machine
        self.scope = scope
        self.stop = stop
        self.settle = settle
        self.tell = tell
        self.heartbeat = heartbeat
        self.progress = progress
        self.planned = planned
        self.roomFound = roomFound
    }
}

/// Brings one destination up to date once: batch after batch, from the cursor to the end of the history (design: "The
/// algorithm").
public final class SyncRun {
    let settings: DestinationSettings
    let context: SyncContext
    let options: SyncOptions
    let reader: StoreReader
    let uuid: String
    let link: DestinationLink
    /// Outlives this run; nil: nothing does.
    let connection: KeptConnection?
    /// When the destination was asked for its marker and all else.
    var askedAt = MonotonicTime(nanoseconds: 0)
    private let later: LaterRows
    private let turn: GroupTurn?
    private let taken = TakenInodes()
    let pulse: Pulse
    var report = SyncReport()
    /// Why no deletion is carried out, whatever their number; nil: the guards are content.
    var deletionBar: String?
    /// The directories that were renamed since the cursor.
    var renames = RenameMap()
    /// What is held because it is too much.
    var deletionHold = DeletionHold()
    /// A root was held by earlier runs, and is not any more.
    var hasReleased = false
    /// Why existing files are held; nil: they are not.
    var overwriteHold: String?
    /// Existing files that were written since the cursor, while they are held.
    var pendingOverwrites: Set<PathDigest> = []
    private(set) lazy var guardedRoots = GuardedRoots(source: settings.source, roots: (try? reader.roots) ?? [])
    /// The destination's marker tells of another history than is carried now.
    var isMarkerStale = false
    /// No run before this one ended in the middle of something that was not repeated since.
    var mayClone = true
    /// A full scan goes on that began with nothing at the destination: all that is there came with it.
    var isFirstCopy = false
    /// Batches that were sent and are not committed yet.
    var deferred = DeferredCommits()
    /// Nothing keeps this run from deleting. What something keeps from it does not replace full directories either.
    var mayDelete: Bool { deletionBar == nil && deletionHold.isEmpty && overwriteBar == nil }
    /// Files that were renamed after they were overwritten are gone under their old names.
    private var overwriteBar: String? { options.allowDeletes ? nil : overwriteHold }
    /// Why something is not deleted; nil: everything is.
    var barText: String? { deletionBar ?? overwriteBar ?? deletionHold.text }

    /// Why a path is not deleted; nil: it is.
    ///
    /// - Parameter path: absolute.
    func bar(of path: [UInt8]) -> String? {
        deletionBar ?? overwriteBar
            ?? deletionHold.reason(of: path, in: guardedRoots.root(of: path))
    }

    var consumer: Consumer { context.consumer }

    /// - Throws: `StoreError`, `SyncFailure`.
    public init(
        _ settings: DestinationSettings, context: SyncContext, options: SyncOptions, connection: KeptConnection? = nil
    ) throws {
        self.settings = settings
        self.context = context
        self.options = options
        let pulse = Pulse(stop: context.stop, heartbeat: context.heartbeat)
        reader = try StoreReader(stateDirectory: context.stateDirectory)
        reader.onPage = { try pulse() }
        self.pulse = pulse
        uuid = try reader.uuid
        later = LaterRows(reader)
        turn = settings.group.map {
            GroupTurn(
                $0, in: context.stateDirectory + Array("/offsite".utf8), stop: context.stop,
                heartbeat: context.heartbeat)
        }
        self.connection = connection
        link =
            try connection?.take()
            ?? DestinationLink(
                settings, stateDirectory: context.stateDirectory,
                process: ProgramRun(stop: context.stop, heartbeat: context.heartbeat))
        link.beginRun()
    }

    /// - Throws: `StoreError`, `SyncFailure`, and what settling throws: nothing is lost then, and the next run goes on
    ///   where this one ended.
    public func run() throws -> SyncReport {
        defer { turn?.end() }
        do { return try carryAll() } catch {
            try? noteReceiverEnd(after: error)
            throw error
        }
    }

    private func carryAll() throws -> SyncReport {
        guard try reader.isBaselineDone else { throw SyncFailure.baselineMissing }
        try context.settle()
        try settings.checkTarget(against: reader.roots)
        try requestFullIfAsked()
        let known = try link.recall(consumer)
        try turn?.take { [context] in context.tell(.notice("waiting for another destination of its group")) }
        let found = try askDestination()
        try examine(found)
        noteRoom()
        let standing = try consumer.standing(in: reader)
        // Room is made first, and looked at then.
        if !options.makeRoom { try link.checkRoom(report.room) }
        try claim(found)
        try tidyUp()
        try tryReceiver(known, standing)
        switch standing {
        case .needsFullReconcile(let reason):
            try guardFullPass()
            if options.makeRoom, !options.dryRun { try removePartsForRoom() }
            try carryEverything(reason)
        case .at:
            if options.dryRun, options.full || isMarkerStale {
                try guardFullPass()
                try carryEverything(.requested)
            }
        }
        try carryChanges()
        try noteStock()
        noteRoom()
        try countWhatIsLeft()
        try keepConnection()
        noteRoom()
        return report
    }

    /// Tries the receiver where one of the rsyncs is another than the last time. That takes some room.
    private func tryReceiver(_ known: ReceiverAbilities?, _ standing: Consumer.Standing) throws {
        if options.dryRun { return }
        if case .at = standing, options.makeRoom { return }
        if let known, link.ownRsync == nil || known.versions == link.versions { return }
        let abilities = try link.probe()
        try abilities.note(in: consumer)
        link.use(abilities)
    }

    /// Directories in which parts of files are looked for.
    private static let mostParts = 100_000

    /// After a run that did not end, there may be temporary files of its receiver.
    private func tidyUp() throws {
        guard !options.dryRun else { return }
        if try consumer.note(Note.running) != nil {
            try refuseBesideOldReceiver()
            try consumer.setNote(Note.partial, [1])
            // It may have ended between a commit and the marker.
            isMarkerStale = true
            mayClone = false
            try link.completeParts(in: try consumer.partials(atMost: Self.mostParts), room: report.room)
            try link.emptyTemporaryDirectory()
        }
    }

    /// Keys of what is noted in the consumer's file.
    enum Note {
        /// A run has begun to write and not ended well.
        static let running = "running"
        /// When a receiver of the run before that cannot be seen has timed out: seconds of the clock, in decimal, and
        /// ` asked` once the daemon could not tell.
        static let receiverEnd = "receiver-end"
        /// What was carried with other settings has to be looked at again.
        static let settings = "settings"
        /// Why nothing is deleted.
        static let deletionBar = "deletion-bar"
        /// Why deletions are held that are too many.
        static let massDeletion = "mass-deletion"
        /// The roots that they lie in.
        static let heldRoots = "held-roots"
        /// Why existing files are held.
        static let massOverwrite = "mass-overwrite"
        /// What the ledger counted last: the store's UUID, the rows before the first and of the last, and when.
        static let counted = "counted"
        /// The cursor of the marker that was written last.
        static let marker = "marker"
        /// The roots that were away when a run ended.
        static let away = "away"
        /// There may be parts of files.
        static let partial = "partial"
        /// The store's UUID and the row that the destination's marker may name already, though nothing was committed.
        static let announced = "announced"
        /// The destination had nothing when the full pass began that is going on: all that is there came with it.
        static let emptyCopy = "empty-copy"
    }

    private func noteRoom() {
        report.room = link.room
        context.roomFound(link.room)
    }

    /// Between two batches a run may end, and others of the group have their turn.
    func beginBatch() throws {
        if context.stop.isRequested() { throw SyncFailure.interrupted }
        noteRoom()
        // They may have filled it.
        if try turn?.yield() == true { _ = try link.greet() }
    }

    // MARK: Changes

    /// Carries what the history tells of after the cursor.
    private func carryChanges() throws {
        guard case .at(let first) = try consumer.standing(in: reader) else { return }
        let end = try reader.lastSequence
        renames = try RenameMap(reader, after: first, through: end)
        if renames.hasUntracked, !options.dryRun { try findUntracked(after: first, through: end) }
        try guardChanges(after: first, through: end)
        // What was deleted cannot be linked to.
        let isRoomMade = try options.makeRoom && !options.dryRun && makeRoom(after: first, through: end)
        if !options.dryRun, !isRoomMade { try carryRenames(after: first, through: end) }
        var cursor = first
        try endWaitingForRoots()
        let due = Timestamp.now
        var isWorkDue = true
        while isWorkDue || cursor < end {
            try beginBatch()
            let survey = try self.survey()
            let window = try survey.window(after: cursor, through: end)
            var facts = try merge(window.facts)
            if isWorkDue { isWorkDue = try addWork(due: due, to: &facts) }
            if !facts.isEmpty {
                try carry(facts, survey, ConsumerCommit(through: window.through))
            } else if window.through > cursor, !options.dryRun {
                try consumer.commit(ConsumerCommit(through: window.through), store: uuid)
            }
            cursor = window.through
            if options.dryRun { isWorkDue = false }
        }
        guard !options.dryRun else { return }
        if isMarkerStale { try mark(cursor) }
        try finish()
    }

    /// Plans what is to be done about these paths, and does it.
    private func carry(_ facts: [[UInt8]: PathFacts], _ survey: BatchSurvey, _ commit: ConsumerCommit) throws {
        let plan = try survey.plan(facts, through: commit.through ?? 0)
        try carry(plan, survey, facts, commit)
    }

    func survey() throws -> BatchSurvey {
        let roots = RootCheck(try reader.rootIdentities)
        return BatchSurvey(
            stateDirectory: context.stateDirectory, reader: reader, consumer: consumer, later: later,
            scope: context.scope, roots: roots, settle: settings.settle.inNanoseconds,
            maxDelay: settings.maxDelay.inNanoseconds, pulse: pulse, taken: taken)
    }

    /// Has the marker name a row, when no batch did.
    private func mark(_ cursor: Int64) throws {
        let marker = marker(cursor)
        try consumer.notePartials(in: [], notes: [Note.announced: try announcement(cursor)])
        if link.hasShell { try link.seal(marker) } else { try link.write(marker) }
        try consumer.setNote(Note.marker, Array("\(cursor)".utf8))
        isMarkerStale = false
    }

    /// What was kept about paths that the history now tells more of comes first.
    func merge(_ facts: [[UInt8]: PathFacts]) throws -> [[UInt8]: PathFacts] {
        var merged = facts
        for (path, work) in try consumer.work(about: facts.keys) {
            merged[path] = facts[path]?.following(PathFacts(work))
        }
        return merged
    }

    /// What waits for a root that is away is due as soon as that changes: it is back, or somebody accepted that it is gone.
    private func endWaitingForRoots() throws {
        guard !options.dryRun else { return }
        let away = RootCheck(try reader.rootIdentities).away.sorted { $0.lexicographicallyPrecedes($1) }
        let note: [UInt8]? = away.isEmpty ? nil : Array(away.joined(separator: [0]))
        let known = try consumer.note(Note.away)
        guard known != note else { return }
        if known != nil { try consumer.makeDue([.waiting]) }
        try consumer.setNote(Note.away, note)
    }

    /// Adds what was put off and was due at a moment.
    ///
    /// - Returns: whether there may be more.
    private func addWork(due moment: Timestamp, to facts: inout [[UInt8]: PathFacts]) throws -> Bool {
        var states: [ConsumerWork.State] = [.waiting, .quarantined]
        // What was held is looked at anew: allowed now, or shown.
        if mayDelete || hasReleased || options.dryRun { states.append(.heldDeletion) }
        if overwriteHold == nil || options.dryRun { states.append(.heldOverwrite) }
        let limit = BatchSurvey.mostPaths
        let found = try consumer.work(due: moment, in: states, atMost: limit)
        for work in found where facts[work.path] == nil { facts[work.path] = PathFacts(work) }
        return found.count == limit
    }

    // MARK: What is left

    private func countWhatIsLeft() throws {
        let waiting = try consumer.workCount(.waiting)
        let quarantined = try consumer.workCount(.quarantined)
        report.waiting = waiting.count
        report.quarantined = quarantined.count
        report.heldDeletions = try consumer.workCount(.heldDeletion).count
        report.nextDue = [waiting.nextDue, quarantined.nextDue].compactMap { $0 }.min()
        report.heldOverwrites = try consumer.workCount(.heldOverwrite).count
        // Whoever allows them needs no advice to do so.
        if report.heldDeletions > 0, !options.allowDeletes {
            context.tell(.deletionsHeld(report.heldDeletions, barText ?? "nobody has allowed them yet"))
        }
        if report.heldOverwrites > 0, !options.allowOverwrites, let overwriteHold {
            context.tell(.overwritesHeld(report.heldOverwrites, overwriteHold))
        }
    }
}

extension PathFacts {
    init(_ work: ConsumerWork) {
        self.init(flags: work.flags, first: work.since, lastWritten: work.lastWritten)
    }
}

extension ConsumerWork {
    /// The time is kept beside the flags: as how long after `since`, in milliseconds, rounded up.
    var lastWritten: Timestamp { since.advanced(by: (flags >> 8) * 1_000_000) }

    init(_ path: [UInt8], _ facts: PathFacts, _ state: State, due: Timestamp, attempts: Int64 = 0, reason: String) {
        let (age, isOver) = facts.lastWritten.nanoseconds.subtractingReportingOverflow(facts.first.nanoseconds)
        let milliseconds = isOver || age < 0 ? 0 : (age + 999_999) / 1_000_000
        self.init(
            path: path, state: state, flags: facts.flags | milliseconds << 8, since: facts.first, due: due,
            attempts: attempts, reason: reason)
    }
}

extension Duration {
    /// Whole nanoseconds, held at the ends of 64 bits.
    var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isOver ? (seconds < 0 ? .min : .max) : scaled + attoseconds / 1_000_000_000
    }
}
