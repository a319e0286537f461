import ChangeStore
import LinuxKernel
import SystemPackage

/// A run that did not end may have left its receiver at a daemon, stalled by a disk: it would put what it has over newer
/// files when it goes on.
extension SyncRun {
    /// Lets a run begin only where no receiver of an earlier one can be at work.
    ///
    /// - Throws: `SyncFailure.rsync` with `.busy` when one is; `.oldReceiver` until what cannot be seen has timed out.
    func refuseBesideOldReceiver() throws {
        guard case .daemon(_, let host, let port, let path) = settings.target else { return }
        let module = String(path.prefix { $0 != "/" })
        switch (try? DaemonReceivers.ask(host: host, port: port, module: module)) ?? .unknown {
        case .none: break
        case .atWork: throw SyncFailure.rsync(.busy, status: 75, step: "starting a receiver", errors: "")
        case .unknown:
            let left = try secondsUntilTimedOut()
            if left > 0 { throw SyncFailure.oldReceiver(target: link.targetText, seconds: left) }
        }
        try consumer.setNote(Note.receiverEnd, nil)
    }

    /// Seconds until a receiver that was at work when this was asked first has given up: rsync's `--timeout` is the
    /// receiver's as well.
    private func secondsUntilTimedOut() throws -> Int {
        let now = Timestamp.now.nanoseconds / 1_000_000_000
        let patience = Int64(DestinationLink.timeout)
        let noted = try consumer.note(Note.receiverEnd).flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        // A clock that was put back does not make it longer.
        if let noted, noted - now <= patience { return Int(noted - now) }
        try consumer.setNote(Note.receiverEnd, Array("\(now + patience)".utf8))
        return Int(patience)
    }
}
