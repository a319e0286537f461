import Glibc

/// A real sshd(8) with keys of its own, and a directory that whoever logs in may write to. Gone with the object.
///
///     let server = try SSHServer()
///     try require(["rsync", "-a", "-e", server.ssh, "source/", server.remote(server.target) + "/"])
final class SSHServer {
    /// Stops, restarts, freezes and kills it.
    let server: Server
    let scratch: Scratch
    let receiver: Receiver
    let address: String
    /// A directory of the receiver's.
    let target: Path
    /// The client's private key.
    let identity: Path
    /// A file of known hosts with the key of this server and no other.
    let knownHosts: Path

    /// - Parameters:
    ///   - address: where it listens.
    ///   - wrapper: a command that ends in exec(3) of what follows it: `ip netns exec …`.
    ///   - keyOptions: see `allow`.
    ///   - searchPath: a directory that is first in the PATH of what is run for a client; `CHANGES_TEST_RECEIVER` names one
    ///     for all servers that get none, with another version's rsync in it.
    /// - Throws: `ServerFailed`, with what sshd said; `CommandFailed` when it refuses its configuration.
    init(
        address: String = "127.0.0.1", wrapper: [String] = [], keyOptions: String = "", searchPath: Path? = nil
    ) throws {
        self.address = address
        scratch = try Scratch()
        receiver = try Receiver.account()
        let place = scratch.path
        target = place / "target"
        try receiver.makeDirectory(target)
        identity = place / "client_key"
        knownHosts = place / "known_hosts"
        for key in ["client_key", "host_key"] { try Self.makeKey(place / Path(key)) }
        try Self.write(place, keyOptions: keyOptions)
        // Where sshd as root confines its own part that talks before the login; Debian's service makes it.
        if Privilege.isRoot { try require(["mkdir", "-p", "-m", "755", "/run/sshd"]) }
        let configuration = place / "sshd_config"
        let text = Self.configuration(place, receiver: receiver, searchPath: searchPath ?? Self.otherReceiver)
        try Disk.write(configuration, Array(text.utf8))
        // sshd starts itself again for each connection and wants to know where it is.
        let sshd = ["/usr/sbin/sshd", "-f", configuration.string]
        try require(sshd + ["-t"])
        server = try Server("sshd", in: place, wrapper: wrapper) { port in
            sshd + ["-D", "-e", "-o", "ListenAddress=\(address):\(port)"]
        }
        try Disk.write(knownHosts, Array("[\(address)]:\(server.port) ".utf8) + Disk.read(place / "host_key.pub"))
    }

    private static let otherReceiver = Scale.environment("CHANGES_TEST_RECEIVER").map { Path($0) }

    /// Why there is none on this machine; nil where there is.
    static let obstacle = Programs.obstacle("/usr/sbin/sshd", "ssh", "ssh-keygen", "perl", "rsync")

    var port: UInt16 { server.port }
    var user: String { receiver.name }
    var diagnosis: String { server.diagnosis }

    /// What ssh(1) needs to get in, and nothing of this machine's settings.
    var sshArguments: [String] {
        [
            "ssh", "-F", "none", "-p", "\(port)", "-i", identity.string, "-o", "UserKnownHostsFile=\(knownHosts)",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes",
            "-o", "IdentitiesOnly=yes",
        ]
    }

    /// The same as one word, for rsync's `-e`.
    var ssh: String { sshArguments.joined(separator: " ") }

    /// How rsync calls a path of this server.
    func remote(_ path: Path) -> String { "\(user)@\(address):\(path.string)" }

    /// Runs a line of the shell as the receiver.
    func execute(_ line: String, atMost seconds: Double = 20) throws -> Completed {
        try run(sshArguments + ["\(user)@\(address)", line], atMost: seconds)
    }

    /// Says with which options the client's key gets in, from the next login on.
    ///
    /// - Parameter keyOptions: as in `authorized_keys` (sshd(8)), for example `Self.restricted(to:)`.
    func allow(keyOptions: String) throws { try Self.write(scratch.path, keyOptions: keyOptions) }

    /// The options of a key that can do nothing but rsync below a directory.
    static func restricted(to directory: Path) -> String { #"restrict,command="/usr/bin/rrsync \#(directory)""# }

    /// A key without a password, at `path`, and its public half at `path.pub`.
    static func makeKey(_ path: Path) throws {
        try require(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "changes-test", "-f", path.string])
    }

    private static func write(_ place: Path, keyOptions: String) throws {
        let key = try Disk.read(place / "client_key.pub")
        let new = place / "authorized_keys.new"
        try Disk.write(new, Array(keyOptions.utf8) + (keyOptions.isEmpty ? [] : Array(" ".utf8)) + key)
        try Disk.rename(new, place / "authorized_keys")
    }

    private static func configuration(_ place: Path, receiver: Receiver, searchPath: Path?) -> String {
        let path = searchPath.map { "SetEnv PATH=\($0):/usr/local/bin:/usr/bin:/bin\n" } ?? ""
        // StrictModes is off as the scratch directory need not be the receiver's.
        return path + """
            HostKey \(place)/host_key
            AuthorizedKeysFile \(place)/authorized_keys
            PidFile none
            AllowUsers \(receiver.name)
            AuthenticationMethods publickey
            PubkeyAuthentication yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            UsePAM no
            StrictModes no
            PermitUserRC no
            PrintMotd no
            UseDNS no
            MaxStartups 100
            LogLevel VERBOSE

            """
    }
}
