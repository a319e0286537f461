/// What the process says to whoever started it; the numbers above 63 are those of sysexits.h.
public struct ExitStatus: RawRepresentable, Equatable, Sendable {
    public let rawValue: CInt
    public init(rawValue: CInt) { self.rawValue = rawValue }

    public static let success = ExitStatus(rawValue: 0)
    /// The command did its work, and the answer is no: a difference was found, something is wrong.
    public static let failure = ExitStatus(rawValue: 1)
    /// A command line that cannot be understood.
    public static let usage = ExitStatus(rawValue: 2)
    /// EX_UNAVAILABLE: there is no store.
    public static let unavailable = ExitStatus(rawValue: 69)
    /// EX_SOFTWARE: something that must not happen.
    public static let software = ExitStatus(rawValue: 70)
    /// EX_OSERR: a sandbox could not be made.
    public static let operatingSystem = ExitStatus(rawValue: 71)
    /// EX_IOERR: output cannot be written, the store cannot be read.
    public static let inputOutput = ExitStatus(rawValue: 74)
    /// EX_TEMPFAIL: not now, but later.
    public static let temporary = ExitStatus(rawValue: 75)
    /// EX_NOPERM: this user may not read the store.
    public static let permission = ExitStatus(rawValue: 77)
    /// EX_CONFIG: the configuration file cannot be used.
    public static let configuration = ExitStatus(rawValue: 78)
}

/// The end of a command that could not do its work: what to tell the person, and the exit status.
public struct CommandFailure: Error, Equatable, Sendable {
    public let status: ExitStatus
    /// One or more whole lines without the last line end; says what to do where that is known. Empty where the command
    /// has said everything on standard output.
    public let message: String
    /// The message begins with a file and a line of it.
    private let isLocated: Bool

    public init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
        isLocated = false
    }

    init(_ error: ConfigurationError) {
        status = .configuration
        message = error.description
        isLocated = true
    }

    /// The message as it is written to standard error. What is wrong with a configuration begins with its file and
    /// line, where editors look for them; every other line begins with the command's name.
    var report: String {
        if isLocated { return message }
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.map { "changes: \($0)" }.joined(separator: "\n")
    }
}
