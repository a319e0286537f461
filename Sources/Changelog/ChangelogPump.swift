public import LinuxKernel

/// Decides what the changelog's thread does next. It does no I/O and reads no clock: it is told what happened, and
/// when, and answers with an action.
public struct ChangelogPump: Sendable {
    public enum Action: Equatable, Sendable {
        /// Open the log and close it again: whether it can be written is known before the first line is owed.
        case probe
        /// Append the batch that is pending, or else read the next one after `appended` and append that.
        case append
        /// Make the appended lines durable and close the log.
        case synchronize
        /// Save `synced` in the state directory.
        case savePosition
        /// Nothing to do until then, or until something happens (nil).
        case wait(until: MonotonicTime?)
        /// Stopped as asked.
        case finish
    }

    /// Appended lines are made durable this long after the first of them, and the log is closed. Milliseconds.
    private let syncInterval: Int64

    /// The newest row told of.
    public private(set) var target: Int64
    /// Every row up to this one is in the log, or makes no line.
    public private(set) var appended: Int64
    /// Every row up to this one is durably in the log.
    public private(set) var synced: Int64
    /// The position that the state directory holds.
    public private(set) var saved: Int64

    /// Nothing has shown yet that the log can be written where it is to be.
    private var isProbeDue = true
    /// There may be rows after `appended`.
    private var hasMore = true
    /// Keeps lines together while something new is being built.
    private var gathering = LineGathering()
    /// Lines are being appended until none is left: those that come meanwhile do not wait.
    private var isAppending = false
    /// When the oldest line that is not durable was appended, or the log was left open by a failed append.
    private var unsyncedSince: MonotonicTime? = nil
    /// What keeps lines from the log.
    private var logTrouble: ChangelogTrouble? = nil
    /// What keeps the position from the state directory; lines are appended all the same.
    private var positionTrouble: ChangelogTrouble? = nil
    private var isDraining = false
    private var gaveUpLog = false
    private var gaveUpPosition = false

    /// - Parameters:
    ///   - position: the saved position; rows after it may already be there.
    ///   - syncInterval: how long an appended line may wait for its fdatasync(2), in milliseconds.
    public init(position: Int64, syncInterval: Int64) {
        self.syncInterval = syncInterval
        target = position
        appended = position
        synced = position
        saved = position
    }

    /// What keeps lines or the position from where they belong, and since when.
    public var failure: (failure: ChangelogFailure, since: MonotonicTime)? {
        (logTrouble ?? positionTrouble).map { ($0.failure, $0.since) }
    }

    // MARK: What happened

    /// Rows up to `sequence` are in the store.
    ///
    /// - Parameters:
    ///   - isGrowing: a new directory is among those since the last time, so that more is to come.
    ///   - since: when the first of them was there, if that was earlier.
    public mutating func wake(
        through sequence: Int64, isGrowing: Bool = false, since: MonotonicTime? = nil, at now: MonotonicTime
    ) {
        guard sequence > target else { return }
        // What is to be appended at once does not begin to wait because of what comes later.
        if !hasMore || gathering.due != nil {
            gathering.note(rows: sequence - target, isGrowing: isGrowing, since: since ?? now, at: now)
        }
        target = sequence
        hasMore = true
    }

    /// The rows up to `sequence` were appended, or made no line.
    ///
    /// - Parameter wrote: there was a line among them.
    public mutating func appended(through sequence: Int64, wrote: Bool = true, at now: MonotonicTime) {
        appended = sequence
        isAppending = true
        target = max(target, sequence)
        unsyncedSince = unsyncedSince ?? now
        if wrote { isProbeDue = false }
        // The trouble itself is over when nothing is owed any more: see `caughtUp`.
        logTrouble?.retryNow(now)
    }

    /// The store has no row after `appended`.
    public mutating func caughtUp() {
        hasMore = false
        isAppending = false
        gathering.end()
        if isProbeDue { return }
        // After a failed fdatasync only one that succeeds shows that all is well, if there is anything to make durable.
        if logTrouble?.failure.step != .synchronize || unsyncedSince == nil { logTrouble = nil }
    }

    /// The log could be opened.
    public mutating func probed() {
        isProbeDue = false
        if !hasMore, logTrouble?.failure.step == .append { logTrouble = nil }
    }

    public mutating func synchronized() {
        synced = appended
        unsyncedSince = nil
        if logTrouble?.failure.step == .synchronize { logTrouble = nil }
    }

    public mutating func positionSaved() {
        saved = synced
        positionTrouble = nil
    }

    /// A step failed. After a failed `synchronize` everything since `synced` has to be appended again.
    public mutating func failed(_ failure: ChangelogFailure, at now: MonotonicTime) {
        switch failure.step {
        case .append:
            // Durable and closed while waiting: an open log would keep its file system from being repaired.
            unsyncedSince = unsyncedSince ?? now
        case .synchronize:
            appended = synced
            unsyncedSince = nil
            hasMore = true
        case .readStore:
            break
        case .savePosition:
            positionTrouble.note(failure, at: now)
            gaveUpPosition = isDraining
            return
        }
        logTrouble.note(failure, at: now)
        gaveUpLog = isDraining
    }

    /// What was in the way may be gone (another path was configured): try at once.
    public mutating func retryNow(at now: MonotonicTime) {
        isProbeDue = true
        logTrouble?.retryNow(now)
        positionTrouble?.retryNow(now)
    }

    /// Append what there is, each step tried once more at most, and finish.
    public mutating func drain(at now: MonotonicTime) {
        guard !isDraining else { return }
        isDraining = true
        hasMore = true
        retryNow(at: now)
    }

    // MARK: What to do

    public func next(at now: MonotonicTime) -> Action {
        let wantsAppend = hasMore && !gaveUpLog
        let wantsSave = synced > saved && !gaveUpPosition
        let isWell = logTrouble == nil && !isAppending && !isDraining
        let gathered = wantsAppend && isWell ? gathering.due.flatMap { $0 > now ? $0 : nil } : nil
        var wakeAt: MonotonicTime? = nil

        if let unsyncedSince {
            // A slow disk would keep the lines that wait for the end of something for as long as it syncs: they go first.
            let due = max(unsyncedSince.advanced(milliseconds: syncInterval), gathered ?? unsyncedSince)
            let isHurried = logTrouble.map { $0.retryAt > now || $0.failure.step == .synchronize } ?? false
            if now >= due || isHurried || (isDraining && !wantsAppend) { return .synchronize }
            wakeAt = due
        }
        if wantsSave {
            guard let retryAt = positionTrouble?.retryAt, retryAt > now else { return .savePosition }
            wakeAt = min(wakeAt ?? retryAt, retryAt)
        }
        if wantsAppend {
            guard let appendAt = logTrouble?.retryAt ?? gathered, appendAt > now else { return .append }
            wakeAt = min(wakeAt ?? appendAt, appendAt)
        }
        if isProbeDue && !wantsAppend && !isDraining {
            guard let retryAt = logTrouble?.retryAt, retryAt > now else { return .probe }
            wakeAt = min(wakeAt ?? retryAt, retryAt)
        }
        return isDraining && !wantsAppend && !wantsSave ? .finish : .wait(until: wakeAt)
    }
}
