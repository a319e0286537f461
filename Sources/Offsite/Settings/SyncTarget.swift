/// Where a copy goes: `user@host:/path` (ssh), `rsync://user@host:port/module/path` (an rsync daemon), or `/path`.
///
/// Paths are made of letters, digits and `/._+,@=-` only: a receiver of rsync before 3.2.4 hands what stands there to a
/// shell.
public enum SyncTarget: Equatable, Sendable {
    /// `user` nil: ssh's default. `path` is absolute.
    case ssh(user: String?, host: String, path: String)
    /// `port` nil: 873. `path` begins with the module's name and has no slash at either end.
    case daemon(user: String?, host: String, port: UInt16?, path: String)
    /// Absolute.
    case local(path: String)

    /// What a configuration error says was expected.
    public static let expectation =
        #"a target such as "user@nas:/volume1/backup", "rsync://nas/module/path" or "/mnt/disk/copy"; "#
        + "paths of letters, digits and /._+,@=- only"

    /// Reads a target; nil when it is none.
    public init?(parsing text: String) {
        if let rest = Self.dropping("rsync://", from: text) {
            guard let slash = rest.firstIndex(of: "/") else { return nil }
            var authority = rest[..<slash]
            let path = Self.withoutTrailingSlashes(rest[rest.index(after: slash)...])
            guard Self.isPlain(path), path.first != "/", !path.isEmpty, !Self.hasDots(path) else { return nil }
            let user = Self.takeUser(&authority)
            var port: UInt16?
            if let colon = Self.portColon(authority) {
                guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { return nil }
                port = number
                authority = authority[..<colon]
            }
            guard Self.isHost(authority), user.map(Self.isUser) ?? true else { return nil }
            self = .daemon(user: user, host: String(authority), port: port, path: path)
            return
        }
        if text.hasPrefix("/") {
            let path = Self.withoutTrailingSlashes(text[...])
            guard Self.isPlain(path), !Self.hasDots(path), path != "/" else { return nil }
            self = .local(path: path)
            return
        }
        var authority = text[...]
        let user = Self.takeUser(&authority)
        let separator: String.Index
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]"), authority[bracket...].hasPrefix("]:/") else {
                return nil
            }
            separator = authority.index(after: bracket)
        } else {
            guard let colon = authority.firstIndex(of: ":") else { return nil }
            separator = colon
        }
        let host = authority[..<separator]
        let path = Self.withoutTrailingSlashes(authority[authority.index(after: separator)...])
        guard Self.isHost(host), user.map(Self.isUser) ?? true, path.hasPrefix("/"), Self.isPlain(path),
            !Self.hasDots(path), path != "/"
        else { return nil }
        self = .ssh(user: user, host: String(host), path: path)
    }

    /// The target as it stands in a configuration, which is also how rsync takes it.
    public var text: String {
        switch self {
        case .ssh(let user, let host, let path): Self.prefix(user) + host + ":" + path
        case .daemon(let user, let host, let port, let path):
            "rsync://" + Self.prefix(user) + host + (port.map { ":\($0)" } ?? "") + "/" + path
        case .local(let path): path
        }
    }

    /// What a list of paths to read is relative to, and what they begin with from there. For a daemon that is its module:
    /// of a list that is relative to a directory below it the daemon of rsync 3.5.0 finds nothing (exit 24, "vanished").
    var top: (text: String, prefix: String) {
        guard case .daemon(let user, let host, let port, let path) = self, let slash = path.firstIndex(of: "/") else {
            return (text, "")
        }
        let module = SyncTarget.daemon(user: user, host: host, port: port, path: String(path[..<slash]))
        return (module.text, path[path.index(after: slash)...] + "/")
    }

    private static func prefix(_ user: String?) -> String { user.map { $0 + "@" } ?? "" }

    private static func dropping(_ prefix: String, from text: String) -> Substring? {
        text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil
    }

    static func takeUser(_ authority: inout Substring) -> String? {
        guard let at = authority.firstIndex(of: "@") else { return nil }
        defer { authority = authority[authority.index(after: at)...] }
        return String(authority[..<at])
    }

    /// The colon before a port; those of an address in brackets are none.
    static func portColon(_ authority: Substring) -> Substring.Index? {
        let start = authority.lastIndex(of: "]") ?? authority.startIndex
        return authority[start...].firstIndex(of: ":")
    }

    private static func withoutTrailingSlashes(_ path: Substring) -> String {
        var path = path
        while path.count > 1, path.last == "/" { path.removeLast() }
        return String(path)
    }

    private static func hasDots(_ path: String) -> Bool {
        path.split(separator: "/").contains { $0 == "." || $0 == ".." }
    }

    private static func isPlain(_ path: String) -> Bool {
        path.utf8.allSatisfy { isAlphanumeric($0) || "/._+,@=-".utf8.contains($0) } && !path.contains("//")
    }

    /// A name, an IPv4 address or an IPv6 address in brackets; what begins with a hyphen would be an option.
    static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            return !address.isEmpty
                && address.utf8.allSatisfy { isAlphanumeric($0) || ":.%".utf8.contains($0) }
        }
        return !host.isEmpty && host.first != "-"
            && host.utf8.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) }
    }

    static func isUser(_ user: String) -> Bool {
        !user.isEmpty && user.first != "-" && user.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
