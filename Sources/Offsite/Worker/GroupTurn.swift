import LinuxKernel
import SystemPackage

/// The turn of one destination among those of its group: no two of them transfer at once.
///
/// Who has it holds a lock on the group's file. Who waits for it holds one of several places to wait at, so that the holder
/// sees that somebody does.
final class GroupTurn {
    private let place: [UInt8]
    private let stop: any StopSignal
    private let heartbeat: () -> Void
    private var turn: Lock?

    /// Milliseconds between two tries.
    private static let interval: Int32 = 100
    /// Milliseconds for which one that gave the turn away does not take it again unless nobody else did.
    private static let courtesy: Int64 = 2_000
    /// Destinations of a group that are seen to wait at once.
    private static let places = 8

    /// A class, so that it can be optional.
    private final class Lock {
        let lock: FileLock
        init(_ lock: consuming FileLock) { self.lock = lock }
    }

    /// - Parameter directory: of the worker's own files, which all workers of a state directory share.
    init(_ group: String, in directory: [UInt8], stop: any StopSignal, heartbeat: @escaping () -> Void) {
        place = directory + Array("/group.\(group)".utf8)
        self.stop = stop
        self.heartbeat = heartbeat
    }

    /// Waits for the turn.
    ///
    /// - Parameter waits: called once when it has to.
    /// - Throws: `SyncFailure.interrupted`, `.system`.
    func take(waits: () -> Void) throws(SyncFailure) {
        if turn != nil { return }
        if try take() { return }
        waits()
        try wait(from: .now)
    }

    private func wait(from first: MonotonicTime) throws(SyncFailure) {
        var waiting: Lock?
        var beat = MonotonicTime.now
        var mayTake = false
        defer { withExtendedLifetime(waiting) {} }
        while true {
            if stop.isRequested() { throw .interrupted }
            if waiting == nil { waiting = try waitingPlace() }
            // Somebody else has it now, or nobody wants it.
            if MonotonicTime.now >= first { mayTake = true }
            if !mayTake { mayTake = try lock(path) == nil }
            if mayTake, try take() { return }
            if MonotonicTime.now >= beat {
                heartbeat()
                beat = MonotonicTime.now.advanced(milliseconds: 1_000)
            }
            do throws(Errno) { _ = try EventPoll().wait(milliseconds: Self.interval) } catch {
                throw .system("waiting for the group's turn", error)
            }
        }
    }

    /// Lets others have their turn, and waits for the next one.
    ///
    /// - Returns: whether anybody waited.
    @discardableResult
    func yield() throws(SyncFailure) -> Bool {
        guard turn != nil, try isSomebodyWaiting() else { return false }
        turn = nil
        // They look every so often: this one looks later.
        try wait(from: MonotonicTime.now.advanced(milliseconds: Self.courtesy))
        return true
    }

    func end() { turn = nil }

    private func take() throws(SyncFailure) -> Bool {
        turn = try lock(path)
        return turn != nil
    }

    private var path: [UInt8] { place + Array(".lock".utf8) }

    private func waitingPlace() throws(SyncFailure) -> Lock? {
        for number in 0..<Self.places {
            if let found = try lock(waitingPath(number)) { return found }
        }
        return nil
    }

    private func isSomebodyWaiting() throws(SyncFailure) -> Bool {
        for number in 0..<Self.places where FileSystemLook.exists(waitingPath(number)) {
            if try lock(waitingPath(number)) == nil { return true }
        }
        return false
    }

    private func waitingPath(_ number: Int) -> [UInt8] { place + Array(".waiting\(number)".utf8) }

    /// - Returns: nil when somebody else holds it.
    private func lock(_ path: [UInt8]) throws(SyncFailure) -> Lock? {
        do throws(Errno) { return Lock(try FileLock(path: path)) } catch {
            if error == .wouldBlock { return nil }
            throw .system("locking \(OctalEscapes.display(path))", error)
        }
    }
}
