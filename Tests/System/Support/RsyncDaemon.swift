import Glibc

/// A real rsync daemon (rsyncd.conf(5)) with one module. Gone with the object.
final class RsyncDaemon {
    /// Stops, restarts, freezes and kills it.
    let server: Server
    let scratch: Scratch
    /// The module's directory.
    let target: Path
    let module = "copy"
    /// For `--password-file`, or `RSYNC_PASSWORD`; nobody is asked where there are no users.
    let passwordFile: Path
    static let password = "s3cret of the tests"
    private let user: String?

    /// - Parameters:
    ///   - receiver: whom it serves as, where the tests run as root; nil means root.
    ///   - user: who has to give a password. This is a name of the daemon's, not of the system's.
    ///   - connections: how many it admits at once; 0: any number.
    ///   - options: more lines of the module: `fake super = yes`.
    /// - Throws: `ServerFailed`, with what the daemon said.
    init(
        as receiver: Receiver? = try? Receiver.account(), user: String? = nil, connections: Int = 1,
        options: [String] = []
    ) throws {
        self.user = user
        scratch = try Scratch()
        let place = scratch.path
        target = place / "target"
        passwordFile = place / "password"
        try Disk.makeDirectory(target)
        // Without a chroot, a daemon cuts what leads out of the module from the targets of symlinks, or puts a prefix
        // before them (rsyncd.conf(5), "munge symlinks"); only root can have one.
        var lines = [
            "use chroot = \(Privilege.isRoot ? "yes" : "no")", "reverse lookup = no", "[\(module)]", "path = \(target)",
            "read only = no",
            "munge symlinks = no", "max connections = \(connections)", "lock file = \(place)/connections.lock",
        ]
        if Privilege.isRoot {
            if let receiver { try Disk.changeOwner(target, receiver.user, receiver.group) }
            lines += ["uid = \(receiver?.user ?? 0)", "gid = \(receiver?.group ?? 0)"]
        }
        try Disk.write(passwordFile, Array("\(Self.password)\n".utf8))
        let secrets = place / "secrets"
        try Disk.write(secrets, Array("\(user ?? ""):\(Self.password)\n".utf8))
        // Both sides refuse passwords that others can read.
        for file in [passwordFile, secrets] { try Disk.changeMode(file, 0o600) }
        if let user { lines += ["auth users = \(user)", "secrets file = \(secrets)"] }
        let configuration = place / "rsyncd.conf"
        try Disk.write(configuration, Array((lines + options).joined(separator: "\n").utf8) + [0x0A])
        server = try Server("rsyncd", in: place) { port in
            [
                "rsync", "--daemon", "--no-detach", "--address=127.0.0.1", "--port=\(port)",
                "--config=\(configuration)", "--log-file=\(place)/transfers.log",
            ]
        }
    }

    /// Why there is none on this machine; nil where there is.
    static let obstacle = Programs.obstacle("rsync", "perl")

    var port: UInt16 { server.port }
    var diagnosis: String {
        let transfers = (try? Disk.read(scratch.path / "transfers.log")) ?? []
        return server.diagnosis + String(decoding: transfers.suffix(3_000), as: UTF8.self)
    }

    /// Where rsync finds a place below the module.
    func url(_ place: String = "") -> String {
        "rsync://\(user.map { $0 + "@" } ?? "")127.0.0.1:\(port)/\(module)/\(place)"
    }
}
