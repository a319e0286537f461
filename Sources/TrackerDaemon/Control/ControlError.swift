import LinuxKernel
public import SystemPackage

/// Why the control socket could not be made, or asked. Paths are bytes; the description escapes them.
public enum ControlError: Error, Equatable, Sendable {
    /// No tracker listens in this state directory.
    case notRunning(stateDirectory: [UInt8])
    /// The socket's permissions keep this user out.
    case notPermitted(stateDirectory: [UInt8])
    /// No answer came within the time allowed. What was asked may still happen.
    case timedOut(Duration)
    /// The tracker closed the connection without an answer.
    case closed
    /// What came back is not a reply.
    case malformedReply
    /// The tracker cannot do what was asked.
    case refused(String)
    /// The request is longer than `ControlRequest.limit`: its path is longer than any path the kernel takes.
    case requestTooLong
    /// Something that is not a socket has the socket's name.
    case nameTaken(stateDirectory: [UInt8])
    /// Any other error of the system.
    case system(Errno, stateDirectory: [UInt8])
}

extension ControlError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notRunning(let directory):
            "no tracker runs with the state directory \(printable(directory)); start it with "
                + "\"systemctl start nfs-change-tracker\", or name its state directory with --state"
        case .notPermitted(let directory):
            "permission denied on the tracker's socket in \(printable(directory)); "
                + "run this as root, as the tracker's user, or as a member of its group"
        case .timedOut(let duration):
            "the tracker did not answer within \(duration.components.seconds) s; see \"systemctl status nfs-change-tracker\""
        case .closed: "the tracker closed the connection without an answer; it may be stopping, so try again"
        case .malformedReply:
            "the tracker's answer can't be read; it may be of another version, so restart it"
        case .refused(let reason): reason
        case .requestTooLong: "the path is too long: at most 4096 bytes can be sent to the tracker"
        case .nameTaken(let directory):
            "\(printable(directory))/control.sock is not a socket; remove it, or use another state directory"
        case .system(let code, let directory): "control socket in \(printable(directory)): \(code)"
        }
    }

    private func printable(_ path: [UInt8]) -> String { OctalEscapes.display(path) }
}
