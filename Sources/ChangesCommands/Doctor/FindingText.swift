/// Findings as text for people.
///
///     ok       kernel  6.1
///     WARNING  clock   the clock is not synchronised: times of rows may step
///                      remedy: timedatectl set-ntp true
struct FindingText {
    /// SGR colours (ECMA-48) for a terminal that is not told otherwise by `NO_COLOR` (no-color.org).
    var isColored: Bool

    func append(_ findings: [Finding], to output: inout [UInt8]) {
        let width = findings.map(\.check.utf8.count).max() ?? 0
        for finding in findings {
            let label = Self.label(finding.state)
            let blank = String(repeating: " ", count: 9 - label.utf8.count)
            let check = finding.check + String(repeating: " ", count: width - finding.check.utf8.count)
            output += "\(colored(label, finding.state))\(blank)\(check)  \(finding.text)\n".utf8
            if let remedy = finding.remedy {
                output += "\(String(repeating: " ", count: 9 + width + 2))remedy: \(remedy)\n".utf8
            }
        }
        output += "\n\(Self.summary(findings))\n".utf8
    }

    private static func label(_ state: Finding.State) -> String {
        state < .warning ? state.rawValue : state.rawValue.uppercased()
    }

    private func colored(_ label: String, _ state: Finding.State) -> String {
        guard isColored else { return label }
        let color =
            switch state {
            case .ok: 32
            case .note: 36
            case .warning: 33
            case .problem: 31
            }
        return "\u{1B}[\(color)m\(label)\u{1B}[0m"
    }

    static func summary(_ findings: [Finding]) -> String {
        func count(_ state: Finding.State) -> Int { findings.count { $0.state == state } }
        return [
            count(.problem).counted("problem", "problems"), count(.warning).counted("warning", "warnings"),
            count(.note).counted("note", "notes"), "\(count(.ok)) ok",
        ].joined(separator: ", ")
    }
}

/// Findings as JSON, one object a line: `check`, `state` (`ok`, `note`, `warning`, `problem`), `text`, and `remedy`,
/// which is null where nothing is to be done.
enum FindingJSON {
    static func append(_ findings: [Finding], to output: inout [UInt8]) {
        for finding in findings {
            var object = JSONObjectWriter(to: &output)
            object.append("check", text: Array(finding.check.utf8), to: &output)
            object.append("state", word: finding.state.rawValue, to: &output)
            object.append("text", text: Array(finding.text.utf8), to: &output)
            if let remedy = finding.remedy {
                object.append("remedy", text: Array(remedy.utf8), to: &output)
            } else {
                object.appendName("remedy", to: &output)
                output += "null".utf8
            }
            object.end(to: &output)
            output.append(UInt8(ascii: "\n"))
        }
    }
}
