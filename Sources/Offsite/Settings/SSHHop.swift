/// An ssh host: where to log in, as `user@host:port`.
public struct SSHHop: Equatable, Sendable {
    /// nil: ssh's default.
    public var user: String?
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    public var host: String
    public var port: UInt16 = 22

    public init(user: String?, host: String, port: UInt16 = 22) {
        self.user = user
        self.host = host
        self.port = port
    }

    /// What a configuration error says was expected.
    public static let expectation = #"a host such as "user@bastion", "bastion:2222" or "user@[2001:db8::1]:22""#

    /// Reads `[user@]host[:port]`; nil when it is none.
    public init?(parsing text: String) {
        var rest = text[...]
        let user = SyncTarget.takeUser(&rest)
        var port: UInt16 = 22
        if let colon = SyncTarget.portColon(rest) {
            guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else { return nil }
            port = number
            rest = rest[..<colon]
        }
        guard SyncTarget.isHost(rest), user.map(SyncTarget.isUser) ?? true else { return nil }
        self.init(user: user, host: String(rest), port: port)
    }

    public var text: String { login + (port == 22 ? "" : ":\(port)") }

    /// Without the port, as rsync takes it.
    var login: String { (user.map { $0 + "@" } ?? "") + host }

    /// What ssh(1) takes: no brackets around an address.
    var destination: [UInt8] { Array(((user.map { $0 + "@" } ?? "") + bareHost).utf8) }

    /// Without the brackets of an IPv6 address.
    var bareHost: String { host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host }

    /// What a known_hosts file calls it (sshd(8)).
    var knownName: String { port == 22 ? bareHost : "[\(bareHost)]:\(port)" }
}

extension DestinationSettings {
    /// The host that an ssh target is on.
    public var sshHost: SSHHop? {
        guard case .ssh(let user, let host, _) = target else { return nil }
        return SSHHop(user: user, host: host, port: ssh.port)
    }

    /// The hosts whose keys have to be trusted: the jump host first, through which the other is reached.
    public var sshHosts: [SSHHop] { (sshHost == nil ? [] : [ssh.jump, sshHost]).compactMap { $0 } }
}
