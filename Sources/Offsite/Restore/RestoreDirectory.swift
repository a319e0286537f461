import Glibc
import LinuxKernel
import SystemPackage

/// The directory of this host that a restore fills. A note in it says which restore that is, for the next one to go on
/// with it; it goes when all of it is there.
struct RestoreDirectory {
    /// Absolute, without symlinks.
    let path: [UInt8]
    /// It was found with the note of the same restore in it, which had been cut off.
    let isContinued: Bool
    /// What was made for it, the topmost first.
    private let made: [[UInt8]]
    private let note: [UInt8]

    private static let name = Array(".nfs-changes-restore".utf8)
    /// What a new file system has in it.
    private static let nobodys = [Array("lost+found".utf8)]

    private var ownDirectory: [UInt8] { path + [UInt8(ascii: "/")] + Self.name }
    /// For files that are on their way: a run that is killed leaves them in no directory of the copy.
    var temporary: [UInt8] { ownDirectory + Array("/tmp".utf8) }

    /// Makes the directory where it is missing, and begins or goes on.
    ///
    /// - Parameters:
    ///   - directory: absolute.
    ///   - note: what is restored from where: the same restore has the same.
    ///   - overwrites: it may have something in it already.
    /// - Throws: `SyncFailure`: `inTheWay` when it has and may not.
    init(_ directory: [UInt8], note: [UInt8], overwrites: Bool) throws(SyncFailure) {
        let step = "making \(OctalEscapes.display(directory))"
        do throws(Errno) {
            made = try FileSystemLook.makeDirectories(directory)
            path = try FileSystemLook.resolved(directory)
        } catch {
            throw .system(step, error)
        }
        guard path.count > 1 else { throw .inTheWay(path) }
        self.note = note
        let own = path + [UInt8(ascii: "/")] + Self.name
        let noted = try? OwnedDescriptor.open(own + Array("/note".utf8), flags: O_RDONLY | O_NOFOLLOW).readToEnd()
        isContinued = noted == note
        if !isContinued, !overwrites {
            guard FileSystemLook.names(in: path).allSatisfy({ Self.nobodys.contains($0) }) else {
                throw .inTheWay(path)
            }
        }
        do throws(Errno) {
            try FileSystemLook.removeTree(own)
            try FileSystemLook.makeDirectory(own, mode: 0o700)
            try FileSystemLook.makeDirectory(temporary, mode: 0o700)
            try replaceFile(own + Array("/note".utf8), with: note)
        } catch {
            throw .system(step, error)
        }
        if isContinued { Self.removeEmptyPartials(in: path) }
    }

    /// Whether a file on its way can be renamed to its place: nothing is mounted in the directory.
    var isOneFileSystem: Bool {
        guard let file = try? MountTable.open(), let table = try? MountTable.read(file.number) else { return false }
        return !table.mountPoints(under: path).contains { $0.mountPoint != path }
    }

    /// All of it is there.
    func finish() { try? FileSystemLook.removeTree(ownDirectory) }

    /// A killed rsync leaves directories for partial files with nothing in them. It is done before the transfer, which
    /// sets the times of the directories that they are in.
    private static func removeEmptyPartials(in directory: [UInt8]) {
        for name in FileSystemLook.names(in: directory) {
            let place = directory + [UInt8(ascii: "/")] + name
            guard (try? OpenDirectory(place, access: .look)) != nil else { continue }
            if name == DestinationLink.partialName {
                try? FileSystemLook.removeEmptyDirectory(place)
            } else {
                removeEmptyPartials(in: place)
            }
        }
    }

    /// It was cut off or failed: what arrived stays for the next try; where nothing did, nothing is left behind.
    func abandon() {
        let names = FileSystemLook.names(in: path).filter { $0 != Self.name && !Self.nobodys.contains($0) }
        guard names.isEmpty, !isContinued else { return }
        finish()
        for directory in made.reversed() { try? FileSystemLook.removeEmptyDirectory(directory) }
    }
}
