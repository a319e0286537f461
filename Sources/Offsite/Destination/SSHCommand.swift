/// The ssh command line of a destination (ssh(1), ssh_config(5)).
///
/// Nothing of the user's or the system's configuration plays a part, no key is asked of an agent, a host whose key is
/// not known is refused, and nothing is forwarded. One connection serves all commands of a run (`ControlMaster`): each
/// would otherwise cost a login, which takes a third of a second and which DSM's Auto Block counts.
struct SSHCommand {
    let settings: SSHSettings
    let knownHosts: [UInt8]
    /// A directory of this process's own, for the socket of the shared connection; nil: each command logs in by itself.
    let socketDirectory: [UInt8]?

    /// Seconds without an answer after which the connection is given up.
    private static let aliveInterval = 15
    private static let aliveCount = 4
    private static let connectTimeout = 20
    /// Seconds that the shared connection outlives its last command: a worker that is killed leaves no more.
    private static let persistence = 30

    /// Bytes that the path of a socket's directory may have: of the 108 of an address (unix(7)), `/` and the 40 digits of
    /// `%C` take 41, the name that ssh binds first 17 more (mux.c), and a NUL the last one.
    static let longestSocketDirectory = 108 - 41 - 17 - 1

    /// `ssh` and its options, without host and command.
    var arguments: [[UInt8]] {
        var arguments = base(port: settings.port)
        if let socketDirectory {
            arguments += Self.options(["ControlMaster=auto", "ControlPersist=\(Self.persistence)"])
            arguments += [Array("-o".utf8), Array("ControlPath=".utf8) + socketDirectory + Array("/%C".utf8)]
        } else {
            arguments += Self.options(["ControlMaster=no", "ControlPath=none"])
        }
        return arguments + way
    }

    /// A command line that logs in nowhere, and notes in a file the key that a host shows: through a jump host, which
    /// ssh-keyscan(1) cannot pass.
    func asking(_ host: SSHHop, notingIn file: [UInt8]) -> [[UInt8]] {
        // The first value of an option counts (ssh_config(5)).
        [Array("ssh".utf8)]
            + Self.options(["StrictHostKeyChecking=accept-new", "PreferredAuthentications=none", "HashKnownHosts=no"])
            + [Array("-o".utf8), Array("UserKnownHostsFile=".utf8) + file]
            + Self.options(["ControlMaster=no", "ControlPath=none"])
            + base(port: host.port).dropFirst() + way + [host.destination, Array("true".utf8)]
    }

    private func base(port: UInt16) -> [[UInt8]] {
        var arguments = ["ssh", "-F", "none", "-T", "-p", "\(port)"].map { Array($0.utf8) }
        arguments += Self.options([
            "BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no",
            "GlobalKnownHostsFile=/dev/null", "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes",
            "PermitLocalCommand=no", "ConnectionAttempts=1", "ConnectTimeout=\(Self.connectTimeout)",
            "ServerAliveInterval=\(Self.aliveInterval)", "ServerAliveCountMax=\(Self.aliveCount)", "LogLevel=ERROR",
        ])
        arguments += [Array("-o".utf8), Array("UserKnownHostsFile=".utf8) + knownHosts]
        if let identity = settings.identity { arguments += [Array("-i".utf8), identity] }
        return arguments
    }

    /// How the host is reached: directly, or through another ssh with the same key and the same care. `ProxyJump` would
    /// hand over neither.
    private var way: [[UInt8]] {
        guard let jump = settings.jump else { return Self.options(["ProxyJump=none", "ProxyCommand=none"]) }
        let inner =
            base(port: jump.port)
            + Self.options(["ControlMaster=no", "ControlPath=none", "ProxyJump=none", "ProxyCommand=none"])
        let words = inner.map { Self.shellWord(Self.literal($0)) } + [Array("-W '[%h]:%p'".utf8)]
        let command = (words + [Self.shellWord(jump.destination)]).joined(separator: [UInt8(ascii: " ")])
        return [Array("-o".utf8), Array("ProxyCommand=".utf8) + command]
    }

    private static func options(_ options: [String]) -> [[UInt8]] {
        options.flatMap { ["-o", $0].map { Array($0.utf8) } }
    }

    /// Without tokens (ssh_config(5), TOKENS).
    private static func literal(_ word: [UInt8]) -> [UInt8] {
        word.flatMap { $0 == UInt8(ascii: "%") ? [$0, $0] : [$0] }
    }

    /// One word of the shell.
    private static func shellWord(_ word: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "'")
        return [quote] + word.flatMap { $0 == quote ? Array("'\\''".utf8) : [$0] } + [quote]
    }

    /// The same as rsync's `-e` takes it: split at spaces, but for what stands in single quotes, in which two of them
    /// stand for one (rsync(1)).
    var text: [UInt8] {
        let quote = UInt8(ascii: "'")
        return Array(
            arguments.map { argument in
                let isPlain = !argument.contains { " \"'".utf8.contains($0) }
                return isPlain
                    ? argument : [quote] + argument.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
            }.joined(separator: [UInt8(ascii: " ")]))
    }

    /// The command line that ends the shared connection.
    func closing(_ host: SSHHop) -> [[UInt8]] {
        arguments + [Array("-O".utf8), Array("exit".utf8), host.destination]
    }
}
