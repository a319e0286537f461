import LinuxKernel
import SystemPackage

/// A directory that something is to be written into.
struct PlaceFacts: Sendable {
    enum Kind: Equatable, Sendable {
        case directory
        case missing
        /// Some other file.
        case other
        /// It cannot be looked at.
        case unknown(Errno)
    }

    var path: [UInt8]
    var kind: Kind
    /// Why this process may not make files in it.
    var refusal: Errno?
    /// The mount that it is in.
    var mount: MountEntry?
    var space: FileSystemSpace?
    /// It is on the file system that is mounted on `/`.
    var isOnRootFileSystem = false

    var name: String { TerminalText.of(path) }
    /// As in the mount table.
    var fileSystemType: String { mount.map { TerminalText.of($0.fileSystemType) } ?? "unknown file system" }

    /// `ext4, 13.2 GiB free`
    var summary: String {
        fileSystemType + (space.map { ", \(ByteSizeText.approximate($0.available)) free" } ?? "")
    }

    /// Where to free some space.
    var mountPoint: [UInt8] { mount?.mountPoint ?? path }
}

extension PlaceFacts {
    /// Whether files can be made in it; nil when they can.
    ///
    /// - Parameter purpose: what is written there, as in "the log".
    func writeFinding(_ check: String, purpose: String, user: UserFacts) -> Finding? {
        if refusal == .readOnlyFileSystem || mount?.isReadOnly == true {
            return .problem(
                check, "\(name) is on a read-only file system (\(fileSystemType)): \(purpose) cannot be written",
                remedy: "look for the cause (dmesg), then: mount -o remount,rw \(ShellWord.of(mountPoint))")
        }
        guard let refusal else { return nil }
        let text = "\(name) is not writable for this user (\(refusal)): it could not write \(purpose)"
        if user.hasService && !user.isRoot {
            return .note(check, text + "; the service runs as root", remedy: "to check as root: sudo changes doctor")
        }
        return .problem(
            check, text,
            remedy: user.isRoot
                ? "ls -ld \(ShellWord.of(path)); chown root: \(ShellWord.of(path)), or chmod"
                : "run as root, or name a directory of your own")
    }

    /// Whether there is room; nil when there is enough.
    ///
    /// - Parameters:
    ///   - least: bytes below which nothing can be written.
    ///   - enough: bytes below which it is time to do something.
    func spaceFinding(_ check: String, purpose: String, least: Int64, enough: Int64) -> Finding? {
        guard let space else { return nil }
        let place = ShellWord.of(mountPoint)
        let remedy = "free some space on \(TerminalText.of(mountPoint)): du -xh \(place) | sort -h | tail"
        let free = "\(ByteSizeText.approximate(space.available)) free in \(name) (\(fileSystemType))"
        if space.available < least {
            return .problem(check, "\(free): \(purpose) cannot be written", remedy: remedy)
        }
        if space.availableFiles == 0 {
            return .problem(
                check, "no file can be made in \(name) (\(fileSystemType)): its inodes are used up",
                remedy: "remove files on \(TerminalText.of(mountPoint)): du --inodes -x \(place) | sort -n | tail")
        }
        if space.available < enough {
            return .warning(
                check, "\(free), of \(ByteSizeText.approximate(enough)) that \(purpose) should have", remedy: remedy)
        }
        return nil
    }
}
