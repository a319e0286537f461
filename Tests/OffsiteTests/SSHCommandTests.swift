import Testing

@testable import Offsite

@Suite struct SSHCommandTests {
    @Test(arguments: [
        ("bastion", SSHHop(user: nil, host: "bastion")),
        ("me@bastion:2222", SSHHop(user: "me", host: "bastion", port: 2222)),
        ("me@[2001:db8::1]", SSHHop(user: "me", host: "[2001:db8::1]")),
        ("[::1]:22", SSHHop(user: nil, host: "[::1]")),
    ])
    func `a jump host is read as it is written`(_ text: String, _ hop: SSHHop) throws {
        #expect(SSHHop(parsing: text) == hop)
        #expect(SSHHop(parsing: hop.text) == hop)
    }

    @Test(arguments: ["", "@a", "a b", "-oProxyCommand=x", "a:0", "a:x", "me@-x", "a,b", "a:22:22"])
    func `what could be an option or a command is no jump host`(_ text: String) {
        #expect(SSHHop(parsing: text) == nil)
    }

    @Test func `ssh takes an IPv6 address without brackets, and known_hosts with them only beside a port`() {
        #expect(SSHHop(user: "me", host: "[::1]").destination == Array("me@::1".utf8))
        #expect(SSHHop(user: nil, host: "[::1]").knownName == "::1")
        #expect(SSHHop(user: nil, host: "[::1]", port: 2222).knownName == "[::1]:2222")
    }

    private func command(_ jump: String?, identity: String) -> SSHCommand {
        var settings = SSHSettings()
        settings.identity = Array(identity.utf8)
        settings.jump = jump.flatMap(SSHHop.init(parsing:))
        return SSHCommand(settings: settings, knownHosts: Array("/state/known".utf8), socketDirectory: nil)
    }

    @Test func `the jump host gets the same key and the same care`() throws {
        let arguments = command("me@[::1]:2222", identity: "/keys/100% o'k").arguments
        let proxy = try #require(
            arguments.map { String(decoding: $0, as: UTF8.self) }.first { $0.hasPrefix("ProxyCommand=") })
        for part in [
            "'-F' 'none'", "'-p' '2222'", "'StrictHostKeyChecking=yes'", "'UserKnownHostsFile=/state/known'",
            "'ControlMaster=no'", #"'-i' '/keys/100%% o'\''k'"#,
        ] { #expect(proxy.contains(part), "\(proxy)") }
        #expect(proxy.hasSuffix("-W '[%h]:%p' 'me@::1'"), "\(proxy)")
        #expect(!command(nil, identity: "/k").arguments.contains(Array("ControlMaster=auto".utf8)))
    }

    /// As rsync's do_cmd (main.c) takes its `-e` apart.
    private func words(_ text: [UInt8]) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8] = []
        var isQuoted = false
        var index = 0
        let quote = UInt8(ascii: "'")
        while index < text.count {
            let byte = text[index]
            if byte == quote, !isQuoted {
                isQuoted = true
            } else if byte == quote, index + 1 < text.count, text[index + 1] == quote {
                word.append(byte)
                index += 1
            } else if byte == quote {
                isQuoted = false
            } else if byte == UInt8(ascii: " "), !isQuoted {
                words.append(word)
                word = []
            } else {
                word.append(byte)
            }
            index += 1
        }
        return words + [word]
    }

    @Test func `rsync takes the command line apart as it was put together`() {
        for command in [command("me@bastion", identity: "/a b/it's"), command(nil, identity: "/plain")] {
            #expect(words(command.text) == command.arguments)
        }
    }

    @Test(arguments: [
        (
            "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\r\nHost key verification failed.\r\n",
            LoginDiagnosis.hostKeyChanged
        ),
        (
            "No ED25519 host key is known for nas and you have requested strict checking.\r\nHost key verification failed.",
            .hostKeyUnknown
        ),
        ("me@nas: Permission denied (publickey).\r\n", .refused),
        ("ssh: connect to host nas port 22: Connection refused\r\n", .unreachable),
    ])
    func `what keeps ssh out is told apart`(_ errors: String, _ cause: LoginDiagnosis) {
        #expect(LoginDiagnosis(Array(errors.utf8)) == cause)
    }

    @Test func `a host that shuts its shell is no host that lets nobody in`() {
        #expect(LoginDiagnosis(Array("Permission denied, please try again.\r\n".utf8)) == nil)
        #expect(LoginDiagnosis(Array("This account is currently not available.\n".utf8)) == nil)
    }

    @Test func `messages have no carriage returns`() {
        #expect(DestinationLink.display(Array("one\r\ntwo.\r\n".utf8)) == "one; two.")
    }
}
