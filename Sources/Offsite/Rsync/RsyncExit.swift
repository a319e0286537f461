/// What an exit status of rsync means for the batch that it carried (rsync(1), EXIT VALUES; what each one needs was
/// tried with receivers from 3.1.2 to 3.5.0).
public enum RsyncVerdict: Equatable, Sendable {
    /// Everything arrived.
    case done
    /// Some files did not, or vanished meanwhile: look again, run again, and isolate what fails.
    case partial
    /// There were more deletions than allowed (`--max-delete`): no more of them until somebody looks.
    case tooManyDeletions
    /// The destination has no room.
    case full
    /// The source or the destination is not there.
    case misplaced
    /// The connection or the other side gave up: the same again, later.
    case later
    /// Another receiver is still at work there.
    case busy
    /// The receiver does not understand `--delete-missing-args`: delete the other way.
    case refusesMissingArguments
    /// Asking again would change nothing, or harm: a person has to look.
    case stop
    /// This process told it to end.
    case interrupted

    /// - Parameters:
    ///   - status: the exit status; 128 and the number of the signal that ended it.
    ///   - errors: what it wrote to its standard error.
    public init(status: Int32, errors: [UInt8]) {
        let text = String(decoding: errors, as: UTF8.self)
        func says(_ words: String) -> Bool { text.contains(words) }
        // The sender may see a broken pipe before it hears why: the receiver's own end tells more.
        switch status != 11 && says("(code 11) at receiver") ? 11 : status {
        case 0: self = .done
        case _ where Self.isRefusedForNow(status, errors): self = .busy
        case 23, 24:
            if says("No space left on device") || says("Disk quota exceeded") {
                self = .full
            } else {
                // A volume that the other side made read-only fails for every path: none of them is to blame.
                self = says("Read-only file system") ? .stop : .partial
            }
        case 25: self = .tooManyDeletions
        case 11:
            if says("Read-only file system") || says("Permission denied") {
                self = .stop
            } else {
                self = says("No such file or directory") ? .misplaced : .full
            }
        case 3: self = .misplaced
        case 75: self = .busy
        case 2 where says("mode 00"), 12 where says("invalid file mode 00"): self = .refusesMissingArguments
        // What changes under a sender may leave it and the receiver with different lists.
        case 2 where says("Invalid packet at end of run") || says("protocol incompatibility") && says("vanished"):
            self = .later
        case 12, 255:
            // DSM's Auto Block counts failed logins: trying again would lock this host out.
            let isHopeless =
                says("Permission denied") || says("Host key verification failed") || says("unknown option")
                || says("not found") || says("@ERROR: auth failed")
            if says("No space left on device") || says("Disk quota exceeded") {
                self = .full
            } else {
                self = isHopeless ? .stop : .later
            }
        case 10, 20, 30, 35: self = .later
        // A receiver or the system ended it: nothing is wrong with the batch.
        case 128 + 1, 128 + 2, 128 + 9, 128 + 13, 128 + 15: self = .later
        default: self = .stop
        }
    }

    /// A daemon has as many connections as it admits (rsyncd.conf(5), "max connections"), or rrsync is at work in the
    /// directory already, of which it admits one.
    private static func isRefusedForNow(_ status: Int32, _ errors: [UInt8]) -> Bool {
        let text = String(decoding: errors, as: UTF8.self)
        return status == 5 && text.contains("@ERROR: max connections")
            || status == 12 && text.contains("Another instance of rrsync")
    }
}
