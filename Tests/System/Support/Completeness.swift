import LinuxKernel

/// The rule that the product is held to: every path that differs between two listings is in the log and in the
/// history, there with a time not before its last change.
struct Completeness {
    /// One path that has to have been recorded.
    struct Expected: Sendable {
        let path: Path
        /// No earlier row will do.
        let since: Timestamp
        /// Readable: what differs.
        let reason: String
        /// The path does not exist now: its last row has to be a deletion.
        let isGone: Bool
        /// Only what follows from a change of a directory's entries differs: a recorded entry will do as well.
        let mayFollowFromEntries: Bool
    }

    /// What has to be recorded, from the trees before and after.
    ///
    /// Two differences are consequences of another name's change and asked of nobody: the link count and ctime of
    /// an inode that gained or lost a name, and the times, size and link count of a directory whose entries were
    /// recorded. A difference of the ctime alone is asked for only if `strict`: not everything that moves it
    /// raises an event. `exactTimes` asks for a row no older than the ctime of a file with one name; it is wrong
    /// where files lost a second name after they were changed.
    static func expected(
        before: Listing, after: Listing, strict: Bool = false, exactTimes: Bool = true
    ) -> [Expected] {
        var result: [Expected] = []
        for (path, new) in after.entries {
            let hadOtherNames = new.links > 1 || (before.entries[path]?.links ?? 1) > 1
            let since = new.isDirectory || hadOtherNames || !exactTimes ? before.takenAt : new.changed
            guard let old = before.entries[path] else {
                result.append(
                    Expected(path: path, since: since, reason: "appeared", isGone: false, mayFollowFromEntries: false))
                continue
            }
            guard let difference = difference(old, new, strict: strict) else { continue }
            result.append(
                Expected(
                    path: path, since: max(since, before.takenAt), reason: difference.reason, isGone: false,
                    mayFollowFromEntries: difference.mayFollowFromEntries))
        }
        for path in before.entries.keys where after.entries[path] == nil {
            result.append(
                Expected(
                    path: path, since: before.takenAt, reason: "disappeared", isGone: true, mayFollowFromEntries: false)
            )
        }
        return result
    }

    private static func difference(
        _ old: ListedEntry, _ new: ListedEntry, strict: Bool
    ) -> (reason: String, mayFollowFromEntries: Bool)? {
        var reasons: [String] = []
        if old.mode & 0o170000 != new.mode & 0o170000 { reasons.append("type") }
        if old.inode != new.inode || old.device != new.device { reasons.append("inode") }
        if old.mode & 0o7777 != new.mode & 0o7777 { reasons.append("mode") }
        if old.owner != new.owner { reasons.append("owner") }
        if old.group != new.group { reasons.append("group") }
        if old.deviceNumber != new.deviceNumber { reasons.append("device number") }
        if old.target != new.target { reasons.append("link target") }
        let isFirm = !reasons.isEmpty
        if old.size != new.size { reasons.append("size") }
        if old.modified != new.modified { reasons.append("mtime") }
        if strict && old.changed != new.changed && old.links == new.links { reasons.append("ctime") }
        return reasons.isEmpty ? nil : (reasons.joined(separator: ", "), new.isDirectory && !isFirm)
    }
}

/// What has been recorded since some moment, as the rule asks about it. Fed with rows and lines as they come.
struct Recorded {
    private(set) var latest: [Path: HistoryRow] = [:]
    private(set) var logged: Set<Path> = []
    private var parents: Set<Path> = []

    mutating func add(_ rows: some Sequence<HistoryRow>) {
        for row in rows { latest[row.path] = row }
    }

    mutating func add(lines: some Sequence<Path>) {
        for path in lines where logged.insert(path).inserted { parents.insert(path.parent) }
    }

    /// Why `expected` is not met; nil if it is.
    func shortfall(_ expected: Completeness.Expected) -> String? {
        if expected.mayFollowFromEntries && parents.contains(expected.path) { return nil }
        guard let row = latest[expected.path] else { return "no row" }
        if row.at < expected.since {
            return "its row is from \(expected.since.nanoseconds - row.at.nanoseconds) ns before"
        }
        if expected.isGone && row.kind != "deleted" && row.kind != "untracked" { return "its last row is \(row.kind)" }
        if !expected.isGone && row.kind == "deleted" { return "its last row is a deletion" }
        return logged.contains(expected.path) ? nil : "no line in the log"
    }
}
