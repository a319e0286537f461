import ChangeStore
import LinuxKernel
import SystemPackage

/// A run that did not end may have left its receiver at a daemon, stalled by a disk: it would put what it has over newer
/// files when it goes on.
extension SyncRun {
    /// Lets a run begin only where no receiver of an earlier one is at work, or where one that cannot be seen has had the time
    /// in which rsync gives up.
    ///
    /// - Throws: `SyncFailure.rsync` with `.busy`; `.oldReceiver` as long as that time lasts.
    func refuseBesideOldReceiver() throws {
        guard case .daemon(_, let host, let port, let path) = settings.target else { return }
        let noted = try receiverEnd
        // Not asked again meanwhile: a daemon with passwords takes each question for a failed login.
        if let noted, noted.isAsked {
            try refuse(until: noted.time)
        } else {
            let module = String(path.prefix { $0 != "/" })
            let answer = try? DaemonReceivers(host: host, port: port, module: module, stop: context.stop).ask()
            if context.stop.isRequested() { throw SyncFailure.interrupted }
            switch answer ?? .unknown {
            case .none: break
            case .atWork: throw SyncFailure.rsync(.busy, status: 75, step: "starting a receiver", errors: "")
            case .unknown:
                let end = noted?.time ?? Self.clock + Self.patience
                try consumer.setNote(Note.receiverEnd, Array("\(end) asked".utf8))
                try refuse(until: end)
            }
        }
        try consumer.setNote(Note.receiverEnd, nil)
    }

    private func refuse(until end: Int64) throws {
        let left = end - Self.clock
        // A clock that was put back does not make it longer.
        if left > 0, left <= Self.patience {
            throw SyncFailure.oldReceiver(target: link.targetText, seconds: Int(left))
        }
    }

    /// The time of a receiver that a failed run may have left begins now, not when the next run looks.
    func noteReceiverEnd(after error: any Error) throws {
        if case .oldReceiver? = error as? SyncFailure { return }
        guard case .daemon = settings.target, try consumer.note(Note.running) != nil, try receiverEnd == nil else {
            return
        }
        try consumer.setNote(Note.receiverEnd, Array("\(Self.clock + Self.patience)".utf8))
    }

    /// Seconds: rsync's `--timeout` is the receiver's as well.
    private static var patience: Int64 { Int64(DestinationLink.timeout) }
    private static var clock: Int64 { Timestamp.now.nanoseconds / 1_000_000_000 }

    /// Seconds of the clock, and whether the daemon was asked and could not tell.
    private var receiverEnd: (time: Int64, isAsked: Bool)? {
        get throws {
            let words = String(decoding: try consumer.note(Note.receiverEnd) ?? [], as: UTF8.self).split(separator: " ")
            return words.first.flatMap { Int64($0) }.map { ($0, words.count > 1) }
        }
    }
}
