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
    init(in directory: [UInt8]) throws(Errno) {
        let path = directory + Array("/lock".utf8)
        let deadline = MonotonicTime.now.advanced(milliseconds: Self.patience)
        while true {
            do throws(Errno) {
                lock = try FileLock(path: path)
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
        guard case .local(let path) = settings.target else { return nil }
        let directory = Array("\(path)/\(DestinationMarker.directory)".utf8)
        do throws(Errno) { return try ReceiverLock(in: directory) } catch {
            switch error {
            case .wouldBlock: throw .rsync(.busy, status: 75, step: "locking the target", errors: "")
            case .noSuchFileOrDirectory: throw .noMarker(target: targetText)
            default: throw .system("locking the target \(targetText)", error)
            }
        }
    }
}
