import LinuxKernel
public import SystemPackage

/// Why a copy could not be brought up to date. Nothing is lost: the next run copies what this one did not.
public enum SyncFailure: Error, Equatable, Sendable {
    /// The source directory cannot be opened.
    case sourceAway([UInt8], Errno)
    /// The tracker has not gone through everything yet.
    case baselineMissing
    /// The destination has no marker: its volume may not be mounted.
    case noMarker(target: String)
    /// The marker is that of another destination or cannot be understood.
    case foreignMarker(target: String, String)
    /// A local target lies in what is watched or copied.
    case targetInSource(target: String, root: [UInt8])
    /// Less than `min_free` is free.
    case destinationFull(target: String, available: Int64?)
    /// rsync ended with what a person has to look at, or what a later try may pass.
    case rsync(RsyncVerdict, status: Int32, step: String, errors: String)
    /// A program that is needed cannot be started.
    case missingProgram(String, Errno)
    /// The receiver of a run that did not end may be at work for so long.
    case oldReceiver(target: String, seconds: Int)
    /// The destination is not as `init` found it.
    case changed(target: String, String)
    /// A program is too old.
    case oldProgram(String, String, needed: String)
    /// On the destination's file system no copy can be equal: what it lacks, and what rsync says of it.
    case unsuitable(target: String, String, text: String)
    /// Something of this machine's own failed.
    case system(String, Errno)
    case interrupted
    /// An ssh host is not known, or not the one that was meant.
    case hostKey(String)
    /// The host lets nobody in, and why.
    case login(String)
    /// Nobody answers there.
    case unreachable(String)
    /// A local target through which another user could lead what is written elsewhere.
    case unsafeTarget(String, String)
    /// The destination has no such path.
    case notInCopy(path: [UInt8], place: String, name: String)
    /// A path that is this program's own, or the NAS's, and no part of the copy.
    case reservedPath([UInt8])
    /// A new target has files in it already.
    case notEmpty(target: String, Int)
    /// Nothing can be said of a copy that was never complete.
    case neverComplete
    /// A restore would overwrite what is there.
    case inTheWay([UInt8])
    /// A path that the source cannot have.
    case notInSource(path: [UInt8], source: [UInt8])
    /// There is no such directory at the destination.
    case noTarget(String, String)

    /// Whether a later try may succeed with nobody doing anything.
    public var isPassing: Bool {
        switch self {
        case .sourceAway, .baselineMissing, .noMarker, .destinationFull, .oldReceiver, .unreachable, .interrupted: true
        case .foreignMarker, .targetInSource, .missingProgram, .oldProgram, .changed, .unsuitable, .hostKey, .notEmpty,
            .login,
            .unsafeTarget, .notInCopy, .reservedPath,
            .noTarget, .neverComplete,
            .inTheWay, .notInSource:
            false
        case .system(_, let code): [.noSpace, .ioError, .resourceTemporarilyUnavailable].contains(code)
        case .rsync(let verdict, _, _, _):
            switch verdict {
            case .later, .busy, .full, .misplaced, .partial, .interrupted: true
            case .done, .stop, .tooManyDeletions, .refusesMissingArguments: false
            }
        }
    }
}

extension SyncFailure: CustomStringConvertible {
    public var description: String { text(for: "NAME") }

    /// What is wrong, and what to do.
    ///
    /// - Parameter name: the destination's, for the commands that help.
    public func text(for name: String) -> String {
        switch self {
        case .sourceAway(let path, let code):
            "the source \(OctalEscapes.display(path)) cannot be opened (\(code)): mount it, or correct source"
        case .baselineMissing: "the tracker's first scan is not over yet: copying begins once it is"
        case .noMarker(let target):
            "\(target) has no marker (.nfs-changes/marker): mount the volume there, or, if this is a new destination, "
                + "run `changes sync init \(name)`; nothing was written"
        case .foreignMarker(let target, let what):
            "the marker of \(target) \(what): nothing more is written there. Give each destination a "
                + "directory of its own, or, if this host is to go on with that copy, take it over with `changes sync init --adopt \(name)`"
        case .targetInSource(let target, let root):
            "the target \(target) and the watched \(OctalEscapes.display(root)) lie in one another: it would copy its own "
                + "copy; choose another target"
        case .destinationFull(let target, let available):
            "\(target) has too little room (min_free)\(available.map { ": \($0) bytes are free" } ?? ""): free some "
                + "(`changes sync \(name) --make-room` first deletes what no longer exists here), or lower min_free; changes are kept"
        case .rsync(let verdict, let status, let step, let errors):
            "\(step): rsync \(Self.words(verdict, name)) (exit status \(status))"
                + (errors.isEmpty ? "" : ": " + errors)
        case .missingProgram(let name, let code):
            "\(name) cannot be started (\(code)): install it (apt install \(name))"
        case .oldReceiver(let target, let seconds):
            "the receiver of a run that did not end may still be at work at \(target): this host waits \(seconds) s more; "
                + "with `max connections = 1` in the daemon's rsyncd.conf it need not wait"
        case .changed(let target, let what): "\(target): \(what): run `changes sync init \(name)` again"
        case .oldProgram(let name, let version, let needed):
            "\(name) \(version) is too old: \(needed) or later is needed"
        case .unsuitable(let target, let what, let text):
            "\(target) \(what): choose one on a file system that does (ext4, btrfs, xfs, zfs)"
                + (text.isEmpty ? "" : " (\(text))")
        case .system(let what, let code): "\(what): \(code)"
        case .hostKey(let text), .login(let text), .unreachable(let text): text
        case .unsafeTarget(let target, let what): "\(target) \(what); nothing was written"
        case .notInCopy(let path, let place, let name):
            path.isEmpty
                ? "\(place) is not there, or has no copy in it: mount its volume or correct target; --from PATH reads another "
                    + "place of that host"
                : "\(OctalEscapes.display(path)) is not in \(place): `changes ls \(name)` lists what is there"
        case .reservedPath(let path):
            "\(OctalEscapes.display(path)) is no part of a copy: its name is this program's or the NAS's own; a path of "
                + "the NAS itself is read with --from"
        case .neverComplete:
            "the first copy was never finished, so there is nothing to compare: run `changes sync \(name)` first"
        case .notInSource(let path, let source):
            "\(OctalEscapes.display(path)) is no path below \(OctalEscapes.display(source))"
        case .inTheWay(let path):
            "\(OctalEscapes.display(path)) is not empty: choose an empty directory, or allow it with --overwrite"
        case .notEmpty(let target, let count):
            "\(target) already has \(counted(count, "path")) in it: choose an empty directory, or take it over with "
                + "`changes sync init --adopt \(name)`"
        case .noTarget(let target, let text): "\(target) cannot be read: make the directory there first (\(text))"
        case .interrupted: "interrupted; the next run copies the rest"
        }
    }

    private static func words(_ verdict: RsyncVerdict, _ name: String) -> String {
        switch verdict {
        case .done: "succeeded"
        case .partial: "could not transfer everything"
        case .tooManyDeletions: "found more deletions than max_delete allows"
        case .full:
            "found the destination full: free some space there, or run `changes sync \(name) --make-room`, which first deletes what no longer exists here"
        case .misplaced: "did not find the source or the destination: mount the missing one"
        case .later: "lost the connection, or the destination gave up; it is retried"
        case .busy: "found another receiver still running; it is retried"
        case .refusesMissingArguments: "found a receiver that refuses deletion by list"
        case .stop: "failed, and a retry would fail the same way: correct what it says, then restart the service"
        case .interrupted: "was stopped"
        }
    }
}
