import CLinux
import Glibc
public import SystemPackage

/// What this process may do, and its end as this program.
public enum ProcessImage {
    /// Numbers of capabilities(7).
    public enum Capability: CInt, Sendable {
        case changeOwner = 0  // CAP_CHOWN
        case overridePermissions = 1  // CAP_DAC_OVERRIDE
        case readEverything = 2  // CAP_DAC_READ_SEARCH
        case actAsOwner = 3  // CAP_FOWNER
        case keepSetUser = 4  // CAP_FSETID
        case makeNodes = 27  // CAP_MKNOD
        case setCapabilities = 31  // CAP_SETFCAP
    }

    /// Gives up, for this thread and whatever it executes, every capability but those named (and those it does not have),
    /// and any right that a program's set-user-ID bit or file capabilities would give (`PR_SET_NO_NEW_PRIVS`, which is
    /// also why root's programs do not get all of them back).
    ///
    /// - Throws: the errno of prctl(2), capget(2) or capset(2).
    public static func keepOnly(_ capabilities: [Capability]) throws(Errno) {
        try systemCall { clinux_prctl(PR_SET_NO_NEW_PRIVS, 1) }
        let wanted = capabilities.reduce(UInt64(0)) { $0 | 1 << UInt64($1.rawValue) }
        // The bounding set bounds what an exec gives root. It needs CAP_SETPCAP, and no_new_privs does the same.
        for number in 0..<UInt(64) where wanted & 1 << UInt64(number) == 0 {
            if clinux_prctl(PR_CAPBSET_DROP, number) == -1 { break }
        }
        var permitted: UInt64 = 0
        try systemCall { clinux_permitted_capabilities(&permitted) }
        try systemCall { clinux_set_capabilities(wanted & permitted) }
    }

    /// Closes all descriptors above 2 but one (close_range(2), Linux 5.9).
    ///
    /// - Throws: the errno of close_range(2).
    public static func closeDescriptors(except kept: CInt?) throws(Errno) {
        guard let kept, kept > 2 else {
            try systemCall { clinux_close_range(3, .max) }
            return
        }
        if kept > 3 { try systemCall { clinux_close_range(3, UInt32(kept) - 1) } }
        try systemCall { clinux_close_range(UInt32(kept) + 1, .max) }
    }

    /// Lets a descriptor live on in whatever is executed next.
    ///
    /// - Throws: the errno of fcntl(2).
    public static func keepOnExecution(_ descriptor: CInt) throws(Errno) {
        try systemCall { fcntl(descriptor, F_SETFD, 0) }
    }

    /// Lets the next program have longer arguments (`RLIMIT_STACK` of setrlimit(2)).
    ///
    /// - Returns: how many bytes they may take beside the environment; some are left to spare.
    /// - Throws: the errno of getrlimit(2) or setrlimit(2).
    public static func raiseArgumentLimit() throws(Errno) -> Int {
        let limit = try systemCall { clinux_raise_argument_limit() }
        let environment = ProcessContext.environment.reduce(0) { $0 + $1.count + 1 + MemoryLayout<UInt>.size }
        return limit - environment - 65_536
    }

    /// Makes a directory the one that relative paths begin at.
    ///
    /// - Throws: the errno of chdir(2).
    public static func enter(_ directory: [UInt8]) throws(Errno) {
        try withCPath(directory) { (path) throws(Errno) in _ = try systemCall { chdir(path) } }
    }

    /// Becomes another program, with the same environment: execve(2).
    ///
    /// - Parameters:
    ///   - program: its path.
    ///   - arguments: with the name that it is to go by; bytes without NUL.
    /// - Returns: only on failure: the errno of execve(2), `EINVAL` for a NUL.
    public static func replace(with program: [UInt8], _ arguments: [[UInt8]]) -> Errno {
        do throws(Errno) {
            let arguments = try CStringArray(arguments)
            try withCPath(program) { (path) throws(Errno) in
                _ = try systemCall { execve(path, arguments.pointers, clinux_environment()) }
            }
        } catch {
            return error
        }
        return .invalidArgument
    }

    /// The path of a program as a shell finds it: as it is when it has a slash, else in `PATH`; nil when it is nowhere.
    public static func find(_ program: [UInt8]) -> [UInt8]? {
        let slash = UInt8(ascii: "/")
        if program.contains(slash) { return program }
        let path = ProcessContext.environmentVariable("PATH") ?? Array("/usr/local/bin:/usr/bin:/bin".utf8)
        for directory in path.split(separator: UInt8(ascii: ":")) where directory.first == slash {
            let candidate = Array(directory) + [slash] + program
            let isThere = try? withCPath(candidate) { (name) throws(Errno) in try systemCall { access(name, X_OK) } }
            if isThere != nil { return candidate }
        }
        return nil
    }
}
