import LinuxKernel

/// Why ssh let nobody in, as far as what it wrote tells.
enum LoginDiagnosis: Equatable {
    /// The host shows another key than the one that is trusted.
    case hostKeyChanged
    /// No key of the host is trusted.
    case hostKeyUnknown
    /// The host takes none of the keys that were offered, or none was.
    case refused
    /// There is nobody to log in at.
    case unreachable

    init?(_ errors: [UInt8]) {
        let text = String(decoding: errors, as: UTF8.self)
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key for ", "differs from the key for the IP address") {
            self = .hostKeyChanged
        } else if says("Host key verification failed", "host key is known for", "No matching host key fingerprint") {
            self = .hostKeyUnknown
        } else if says("Permission denied (") {
            self = .refused
        } else if says(
            "Connection refused", "Connection timed out", "Could not resolve hostname", "No route to host",
            "Network is unreachable", "Operation timed out")
        {
            self = .unreachable
        } else {
            return nil
        }
    }
}

extension DestinationLink {
    /// What keeps this host from logging in, in a sentence with what to do; nil where rsync or ssh say it best.
    func loginFailure(_ errors: [UInt8]) -> SyncFailure? {
        guard let host = settings.sshHost, let cause = LoginDiagnosis(errors) else { return nil }
        let name = settings.name
        switch cause {
        case .hostKeyChanged:
            let file = OctalEscapes.display(sshKnownHosts ?? [])
            return .hostKey(
                "the key of \(host.host)\(throughJump) is not the one that is trusted (\(file)): if the host was "
                    + "installed anew or replaced, run `changes sync init --replace-host-key \(name)`; if not, somebody "
                    + "else may be answering")
        case .hostKeyUnknown:
            return .hostKey(
                "no key of \(host.host)\(throughJump) is trusted yet: run `changes sync init \(name)`, which shows it")
        case .refused:
            let keys = settings.ssh.identity.map { [$0] } ?? Self.defaultIdentities
            guard let key = keys.first(where: { FileSystemLook.exists($0) && PrivateKeyFile.needsPassphrase($0) })
            else {
                let user = host.user.map { "user \($0)" } ?? "this user"
                let key = keys.first { FileSystemLook.exists($0) }.map { OctalEscapes.display($0) + ".pub" }
                return .login(
                    "\(host.host)\(throughJump) refuses the ssh key: "
                        + (key.map { "put the line in \($0) into ~/.ssh/authorized_keys of \(user) there" }
                            ?? "there is none: make one with ssh-keygen, and name it in ssh.identity")
                        + ", and check that neither the file nor its directories are writable for others")
            }
            let file = OctalEscapes.display(key)
            return .login(
                "the private key \(file) needs a passphrase, which nobody is there to type: "
                    + PrivateKeyFile.remedy(file))
        case .unreachable:
            return .unreachable(
                "\(host.host)\(throughJump) cannot be reached: switch it on, or check the network, the VPN and the port; "
                    + "it is retried (\(Self.display(errors)))")
        }
    }

    private var throughJump: String { settings.ssh.jump.map { " (or of the jump host \($0.host))" } ?? "" }

    /// The names that ssh(1) tries by itself.
    private static var defaultIdentities: [[UInt8]] {
        guard let home = ProcessContext.environmentVariable("HOME") else { return [] }
        return ["rsa", "ecdsa", "ed25519"].map { home + Array("/.ssh/id_\($0)".utf8) }
    }
}
