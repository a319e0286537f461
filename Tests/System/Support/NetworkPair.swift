import Glibc

/// Two network namespaces of this machine (ip-netns(8)), joined by one cable that can be cut. Nothing else can be
/// reached from them. Gone with the object; so stop before it what runs in them.
final class NetworkPair {
    /// One end.
    struct End {
        let namespace: String
        let interface: String
        let address: String

        /// A command that runs what follows it there, and becomes it.
        var wrapper: [String] { ["ip", "netns", "exec", namespace] }
    }

    let near: End
    let far: End

    /// - Throws: `CommandFailed` where none can be made.
    init() throws {
        let name = "changes-test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        // Addresses for examples (RFC 5737).
        near = End(namespace: "\(name)-near", interface: "near0", address: "192.0.2.1")
        far = End(namespace: "\(name)-far", interface: "far0", address: "192.0.2.2")
        do {
            for end in [near, far] { try require(["ip", "netns", "add", end.namespace]) }
            try require(
                [
                    "ip", "link", "add", near.interface, "netns", near.namespace, "type", "veth", "peer", "name",
                    far.interface, "netns", far.namespace,
                ])
            for end in [near, far] {
                try require(["ip", "-n", end.namespace, "addr", "add", "\(end.address)/24", "dev", end.interface])
                for link in ["lo", end.interface] {
                    try require(["ip", "-n", end.namespace, "link", "set", link, "up"])
                }
            }
            try waitForLink()
        } catch {
            remove()
            throw error
        }
    }

    deinit { remove() }

    /// Why there is none on this machine; nil where there is.
    static let obstacle: String? = {
        if let missing = Programs.obstacle("ip", needsRoot: true) { return missing }
        do {
            let pair = try NetworkPair()
            try require(pair.near.wrapper + ["true"])
            return nil
        } catch {
            return "no network namespaces here: \(error)"
        }
    }()

    /// Unplugs the cable: nothing arrives any more, and nobody is told.
    func cut() throws { try setLink("down") }

    /// Plugs it in again, and waits until both ends know: what connections are left go on.
    func restore() throws {
        try setLink("up")
        try waitForLink()
    }

    /// Runs a command at the near end.
    func execute(_ arguments: [String], atMost seconds: Double = 60) throws -> Completed {
        try run(near.wrapper + arguments, atMost: seconds)
    }

    private func setLink(_ state: String) throws {
        try require(["ip", "-n", far.namespace, "link", "set", far.interface, state])
    }

    private func waitForLink() throws {
        for end in [near, far] {
            let link = ["ip", "-n", end.namespace, "-o", "link", "show", "dev", end.interface]
            let isUp = try wait(atMost: 10) {
                String(decoding: try run(link).output, as: UTF8.self).contains(" state UP ")
            }
            guard isUp else { throw CommandFailed(arguments: link, status: .exited(0), errors: "the link stays down") }
            // An end that nobody answered would go on believing that there is nobody.
            try require(["ip", "-n", end.namespace, "neigh", "flush", "dev", end.interface])
        }
    }

    private func remove() {
        for end in [near, far] { _ = try? run(["ip", "netns", "delete", end.namespace]) }
    }
}
