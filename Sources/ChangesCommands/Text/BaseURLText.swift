/// URLs of servers as people write them: `http://monitor:9091`, `https://[::1]/push`.
///
/// `http` or `https`, a name or an address, and optionally a port and a path. No user or password, which would stand in
/// process lists and messages, and no query or fragment, because paths are added.
enum BaseURLText {
    /// What an error says was expected.
    static let expectation =
        #"a URL such as "http://monitor:9091" or "https://monitor/push", without user, password or query"#

    /// The URL without slashes at its end; nil when it is none.
    static func parse(_ text: String) -> String? {
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return nil }
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        let authority = rest.prefix { $0 != slash }
        let path = rest[authority.endIndex...]
        guard isAuthority(authority), path.allSatisfy({ isAlphanumeric($0) || "/._~%+-".utf8.contains($0) }) else {
            return nil
        }
        let end = path.lastIndex { $0 != slash }.map(path.index(after:)) ?? authority.endIndex
        return String(text[..<end])
    }

    private static let slash = UInt8(ascii: "/")

    private static func isAuthority(_ authority: Substring.UTF8View) -> Bool {
        if authority.first == UInt8(ascii: "[") {
            guard let bracket = authority.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = authority[..<bracket].dropFirst()
            return !address.isEmpty && address.allSatisfy { isAlphanumeric($0) || ":.".utf8.contains($0) }
                && isPort(authority[bracket...].dropFirst())
        }
        let host = authority.prefix { $0 != UInt8(ascii: ":") }
        return !host.isEmpty && host.first != UInt8(ascii: "-")
            && host.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) } && isPort(authority[host.endIndex...])
    }

    /// Nothing, or a colon and a port.
    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        if text.isEmpty { return true }
        let digits = text.dropFirst()
        return text.first == UInt8(ascii: ":") && digits.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            && String(digits).flatMap({ UInt16($0) }).map { $0 > 0 } ?? false
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
