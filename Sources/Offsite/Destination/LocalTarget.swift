import Glibc
import LinuxKernel
import SystemPackage

/// A target on this host. Its owner may be another user, who must not be able to lead what this process writes elsewhere:
/// no symlink is followed on the way to it, nor to this program's own directory in it.
public struct LocalTarget {
    private let path: [UInt8]
    private let text: String

    /// - Returns: nil for a target that is not local.
    public init?(_ target: SyncTarget) {
        guard case .local(let path) = target else { return nil }
        self.path = Array(path.utf8)
        text = path
    }

    /// Why nothing is written there; nil where there is no reason.
    public var danger: SyncFailure? {
        do throws(SyncFailure) {
            try check(isSandboxed: SenderSandbox.isAvailable)
            _ = try ownDirectory()
            return nil
        } catch {
            if case .unsafeTarget = error { return error }
            return nil
        }
    }

    /// - Throws: `SyncFailure.unsafeTarget` where a symlink is on the way, or where nothing would keep this process, as
    ///   root, from following those that the target's owner makes.
    func check(isSandboxed: Bool) throws(SyncFailure) {
        if let resolved = try? FileSystemLook.resolved(path), resolved != path {
            throw .unsafeTarget(
                text, "is reached through a symlink: write the real path, \(OctalEscapes.display(resolved))")
        }
        guard !isSandboxed, ProcessContext.user == 0 else { return }
        for place in [path, path + Array("/\(DestinationMarker.directory)".utf8)] {
            guard let opened = try? OpenDirectory(place, access: .look), opened.status.owner != 0 else { continue }
            throw .unsafeTarget(
                OctalEscapes.display(place),
                "belongs to user \(opened.status.owner), whose symlinks rsync would follow as root, as no mount namespace "
                    + "can be made here: allow that (CAP_SYS_ADMIN), give the directory to root, or run this as that user"
            )
        }
    }

    /// Opens this program's own directory.
    ///
    /// - Returns: nil where there is none.
    func ownDirectory() throws(SyncFailure) -> OwnedDescriptor? {
        let place = path + Array("/\(DestinationMarker.directory)".utf8)
        do throws(Errno) { return try OwnedDescriptor.openDirectory(place, access: .list) } catch {
            switch error {
            case .noSuchFileOrDirectory: return nil
            case .tooManySymbolicLinkLevels, .notDirectory:
                throw .unsafeTarget(
                    OctalEscapes.display(place), "is a symlink, or no directory: remove it, and run `changes sync init`"
                )
            default: throw .system("opening \(OctalEscapes.display(place))", error)
            }
        }
    }

    /// The marker's bytes; nil where there is none.
    func markerBytes() throws(SyncFailure) -> [UInt8]? {
        guard let directory = try ownDirectory() else { return nil }
        return try? OwnedDescriptor.open(
            Array(DestinationMarker.name.utf8), flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: directory.number
        ).read(atMost: 4_096)
    }

    /// Writes the marker where there is one of this host's, once all that was written before is on the disk.
    func replaceMarker(_ marker: DestinationMarker) throws(SyncFailure) {
        guard let directory = try ownDirectory(), let bytes = try markerBytes() else { throw .noMarker(target: text) }
        guard marker.store.isEmpty || DestinationMarker(parsing: bytes).map(marker.mayReplace) ?? false else {
            throw .foreignMarker(target: text, "has become that of another host or store meanwhile")
        }
        do throws(Errno) {
            try directory.replaceEntry(Array(DestinationMarker.name.utf8), with: marker.text, permissions: 0o600)
        } catch {
            throw .system("making the copy durable and writing the marker of \(text)", error)
        }
    }
}
