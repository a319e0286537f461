/// A line of rsync's standard error that says why a path could not be read:
/// `rsync: [sender] opendir "/srv/nfs/a" failed: Permission denied (13)`; before 3.2 without the side.
struct UnreadablePath: Equatable {
    /// As it stands there: absolute, or relative to a daemon's module.
    let path: [UInt8]
    let reason: String

    /// - Returns: nil for a line about no path, and for one about a path that went meanwhile (ENOENT).
    init?(parsing line: some Collection<UInt8>) {
        let bytes = Array(line)
        guard bytes.starts(with: Array("rsync: ".utf8)), let first = bytes.firstIndex(of: UInt8(ascii: "\"")),
            let last = bytes.lastIndex(of: UInt8(ascii: "\"")), first < last
        else { return nil }
        let rest = String(decoding: bytes[(last + 1)...], as: UTF8.self)
        guard let colon = rest.firstIndex(of: ":"), rest.hasSuffix(")"), !rest.hasSuffix(" (2)") else { return nil }
        path = ListedName.unescape(bytes[(first + 1)..<last])
        reason = String(rest[rest.index(after: colon)...].drop { $0 == " " })
    }

    /// All that a run wrote, each path once.
    static func all(in errors: [UInt8]) -> [UnreadablePath] {
        var seen: Set<[UInt8]> = []
        return errors.split(separator: UInt8(ascii: "\n")).compactMap { UnreadablePath(parsing: $0) }
            .filter { seen.insert($0.path).inserted }
    }
}
