import ChangeStore
import LinuxKernel
import Logging
import Tracking

/// The tracker's thread: turns events into looks, looks into changes, changes into the store.
///
/// It owns everything it touches and runs on one thread. Each `step` interprets the events that came, does the looks
/// that are due and a slice of the walk, and commits. When the store fails, what is in memory no longer agrees with
/// it: the caller gives this engine up and starts another one, which walks everything again while the watches stay.
final class TrackingEngine {
    let store: Store
    let instance: InotifyInstance
    let log: Logger
    let heartbeat: Heartbeat
    var settings: EngineSettings

    let tree = DirectoryTree()
    /// The names to be looked at when the settling time is over.
    let marks = MarkSet()
    /// The names that are being looked at.
    let batch = MarkSet()
    /// The names whose next record waits because they are written continuously.
    let paced = MarkSet()
    /// The names to be looked at in the same step because another name of their inode changed.
    let echoes = MarkSet()
    /// Of those, the ones that are being looked at.
    let echoing = MarkSet()
    /// The names that were looked at too shortly after their change.
    let racy = MarkSet()
    /// Names of that kind at most: past that a walk records some once more.
    static let mostRacy = 65_536
    /// Inodes whose names are being looked at because their number was given to something of another type.
    var givenUp: Set<InodeKey> = []
    /// Names that the index gave up before their events were read.
    var formerNames = FormerNames()
    let interpreter: EventInterpreter
    var pacing = RecordPacing()
    var lister = DirectoryLister()

    /// Directories to walk after a gap, first in first out: in the order of their store numbers, so that the index's
    /// tree of names only grows at its end and its pages are full.
    var walk = WalkQueue()
    /// Lists ahead during a long walk.
    var scout: DirectoryScout?
    /// Directories that are new or were moved, to be listed with the next batch.
    var fresh: [NodeID] = []
    /// Directories taken out of their place, with what their next place needs.
    var detached: [NodeID: DetachedDirectory] = [:]
    /// What was renamed from the names that this batch found gone, for the names it was renamed to.
    var departed: [Origin: (InodeKey, PathID)] = [:]
    /// The names that directories have left since the last batch.
    var vacated: [VacatedNames] = []
    /// Names that directories have left and something else had then.
    var contested: [ContestedName] = []
    /// Directories that were moved and have not been looked at since, with where they were.
    var arrivals: [NodeID: RecordedPlace] = [:]
    /// Directories that were not where they should be, since when.
    var misplaced: [NodeID: MonotonicTime] = [:]
    /// Directories with an entry recorded as appeared or vanished since their own times were compared.
    var entriesRecorded: Set<NodeID> = []
    /// A directory was recorded as created since somebody asked.
    var hasNewDirectories = false
    /// Directories that were recorded and not listed yet.
    var unlisted: Set<NodeID> = []
    /// Mount points below the roots that are not there at all.
    var unseen: Set<NodeID> = []
    /// What the store expects at a directory that is held.
    var expected: [NodeID: DirectoryIdentity] = [:]
    var polled: Set<NodeID> = []
    /// Roots whose present state was accepted: what is missing in them is deleted, until the walk is over.
    var accepting: Set<NodeID> = []
    var unreadable: Set<NodeID> = []
    /// The numbers of the devices met, while the mounts stay as they are.
    var fileSystems: [UInt64: KnownFileSystem] = [:]
    var mounts = MountTable([])
    var rootParents: [NodeID: PathID] = [:]
    /// Directories in which roots may appear, with their watches.
    var patternPaths: [WatchDescriptor: [UInt8]] = [:]
    /// Of those, the ones that got no watch.
    var unwatchedPatternPaths: Set<[UInt8]> = []
    /// The tracker's own files and directories, as they are named and where they really are.
    var ownPaths: Set<[UInt8]> = []
    /// Matching directories on network or user-space file systems.
    var foreignRoots: Set<[UInt8]> = []
    var notesTold: Set<RootSearch.Note> = []

    private var lastCommit = MonotonicTime(nanoseconds: 0)
    /// A move whose end is not in sight does not hold back everything else, in nanoseconds.
    private static let longestTransaction: Int64 = 1_000_000_000
    private static let walkCommitInterval: Int64 = 400_000_000
    /// Of a baseline, which has no rows that anybody waits for.
    private static let baselineCommitInterval: Int64 = 3_000_000_000

    /// Since when there has been something in `marks`.
    var windowOpened: MonotonicTime?
    var pacedCheck: MonotonicTime?
    var contestCheck = MonotonicTime(nanoseconds: 0)
    var racyCheck: MonotonicTime?
    var nextPoll: MonotonicTime?
    /// Looks without waiting for the settling time.
    var isHurried = false
    /// Walks for the sake of lost events, and polls, are put off.
    var walksLater = false
    /// Everything has to be walked because events were lost.
    private var owesWalk = false
    /// The first walk of a new store is not over.
    var isBaseline = false
    /// Every root has been walked since the start.
    private(set) var isReconciled = false
    /// Events were lost, and the walk that makes up for them is not over.
    private var hasLostEvents = false
    var statistics = EngineStatistics()

    /// How long a name is left alone after its first event, so that a burst becomes one look: 50 ms leaves the rest of
    /// the 0.2 s for the look, the commit and the append.
    static let settlingTime: Int64 = 50
    /// How long the other half of a rename, or the removal of a directory, may take to show, in nanoseconds.
    static let explanationTime: Int64 = 40_000_000
    /// Between two looks at such names, in nanoseconds.
    static let contestInterval: Int64 = 200_000_000
    /// How long a name that something else has is watched for being left, in nanoseconds.
    static let contestTime: Int64 = 1_000_000_000
    /// Longest slice of a walk before events are looked at again, in nanoseconds.
    static let sliceTime: Int64 = 25_000_000
    /// Directories of a walk that is nearly over.
    private static let shortWalk = 1_024

    init(
        store: Store, instance: InotifyInstance, settings: EngineSettings, log: Logger, heartbeat: Heartbeat
    ) throws(StoreError) {
        self.store = store
        self.instance = instance
        self.settings = settings
        self.log = log
        self.heartbeat = heartbeat
        interpreter = EventInterpreter(tree: tree, marks: marks)
        isBaseline = store.isNew && !settings.emitExisting
        installExclusions()
        try loadTree()
    }

    /// Watches the roots and queues the first walk.
    func start() throws(StoreError) {
        mounts = (try? currentMounts()) ?? mounts
        try store.beginWalk()
        try store.begin()
        try noteSettings()
        try evaluateRoots()
        for root in tree.roots where !tree.state(of: root).contains(.missing) {
            if isBaseline { tree.setState(.queuedSilent, of: root) }
            queue(root, [.queuedDeep, .queuedGap])
        }
        try store.commitTransaction()
    }

    /// Takes other settings over. Watches that stay are not touched, and no event is lost.
    func reload(_ new: EngineSettings) throws(StoreError) {
        let excludesChanged = settings.exclude != new.exclude || settings.oneFileSystem != new.oneFileSystem
        settings = new
        installExclusions()
        try store.begin()
        try noteSettings()
        try evaluateRoots()
        if excludesChanged {
            // What is not entered is decided anew.
            tree.clearStateEverywhere(.notEntered)
            walkEverything()
        }
        isReconciled = false
        try store.commitTransaction()
    }

    // MARK: One step

    /// Takes in `events` as read from inotify and does what is due.
    ///
    /// - Parameters:
    ///   - lostEvents: events were dropped on their way here.
    ///   - mountsChanged: `/proc/self/mountinfo` said so.
    func step(
        events: UnsafeRawBufferPointer, lostEvents: Bool, mountsChanged: Bool, now: MonotonicTime
    ) throws(StoreError) {
        try store.begin()
        interpreter.interpret(events, now: now)
        if mountsChanged { try takeMountChanges() }
        if interpreter.takeRootsTouched() || mountsChanged { try evaluateRoots() }
        if interpreter.takeOverflow() || lostEvents {
            statistics.overflows += 1
            log.warning("events were lost: every root is walked again", metadata: ["count": "\(statistics.overflows)"])
            owesWalk = true
            hasLostEvents = true
        }
        if owesWalk && !walksLater {
            owesWalk = false
            walkEverything()
        }
        for node in interpreter.takeUnwatched() { reconsider(unwatched: node) }
        for (node, name) in interpreter.takeDiscoveries() { try discover(name, in: node) }
        openWindow(now)

        if let pacedCheck, isHurried || pacedCheck <= now { releasePaced(now) }
        if let racyCheck, racyCheck <= now, marks.isEmpty, walk.isEmpty { releaseRacy() }
        let didSettle = isBatchDue(now)
        if didSettle { try settleBatch(now) }
        try walkSlice(until: now.nanoseconds + Self.sliceTime)
        try settleDetached(now)
        if marks.isEmpty && !didSettle { try settleContested(now) }
        try settleEchoes()
        openWindow(now)
        if let nextPoll, nextPoll <= now, !walksLater { try poll(now) }
        schedulePoll(now)
        if walk.isEmpty { try finishWalk() }
        if isCommitDue(now, didSettle: didSettle) {
            if !isConsistent {
                try settleArrivals()
                try settleEchoes()
            }
            try store.commitTransaction()
            lastCommit = now
        }
        statistics.directories = tree.count
        statistics.watches = tree.watchCount
        statistics.polled = polled.count
    }

    /// What is marked is looked at when the settling time is over.
    private func openWindow(_ now: MonotonicTime) {
        if windowOpened == nil && !(marks.isEmpty && fresh.isEmpty) { windowOpened = now }
    }

    /// Index and history tell the same: no name has left its place without the rows that say so.
    private var isConsistent: Bool { vacated.isEmpty && arrivals.isEmpty }

    private func isCommitDue(_ now: MonotonicTime, didSettle: Bool) -> Bool {
        if walk.isEmpty && isConsistent { return true }
        // Fewer, larger commits of the first walk write each page less often.
        let isFirstWalk = !isReconciled && !didSettle
        let interval = isBaseline ? Self.baselineCommitInterval : Self.walkCommitInterval
        if isConsistent && !isFirstWalk || now - lastCommit > max(Self.longestTransaction, interval) { return true }
        return isConsistent && now - lastCommit > interval
    }

    private func isBatchDue(_ now: MonotonicTime) -> Bool {
        guard let windowOpened else { return false }
        return isHurried || now >= windowOpened.advanced(milliseconds: Self.settlingTime)
    }

    /// When `step` has to be called next although no event came; nil for never, a time in the past for at once.
    func nextDeadline() -> MonotonicTime? {
        if !walk.isEmpty || isHurried || owesWalk { return MonotonicTime(nanoseconds: 0) }
        var deadlines: [MonotonicTime] = []
        if let windowOpened { deadlines.append(windowOpened.advanced(milliseconds: Self.settlingTime)) }
        if let pacedCheck { deadlines.append(pacedCheck) }
        if let racyCheck, marks.isEmpty { deadlines.append(racyCheck) }
        if let nextPoll { deadlines.append(nextPoll) }
        if !contested.isEmpty { deadlines.append(contestCheck) }
        if !isConsistent {
            deadlines.append(MonotonicTime(nanoseconds: lastCommit.nanoseconds + Self.longestTransaction))
        }
        if let detachedSince = detached.values.map(\.since).min() {
            deadlines.append(MonotonicTime(nanoseconds: detachedSince.nanoseconds + 2 * Self.explanationTime))
        }
        return deadlines.min()
    }

    /// A write to a file of a directory may have raised no event that is still to come: an attribute that changed may be
    /// all that is left of it.
    func mayHaveMissedWrites(in node: NodeID) -> Bool { !isReconciled || hasLostEvents || polled.contains(node) }

    /// Nothing is left to be looked at.
    var isSettled: Bool { isSettledButForWalk && walk.isEmpty }

    /// What is left takes no longer than some tenths of a second.
    var isNearlySettled: Bool { walk.count <= Self.shortWalk }

    /// Nothing is left but the rest of a walk, which a later start does as well.
    var isSettledButForWalk: Bool {
        marks.isEmpty && paced.isEmpty && fresh.isEmpty && detached.isEmpty && contested.isEmpty && isConsistent
    }

    /// Index and history tell the same before the store is closed, whatever is still to be looked at.
    func settleForStop() throws(StoreError) {
        try store.begin()
        try settleArrivals()
        try settleEchoes()
    }

    /// What is left is waiting for events to explain where a directory went.
    var isWaitingForEvents: Bool { walk.isEmpty && (!marks.isEmpty || !detached.isEmpty) }

    /// No path is kept for a row that is still to be written, and no transaction is open.
    var isAtRest: Bool { isConsistent && detached.isEmpty && departed.isEmpty && contested.isEmpty }

    /// Walks the directories without a watch at once.
    func pollNow() throws(StoreError) {
        try store.begin()
        try poll(.now)
    }

    /// Every interned path is void: retention removed some.
    func forgetPaths() {
        tree.forgetPaths()
        rootParents.removeAll()
    }

    private func noteSettings() throws(StoreError) {
        let newline: [UInt8] = [UInt8(ascii: "\0")]
        try store.note("exclude", Array(settings.exclude.patterns.map(\.source).joined(separator: newline)))
        try store.note("one_file_system", [settings.oneFileSystem ? UInt8(ascii: "1") : UInt8(ascii: "0")])
        try store.note("own", Array(ownPaths.joined(separator: newline)))
    }

    private func finishWalk() throws(StoreError) {
        accepting.removeAll()
        scout = nil
        if !owesWalk { hasLostEvents = false }
        guard !isReconciled else { return }
        isReconciled = true
        try store.endWalk()
        returnFreedMemory()
        if store.isNew {
            try store.markBaselineDone()
            log.notice(
                "a new store: what is there now is its baseline",
                metadata: ["logged": isBaseline ? "nothing of it" : "all of it", "store": "\(store.uuid)"])
        }
        isBaseline = false
        log.info(
            "every root is watched and compared with the index",
            metadata: ["directories": "\(tree.count)", "roots": "\(tree.roots.count)"])
    }
}

/// Figures for the status.
struct EngineStatistics: Sendable {
    var changes: Int64 = 0
    /// Those since they were last taken.
    var changesByRoot: [NodeID: RootChanges] = [:]
    var overflows: Int64 = 0
    var directories = 0
    var watches = 0
    var polled = 0
    /// Directories listed since the start.
    var walked = 0
}

/// What stands behind a device number.
struct KnownFileSystem {
    let id: FileSystemID
    let isForeign: Bool
}
