import LinuxKernel
import SystemPackage

/// What is known of a destination between two commands. Each that writes there looks whether the marker is still that one.
struct Contact {
    /// The marker as it was read or written last; nil: any will do.
    var marker: DestinationMarker? { didSet { possible = nil } }
    /// What a receiver that failed may have written in its place.
    var possible: DestinationMarker?
    /// What the marker may be; none: anything.
    var known: [DestinationMarker] { [marker, possible].compactMap { $0 } }
    /// The marker that the next receiver's end writes, once the copy is durable.
    var sealing: DestinationMarker?
    /// The last receiver did that.
    var isSealed = false
    /// The destination was asked for something, or something was sent.
    var wasReached = false
}

extension DestinationLink {
    /// Forgets what the run before did.
    func beginRun() {
        contact.sealing = nil
        (contact.isSealed, contact.wasReached) = (false, false)
    }

    /// The receiver's command: the marker may have gone with its volume since it was read, and the receiver of a worker
    /// that was killed may still be at work.
    func guardedReceiver(sealing next: DestinationMarker?) -> String {
        "--rsync-path=" + ReceiverGuard.command(in: ownPlace, script(next: next).text) + " rsync"
    }

    func script(next: DestinationMarker?) -> ReceiverScript {
        ReceiverScript(place: ownPlace, expected: contact.known, next: next)
    }

    var otherMarker: SyncFailure {
        .foreignMarker(
            target: targetText, "has become another meanwhile, that of another host or store or of an older copy")
    }

    /// Takes the marker that the receiver which starts now is to write.
    func takeSeal() -> DestinationMarker? {
        contact.isSealed = false
        defer { contact.sealing = nil }
        return isRemote && hasShell ? contact.sealing : nil
    }

    /// - Parameter isWritten: false when the run failed, which does not tell whether the marker was written.
    func noteSeal(_ marker: DestinationMarker, isWritten: Bool, _ errors: [UInt8]) {
        guard isWritten else {
            contact.possible = marker
            return
        }
        (contact.marker, contact.isSealed) = (marker, true)
        room = ReceiverScript.room(in: errors).flatMap(Self.space(parsing:)) ?? room
    }

    /// The command line that runs a command over the shared connection; nil where there is none.
    func sharedCommand(_ command: String) -> [[UInt8]]? {
        guard let ssh, let host = settings.sshHost, let socketDirectory,
            !FileSystemLook.names(in: socketDirectory).isEmpty
        else { return nil }
        return ssh.arguments + [host.destination, Array(command.utf8)]
    }
}
