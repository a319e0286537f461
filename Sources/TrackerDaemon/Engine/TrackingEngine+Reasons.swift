import LinuxKernel
import Tracking

/// What the engine says of itself, in words.
extension TrackingEngine {
    /// What cannot be brought up to date, a line each: roots and mount points that are held or missing, what is not
    /// tracked, and what cannot be read.
    func unsettledPlaces() -> [String] {
        let missing = tree.roots.filter { tree.state(of: $0).contains(.missing) } + unseen.filter(tree.isLive)
        let held = expected.keys.filter { tree.isLive($0) && !missing.contains($0) }
        var places = missing.map { UnsettledPlace(tree.path(of: $0), .missing) }
        places += held.map { UnsettledPlace(tree.path(of: $0), .held) }
        places += foreignRoots.map { UnsettledPlace($0, .foreign) }
        let tops = unreadable.filter { tree.isLive($0) && !unreadable.contains(tree.parent(of: $0)) }
        places += tops.map { UnsettledPlace(tree.path(of: $0), .unreadable) }
        for case .unreadable(let path, _) in notesTold { places.append(UnsettledPlace(path, .unreadable)) }
        return places.map(\.line).sorted()
    }

    /// What weakens the promise now, each with its remedy.
    func degradedReasons() -> [String] {
        var reasons: [String] = []
        if !polled.isEmpty {
            reasons.append(
                "\(Self.count(polled.count)) no watch and \(polled.count == 1 ? "is" : "are") polled: "
                    + "sysctl -w fs.inotify.max_user_watches=\(Self.suggestedLimit(for: tree.count))")
        }
        for root in tree.roots where tree.state(of: root).contains(.missing) {
            let path = printable(tree.name(of: root))
            reasons.append("root \(path) is missing: mount or restore it, or run: changes accept \(path)")
        }
        for node in unseen where tree.isLive(node) {
            let path = printable(tree.path(of: node))
            reasons.append("mount point \(path) is missing: mount it, or run: changes accept \(path)")
        }
        for node in expected.keys where tree.isLive(node) && !unseen.contains(node) {
            let path = printable(tree.path(of: node))
            reasons.append(
                "\(path) is held, another file system or directory is there: mount the right one, or run: "
                    + "changes accept \(path)")
        }
        for path in unwatchedPatternPaths {
            reasons.append(
                "\(printable(path)) has no watch and is polled for new roots: "
                    + "sysctl -w fs.inotify.max_user_watches=\(Self.suggestedLimit(for: tree.count))")
        }
        for path in foreignRoots {
            reasons.append(
                "\(printable(path)) is on \(ForeignRoots.description) and is not tracked: \(ForeignRoots.remedy)")
        }
        for case .unreadable(let path, _) in notesTold {
            reasons.append("\(printable(path)) cannot be read: roots in it stay unknown; see the journal")
        }
        if !unreadable.isEmpty {
            reasons.append(
                "\(unreadable.count) \(unreadable.count == 1 ? "directory" : "directories") cannot be read: see the journal"
            )
        }
        return reasons
    }

    private static func count(_ directories: Int) -> String {
        directories == 1 ? "1 directory has" : "\(directories) directories have"
    }

    static func suggestedLimit(for directories: Int) -> Int {
        WatchLimit.suggested(for: directories, above: WatchLimit.current)
    }
}
