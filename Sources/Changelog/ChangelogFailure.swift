import LinuxKernel
public import SystemPackage

/// Why lines are owed, and what a person can do about it.
public struct ChangelogFailure: Error, Hashable, Sendable {
    /// What was being done.
    public enum Step: Hashable, Sendable {
        /// Opening the log or appending to it.
        case append
        /// Making what was appended durable (fdatasync(2)).
        case synchronize
        /// Saving "logged up to N" in the state directory.
        case savePosition
        /// Reading from the store what is to be logged.
        case readStore
    }

    public enum Reason: Hashable, Sendable {
        /// `ENOSPC` or `EDQUOT`.
        case full
        /// `EROFS`.
        case readOnly
        /// `ENOENT` or `ENOTDIR` of an open that creates: the directory is not there.
        case directoryMissing
        /// The `require_mount` directory is there, but nothing is mounted on it.
        case notMounted
        /// `EACCES` or `EPERM`.
        case permission
        /// `EIO`.
        case inputOutput
        /// The log's name is a symbolic link (`ELOOP` of an open with `O_NOFOLLOW`).
        case symbolicLink
        /// The log's name is a directory, a FIFO, a device or a socket.
        case notRegularFile
        /// The file was moved away or removed again and again while it was appended to.
        case keepsMoving
        case other(Errno)
        /// What the store said.
        case store(String)
    }

    public let step: Step
    public let reason: Reason
    /// The file or directory that the sentence is about.
    public let path: [UInt8]

    public init(_ step: Step, _ reason: Reason, path: [UInt8]) {
        self.step = step
        self.reason = reason
        self.path = path
    }

    public init(_ step: Step, _ code: Errno, path: [UInt8]) {
        let reason: Reason =
            switch code {
            case .noSpace, .diskQuotaExceeded: .full
            case .readOnlyFileSystem: .readOnly
            case .noSuchFileOrDirectory, .notDirectory: .directoryMissing
            case .permissionDenied, .notPermitted: .permission
            case .ioError: .inputOutput
            case .tooManySymbolicLinkLevels: .symbolicLink
            case .isDirectory, .noSuchAddressOrDevice: .notRegularFile
            default: .other(code)
            }
        self.init(step, reason, path: path)
    }
}

extension ChangelogFailure: CustomStringConvertible {
    /// One sentence: what is wrong and what to do. Nothing recorded is lost, whatever it is.
    public var description: String {
        let name = OctalEscapes.display(path)
        return switch step {
        case .append: "cannot append to the log: \(cause(name))"
        case .synchronize: "cannot make the log durable (fdatasync): \(cause(name))"
        case .savePosition: "cannot save how far the log got: \(cause(name))"
        case .readStore: "cannot read from the store what is to be logged: \(cause(name))"
        }
    }

    private func cause(_ name: String) -> String {
        switch reason {
        case .full: "the file system of \(name) is full or over quota; free some space on it"
        case .readOnly:
            "the file system of \(name) is read-only; look for its errors in dmesg, then remount it read-write"
        case .directoryMissing: "the directory of \(name) does not exist; create it, or mount the disk that holds it"
        case .notMounted: "nothing is mounted on \(name) (require_mount); mount it, or change require_mount"
        case .permission:
            "permission denied on \(name); let the tracker's user read and write it, and look for chattr +i or +a"
        case .inputOutput: "input/output error on \(name); check the disk (dmesg, smartctl)"
        case .symbolicLink:
            "\(name) is a symbolic link, which is not followed; remove it, or configure its target as log path"
        case .notRegularFile: "\(name) is not a regular file; remove it, or configure another log path"
        case .keepsMoving: "\(name) is moved or removed faster than it can be appended to; stop what does that"
        case .other(let code): "\(code) (errno \(code.rawValue)) on \(name)"
        case .store(let message): message
        }
    }
}
