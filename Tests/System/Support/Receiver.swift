import Glibc

/// Whom receivers run as: somebody without rights.
struct Receiver {
    let name: String
    let user: uid_t
    let group: gid_t

    /// Where the tests run as root, an account of their own, made if it is not there, and kept: other test processes
    /// may be using it. Elsewhere, who runs them.
    ///
    /// - Throws: `CommandFailed` when it cannot be made.
    static func account() throws -> Receiver {
        guard Privilege.isRoot else { return Receiver(getpwuid(geteuid()).pointee) }
        var failure: CommandFailed?
        // useradd(8) fails while somebody else adds a user, the same one too.
        _ = wait(atMost: 10, every: 50) {
            if named(accountName) != nil { return true }
            do { try require(makeAccount) } catch { failure = error as? CommandFailed }
            return named(accountName) != nil
        }
        if let account = named(accountName) { return account }
        throw failure ?? CommandFailed(arguments: makeAccount, status: .exited(0), errors: "there is no such account")
    }

    private static let accountName = "nfs-changes-test"

    // Its home exists, or each login would complain. No password fits `*`, but unlike `!` it locks no one out: sshd
    // refuses locked accounts whatever their key.
    private static let makeAccount = [
        "useradd", "--system", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", "--no-user-group",
        "--gid", "nogroup", "--password", "*", accountName,
    ]

    private static func named(_ name: String) -> Receiver? { getpwnam(name).map { Receiver($0.pointee) } }

    private init(_ entry: passwd) {
        name = String(cString: entry.pw_name)
        user = entry.pw_uid
        group = entry.pw_gid
    }

    /// Makes a directory that is theirs.
    func makeDirectory(_ path: Path, mode: mode_t = 0o755) throws {
        try Disk.makeDirectory(path, mode: mode)
        try Disk.changeOwner(path, user, group)
    }
}
