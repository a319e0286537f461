/// The systemd unit, as `systemctl show` tells of it.
struct UnitFacts: Sendable {
    enum Source: Sendable {
        /// The host was not booted with systemd.
        case noSystemd
        /// `systemctl` did not answer, with the reason.
        case unavailable(String)
        /// The properties by name.
        case properties([String: [UInt8]])
    }

    static let name = "nfs-change-tracker.service"
    /// The properties that are asked for.
    static let properties = [
        "LoadState", "ActiveState", "UnitFileState", "ReadWritePaths", "ProtectSystem", "PrivateTmp", "ProtectHome",
        "ExecStart", "FragmentPath", "NeedDaemonReload", "StateDirectory",
    ]

    var source: Source
    /// The program that the unit starts exists; nil when it is not known which.
    var hasProgram: Bool?
    /// The configuration file that is checked, and whether a flag says otherwise of the state directory.
    var configurationFile: [UInt8]
    var hasFlags = false
    var roots: [[UInt8]] = []
    /// The log's directory.
    var logDirectory: [UInt8] = []
    var stateDirectory: [UInt8] = []

    static let check = "unit"

    /// Parses the `NAME=VALUE` lines of `systemctl show`.
    static func parse(_ text: [UInt8]) -> [String: [UInt8]] {
        var properties: [String: [UInt8]] = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            properties[String(decoding: line[..<equals], as: UTF8.self)] = Array(line[(equals + 1)...])
        }
        return properties
    }

    /// The words after `argv[]=` of an `ExecStart` property: `{ path=… ; argv[]=/usr/bin/changes track ; … }`.
    static func arguments(of execStart: [UInt8]) -> [[UInt8]] {
        let key = Array("argv[]=".utf8)
        guard let start = execStart.indices.first(where: { execStart[$0...].starts(with: key) }) else { return [] }
        let words = execStart[(start + key.count)...].split(separator: UInt8(ascii: " "))
        return words.prefix { !$0.elementsEqual(";".utf8) }.map { Array($0) }
    }

    var findings: [Finding] {
        switch source {
        case .noSystemd:
            return [
                .note(
                    Self.check, "this host does not run systemd: nothing starts the tracker by itself",
                    remedy: "have whatever supervises services here run: changes track")
            ]
        case .unavailable(let reason):
            return [
                .note(
                    Self.check, "systemctl does not tell of \(Self.name): \(reason)",
                    remedy: "systemctl status \(Self.name)")
            ]
        case .properties(let properties): return findings(UnitProperties(properties))
        }
    }

    private func findings(_ unit: UnitProperties) -> [Finding] {
        switch unit["LoadState"] {
        case "loaded": break
        case "masked":
            return [
                .warning(
                    Self.check, "\(Self.name) is masked",
                    remedy: "systemctl unmask \(Self.name) && systemctl enable --now \(Self.name)")
            ]
        case "not-found", "":
            return [
                .note(
                    Self.check, "\(Self.name) is not installed: nothing starts the tracker by itself",
                    remedy: "install -m 644 systemd/\(Self.name) /etc/systemd/system/ && systemctl daemon-reload && "
                        + "systemctl enable --now \(Self.name)")
            ]
        default:
            return [
                .problem(
                    Self.check, "\(Self.name) cannot be loaded (\(unit.shown("LoadState")))",
                    remedy: "systemd-analyze verify \(Self.name)")
            ]
        }
        if let other = otherProgram(unit) { return [other] }
        let found = states(unit) + (isConfigured(unit) ? sandboxFindings(unit) : [otherConfiguration(unit)])
        if found.contains(where: { $0.state >= .warning }) { return found }
        return [.ok(Self.check, "\(Self.name) is \(unit.shown("UnitFileState")) and \(unit.shown("ActiveState"))")]
            + found
    }

    /// The unit is one of the same name that starts something else, such as what the tracker replaces.
    private func otherProgram(_ unit: UnitProperties) -> Finding? {
        let words = Self.arguments(of: unit.bytes("ExecStart"))
        let isOurs = words.contains { $0 == Array("changes".utf8) || $0.suffix(8).elementsEqual("/changes".utf8) }
        guard !words.isEmpty, !isOurs else { return nil }
        let file = unit.bytes("FragmentPath")
        let command = TerminalText.of(Array(words.joined(separator: [UInt8(ascii: " ")]).prefix(200)))
        let word = ShellWord.of(file)
        let isLocal = file.starts(with: "/etc/".utf8) || file.starts(with: "/run/".utf8)
        return .problem(
            Self.check, "\(Self.name) (\(unit.shown("FragmentPath"))) starts \"\(command)\" instead of the tracker",
            remedy: isLocal
                ? "mv \(word) \(word).old && systemctl daemon-reload && systemctl restart \(Self.name)"
                : "systemctl cat \(Self.name), and correct what sets ExecStart=")
    }

    private func states(_ unit: UnitProperties) -> [Finding] {
        var findings: [Finding] = []
        if unit["NeedDaemonReload"] == "yes" {
            findings.append(
                .warning(
                    Self.check, "\(Self.name) was changed since systemd read it",
                    remedy: "systemctl daemon-reload && systemctl restart \(Self.name)"))
        }
        if hasProgram == false, let program = Self.arguments(of: unit.bytes("ExecStart")).first {
            findings.append(
                .problem(
                    Self.check, "\(TerminalText.of(program)), which \(Self.name) starts, does not exist",
                    remedy: "install -m 755 .build/release/changes \(ShellWord.of(program))"))
        }
        if ["disabled", "linked", "indirect"].contains(unit["UnitFileState"]) {
            findings.append(
                .warning(
                    Self.check, "\(Self.name) is not enabled: it does not start with the host",
                    remedy: "systemctl enable \(Self.name)"))
        }
        switch unit["ActiveState"] {
        case "failed":
            findings.append(
                .problem(
                    Self.check, "\(Self.name) has failed",
                    remedy: "journalctl -u \(Self.name) -n 20, then: systemctl restart \(Self.name)"))
        case "inactive":
            findings.append(
                .note(Self.check, "\(Self.name) is not running", remedy: "systemctl start \(Self.name)"))
        default: break
        }
        return findings
    }

    /// The unit starts the tracker with what is checked here.
    private func isConfigured(_ unit: UnitProperties) -> Bool {
        let words = Self.arguments(of: unit.bytes("ExecStart")).dropFirst()
        let standard = ConfigurationFile.standardPath
        let isStandard = configurationFile == standard && words.count == 1
        let flags = isStandard ? [] : [Array("--config".utf8), configurationFile]
        return !hasFlags && words.elementsEqual([Array("track".utf8)] + flags)
    }

    private func otherConfiguration(_ unit: UnitProperties) -> Finding {
        let command = Array(Self.arguments(of: unit.bytes("ExecStart")).joined(separator: [UInt8(ascii: " ")]))
        return .note(
            Self.check,
            "\(Self.name) starts \"\(TerminalText.of(command))\", which is not what is checked here: its sandbox was "
                + "not compared with it",
            remedy: "give this command the unit's --config and --state")
    }
}

/// The values of a unit's properties.
struct UnitProperties: Sendable {
    private let values: [String: [UInt8]]
    init(_ values: [String: [UInt8]]) { self.values = values }

    /// Empty where systemd does not know the property.
    subscript(name: String) -> String { String(decoding: bytes(name), as: UTF8.self) }
    func bytes(_ name: String) -> [UInt8] { values[name] ?? [] }
    /// For messages.
    func shown(_ name: String) -> String { bytes(name).isEmpty ? "unknown" : TerminalText.of(bytes(name)) }

    /// The words of a list. systemctl puts those that need it in double quotes, with backslashes in them.
    func words(_ name: String) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var isQuoted = false
        var isEscaped = false
        for byte in bytes(name) {
            switch byte {
            case _ where isEscaped:
                word = (word ?? []) + [byte]
                isEscaped = false
            case UInt8(ascii: "\\") where isQuoted: isEscaped = true
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                word = word ?? []
            case UInt8(ascii: " ") where !isQuoted:
                if let word { words.append(word) }
                word = nil
            default: word = (word ?? []) + [byte]
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}
