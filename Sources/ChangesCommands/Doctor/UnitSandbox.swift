/// What the unit's sandbox (systemd.exec(5)) lets the tracker see and write.
extension UnitFacts {
    func sandboxFindings(_ unit: UnitProperties) -> [Finding] {
        let sandbox = UnitSandbox(unit)
        var findings: [Finding] = []
        for (path, what, file) in [
            (logDirectory, "the log's directory", "log"), (stateDirectory, "the state directory", "state"),
        ] {
            let place = "\(TerminalText.of(path)), \(what), is"
            if let setting = sandbox.settingThatHides(path) {
                findings.append(hidden(place, setting))
            } else if !sandbox.mayWrite(path) {
                findings.append(
                    .problem(
                        Self.check, "\(place) read-only in the sandbox of \(Self.name)",
                        remedy: Self.dropIn(file, "ReadWritePaths", Self.unitWord(path))))
            }
        }
        for root in roots {
            guard let setting = sandbox.settingThatHides(root) else { continue }
            findings.append(hidden("\(TerminalText.of(root)), a root, is", setting))
        }
        return findings
    }

    private func hidden(_ place: String, _ setting: UnitSandbox.Hiding) -> Finding {
        .problem(
            Self.check, "\(place) not seen in the sandbox of \(Self.name) (\(setting.name)=\(setting.value))",
            remedy: Self.dropIn(setting.name, setting.name, Array(setting.remedy.utf8)))
    }

    /// A path as one word of a unit file (systemd.syntax(7), systemd.unit(5)): quoted, and without specifiers.
    static func unitWord(_ path: [UInt8]) -> [UInt8] {
        let special = [
            UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"),
        ]
        let quote = path.contains(where: special.contains) ? [UInt8(ascii: "\"")] : []
        let body = path.flatMap { byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "%"): [byte, byte]
            default: [byte]
            }
        }
        return quote + body + quote
    }

    /// The commands that add one line to the unit, in a file of its own: one remedy must not undo another.
    static func dropIn(
        _ file: String, _ setting: String, _ value: [UInt8], unit: String = Self.name
    ) -> String {
        let directory = "/etc/systemd/system/\(unit).d"
        let line = ShellWord.of(Array("\(setting)=".utf8) + value)
        return "mkdir -p \(directory) && printf '%s\\n' '[Service]' \(line) > \(directory)/\(file).conf && "
            + "systemctl daemon-reload && systemctl restart \(unit)"
    }
}

struct UnitSandbox: Sendable {
    /// A setting that hides a directory, and the value with which it would not.
    struct Hiding: Equatable, Sendable {
        var name: String
        var value: String
        var remedy: String
    }

    private let protectSystem: String
    private let protectHome: String
    private let privateTmp: String
    private let writable: [[UInt8]]

    init(_ unit: UnitProperties) {
        protectSystem = unit["ProtectSystem"]
        protectHome = unit["ProtectHome"]
        privateTmp = unit["PrivateTmp"]
        // "-" before a path: it need not exist; "+": it is relative to RootDirectory=.
        let listed = unit.words("ReadWritePaths").map { path in
            Array(path.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") })
        }
        writable = listed + unit.words("StateDirectory").map { Array("/var/lib/".utf8) + $0 }
    }

    func mayWrite(_ path: [UInt8]) -> Bool {
        if isBelow(path, writable) { return true }
        if ["yes", "tmpfs", "read-only"].contains(protectHome), isBelow(path, Self.homes) { return false }
        switch protectSystem {
        case "strict": return isBelow(path, [Array("/dev".utf8), Array("/proc".utf8), Array("/sys".utf8)])
        case "full": return !isBelow(path, ["/usr", "/boot", "/efi", "/etc"].map { Array($0.utf8) })
        case "yes": return !isBelow(path, ["/usr", "/boot", "/efi"].map { Array($0.utf8) })
        default: return true
        }
    }

    func settingThatHides(_ path: [UInt8]) -> Hiding? {
        // Also the values of later versions, such as "disconnected".
        if !["no", ""].contains(privateTmp), isBelow(path, [Array("/tmp".utf8), Array("/var/tmp".utf8)]) {
            return Hiding(name: "PrivateTmp", value: privateTmp, remedy: "no")
        }
        if ["yes", "tmpfs"].contains(protectHome), isBelow(path, Self.homes) {
            return Hiding(name: "ProtectHome", value: protectHome, remedy: "read-only")
        }
        return nil
    }

    private static let homes = ["/home", "/root", "/run/user"].map { Array($0.utf8) }

    private func isBelow(_ path: [UInt8], _ directories: [[UInt8]]) -> Bool {
        directories.contains { directory in
            path == directory || directory == [UInt8(ascii: "/")] || path.starts(with: directory + [UInt8(ascii: "/")])
        }
    }
}
