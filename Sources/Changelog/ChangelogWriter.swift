public import LinuxKernel
import Synchronization
public import SystemPackage

/// What the changelog writes, and where.
public struct ChangelogSettings: Sendable {
    /// The log, an absolute path. Its directory must exist.
    public var path: [UInt8]
    /// A directory that must be a mount point, or nothing is written.
    public var requireMount: [UInt8]?
    /// Where `changelog.position` is kept.
    public var stateDirectory: [UInt8]
    /// The store's UUID.
    public var store: String
    /// Where to begin when there is no saved position, or only that of another store: the rows after this one are
    /// logged.
    public var firstPosition: Int64
    /// How long an appended line may wait until it is durable and the log is closed again, in milliseconds.
    public var syncInterval: Int64

    public init(
        path: [UInt8], requireMount: [UInt8]?, stateDirectory: [UInt8], store: String, firstPosition: Int64,
        syncInterval: Int64 = 2_000
    ) {
        self.path = path
        self.requireMount = requireMount
        self.stateDirectory = stateDirectory
        self.store = store
        self.firstPosition = firstPosition
        self.syncInterval = syncInterval
    }
}

/// The text log, kept by a thread of its own, so that a full or hung disk under it stops nothing else.
///
/// Rows are read from the store by sequence number, so nothing is queued here: what is owed costs no memory, and a
/// tracker that is killed appends it after its next start. No method waits for a disk.
public final class ChangelogWriter: Sendable {
    private let inbox: ChangelogInbox
    private let thread: KernelThread
    private let isJoined = Mutex(false)

    /// Starts the thread, which appends at once what is owed from before.
    ///
    /// Where no position of this store is saved, `firstPosition` is saved before this returns: a crash right after
    /// it can then not lose the lines of the first rows.
    ///
    /// - Parameters:
    ///   - source: makes the source, on the changelog's thread; called again after the source failed.
    ///   - onAppend: called on the changelog's thread when the rows up to a number are in the log. It must not block.
    ///   - onStateChange: called on the changelog's thread, once for each change of health. It must not block.
    /// - Throws: the errno that kept the position from being read or saved, or of epoll_create1(2) or eventfd(2).
    public init(
        _ settings: ChangelogSettings,
        source: @escaping @Sendable () throws -> any ChangelogSource,
        onAppend: @escaping @Sendable (_ sequence: Int64) -> Void = { _ in },
        onStateChange: @escaping @Sendable (ChangelogTransition) -> Void
    ) throws(Errno) {
        let position: Int64
        if let saved = try ChangelogPosition.load(from: settings.stateDirectory), saved.store == settings.store {
            position = saved.sequence
        } else {
            position = settings.firstPosition
            try ChangelogPosition(store: settings.store, sequence: position).save(in: settings.stateDirectory)
        }
        let inbox = try ChangelogInbox(
            place: .init(path: settings.path, requireMount: settings.requireMount), position: position)
        self.inbox = inbox
        thread = KernelThread(name: "changelog") {
            var worker = ChangelogWorker(
                inbox: inbox, settings: settings, position: position, makeSource: source, onAppend: onAppend,
                onStateChange: onStateChange)
            worker.run()
        }
    }

    /// Rows up to `sequence` are committed. Cheap: usually no system call.
    ///
    /// - Parameter isGrowing: a new directory is among those since the last call. Lines are gathered for up to 0.8 s
    ///   then, so that what is changed again while it is being built has one line.
    public func wake(through sequence: Int64, isGrowing: Bool = false) {
        inbox.order { orders in
            guard sequence > orders.target else { return false }
            orders.target = sequence
            orders.wokenAt = orders.wokenAt ?? .now
            if isGrowing { orders.isGrowing = true }
            return true
        }
    }

    /// Goes on in another file. What is owed goes there.
    public func reconfigure(path: [UInt8], requireMount: [UInt8]?) {
        let place = ChangelogInbox.Place(path: path, requireMount: requireMount)
        inbox.order { orders in
            guard orders.place != place else { return false }
            orders.place = place
            return true
        }
    }

    /// What kept the log from being written may be gone (something was mounted): try now, not in some seconds.
    public func retryNow() {
        inbox.order { orders in
            orders.retries += 1
            return true
        }
    }

    /// How the log is now; never waits for the disk.
    public var state: ChangelogState {
        var state = inbox.state
        state.threadIdentifier = thread.identifier
        return state
    }

    /// Appends everything that is in the store, makes it durable, saves the position and ends the thread.
    ///
    /// A log that cannot be written is tried once more and no longer; what is then owed (see `state`) is appended
    /// after the next start.
    ///
    /// - Returns: false when a disk hangs past `deadline`. The thread is then left behind, for the exit to end.
    public func drainAndStop(deadline: MonotonicTime) -> Bool {
        requestStop()
        guard inbox.waitForEnd(deadline: deadline) else { return false }
        let joins = isJoined.withLock { isJoined in
            defer { isJoined = true }
            return !isJoined
        }
        if joins { thread.join() }
        return true
    }

    private func requestStop() {
        inbox.order { orders in
            defer { orders.isStopping = true }
            return !orders.isStopping
        }
    }

    deinit { requestStop() }
}
