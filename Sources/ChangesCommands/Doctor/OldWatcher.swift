import Glibc

/// A process of what people used before: it costs watches, and may write to the same log.
struct OldWatcher: Sendable {
    var process: pid_t
    var name: [UInt8]
    var arguments: [[UInt8]]
    /// The text of `/proc/PID/cgroup`.
    var controlGroups: [UInt8]

    /// The programs, by their names in `/proc/PID/comm`.
    static let names: [[UInt8]] = ["inotifywait", "inotifywatch", "lsyncd"].map { Array($0.utf8) }

    static func findings(_ watchers: [OldWatcher]) -> [Finding] {
        if watchers.isEmpty { return [.ok("old watcher", "no inotifywait, inotifywatch or lsyncd runs")] }
        return watchers.map(\.finding)
    }

    private var finding: Finding {
        let command = arguments.isEmpty ? name : Array(arguments.joined(separator: [UInt8(ascii: " ")]))
        let shown = TerminalText.of(Array(command.prefix(200))) + (command.count > 200 ? " …" : "")
        return .warning(
            "old watcher",
            "\(TerminalText.of(name)) still runs, process \(process)\(unit.map { " of \($0.name)" } ?? ""): \(shown)",
            remedy: "if it is what the tracker replaces: "
                + stop)
    }

    /// Stops the watcher. A unit of the tracker's or a worker's name is never stopped: the new one has it, too.
    private var stop: String {
        guard let unit, unit.isUsers || !(unit.name == UnitFacts.name || unit.name.hasPrefix("nfs-offsite-sync")) else {
            return "kill \(process)"
        }
        return "systemctl \(unit.isUsers ? "--user " : "")disable --now \(unit.name)"
    }

    /// The service that the process is of; nil for one of a login session, a container or an own cgroup.
    private var unit: (name: String, isUsers: Bool)? {
        for line in controlGroups.split(separator: UInt8(ascii: "\n")) {
            // ID:CONTROLLERS:PATH (cgroups(7)): systemd's is the one of version 2, `0::`, or `name=systemd`.
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, fields[1].isEmpty || fields[1].elementsEqual("name=systemd".utf8) else { continue }
            let components = fields[2].split(separator: UInt8(ascii: "/"))
            let service = components.last { component in
                component.suffix(8).elementsEqual(".service".utf8) && !component.starts(with: "user@".utf8)
            }
            guard let service else { continue }
            let isUsers = components.contains { $0.starts(with: "user@".utf8) }
            return (ShellWord.of(Array(service)), isUsers)
        }
        return nil
    }
}
