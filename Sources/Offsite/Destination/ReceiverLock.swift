import LinuxKernel
import SystemPackage

/// The lock of a local target: the rsync of a worker that was killed may still be at work there. For others the receiver's
/// own command takes it.
final class ReceiverLock {
    private let lock: FileLock

    /// Milliseconds that the end of the rsync before is waited for: of its processes this program sees only the first.
    private static let patience: Int64 = 2_000

    /// - Parameter directory: this program's own at the target.
    /// - Throws: `EWOULDBLOCK` when it is held; the errno of openat(2) or flock(2) otherwise.
    init(in directory: borrowing OwnedDescriptor) throws(Errno) {
        let deadline = MonotonicTime.now.advanced(milliseconds: Self.patience)
        while true {
            do throws(Errno) {
                lock = try FileLock(path: Array("lock".utf8), at: directory.number)
                return
            } catch {
                guard error == .wouldBlock, MonotonicTime.now < deadline else { throw error }
            }
            _ = try EventPoll().wait(milliseconds: 20)
        }
    }

    /// Who inherits it holds the lock as well, until it ends.
    var number: CInt { lock.descriptor.number }
}

extension DestinationLink {
    /// - Returns: nil for a target that is not local.
    /// - Throws: `SyncFailure`.
    func receiverLock() throws(SyncFailure) -> ReceiverLock? {
        guard let target = LocalTarget(settings.target) else { return nil }
        guard let directory = try target.ownDirectory() else { throw .noMarker(target: targetText) }
        let lock: ReceiverLock
        do throws(Errno) { lock = try ReceiverLock(in: directory) } catch {
            if error == .wouldBlock { throw .rsync(.busy, status: 75, step: "locking the target", errors: "") }
            throw .system("locking the target \(targetText)", error)
        }
        guard !contact.known.isEmpty else { return lock }
        guard let bytes = try target.markerBytes() else { throw .noMarker(target: targetText) }
        guard let found = DestinationMarker(parsing: bytes), contact.known.contains(found) else { throw otherMarker }
        return lock
    }
}

/// What a shell at the destination does before it becomes the receiver: nothing starts without the marker, whose volume
/// may have gone since it was read, nor beside the receiver of a worker that was killed.
enum ReceiverGuard {
    /// Commands that take the lock, or end with 75. It goes with the descriptor into whatever runs then: `flock -E`, which
    /// would save the shell the test, is not there in BusyBox.
    ///
    /// - Parameter place: this program's own directory at the destination: plain, no quotes needed.
    static func lock(in place: String) -> String {
        "exec 9>>\(place)/lock || exit 12; flock -n 9 || { test $? = 1 && exit 75; exit 12; }; "
    }

    /// A command that writes there. It is one of `sh`, as the login's own shell may be another kind.
    ///
    /// - Parameter script: what it does, without single quotes; `"$@"` is what follows the command.
    static func command(in place: String, _ script: String) -> String {
        let marker = "\(place)/\(DestinationMarker.name)"
        return "exec sh -c 'test -f \(marker) || exit 3; \(lock(in: place))\(script)' sh"
    }

    /// A command that prints a word where a lock can be taken in this way. Somebody else may hold this one: 1 says so.
    static func probe(printing word: String) -> String {
        "sh -c 'exec 9</dev/null; flock -n 9 || test $? = 1 && echo \(word)' 2>/dev/null"
    }
}
