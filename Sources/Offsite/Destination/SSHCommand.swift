/// The ssh command line of a destination (ssh(1), ssh_config(5)).
///
/// Nothing of the user's or the system's configuration plays a part, no key is asked of an agent, a host whose key is
/// not known is refused, and nothing is forwarded. One connection serves all commands of a run (`ControlMaster`): each
/// would otherwise cost a login, which takes a third of a second and which DSM's Auto Block counts.
struct SSHCommand {
    let settings: SSHSettings
    /// Used when the settings name no file.
    let defaultKnownHosts: [UInt8]
    /// A directory of this process's own, for the socket of the shared connection.
    let socketDirectory: [UInt8]

    /// Seconds without an answer after which the connection is given up.
    private static let aliveInterval = 15
    private static let aliveCount = 4
    private static let connectTimeout = 20
    /// Seconds that the shared connection outlives its last command: a worker that is killed leaves no more.
    private static let persistence = 30

    var knownHosts: [UInt8] { settings.knownHosts ?? defaultKnownHosts }

    /// `ssh` and its options, without host and command.
    var arguments: [[UInt8]] {
        var arguments = ["ssh", "-F", "none", "-T", "-p", "\(settings.port)"].map { Array($0.utf8) }
        let options = [
            "BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no",
            "GlobalKnownHostsFile=/dev/null", "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes",
            "PermitLocalCommand=no", "ProxyCommand=none", "ProxyJump=none", "ConnectionAttempts=1",
            "ConnectTimeout=\(Self.connectTimeout)", "ServerAliveInterval=\(Self.aliveInterval)",
            "ServerAliveCountMax=\(Self.aliveCount)", "LogLevel=ERROR", "ControlMaster=auto",
            "ControlPersist=\(Self.persistence)",
        ]
        for option in options { arguments += [Array("-o".utf8), Array(option.utf8)] }
        arguments += [Array("-o".utf8), Array("UserKnownHostsFile=".utf8) + knownHosts]
        arguments += [Array("-o".utf8), Array("ControlPath=".utf8) + socketDirectory + Array("/%C".utf8)]
        if let identity = settings.identity { arguments += [Array("-i".utf8), identity] }
        return arguments
    }

    /// The same as rsync's `-e` takes it: split at spaces, but for what stands in single quotes.
    var text: [UInt8] {
        Array(
            arguments.map { argument in
                let isPlain = !argument.contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") }
                return isPlain ? argument : [UInt8(ascii: "'")] + argument + [UInt8(ascii: "'")]
            }.joined(separator: [UInt8(ascii: " ")]))
    }

    /// The command line that ends the shared connection.
    func closing(_ host: String) -> [[UInt8]] {
        arguments + [Array("-O".utf8), Array("exit".utf8), Array(host.utf8)]
    }
}
