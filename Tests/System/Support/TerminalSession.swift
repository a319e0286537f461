import Testing

/// A terminal of its own (tmux(1)) in which a command runs, to see what a person sees.
final class TerminalSession {
    private let scratch: Scratch
    private let server: [String]
    private static let end = "the command is over"

    /// Whether there is a tmux.
    static let isPossible = (try? run(["tmux", "-V"]).isSuccess) == true

    /// Starts a command and waits until it is over.
    init(_ command: [String], environment: [String: String] = [:], columns: Int = 100, lines: Int = 40) throws {
        scratch = try Scratch()
        server = ["tmux", "-u", "-f", "/dev/null", "-S", (scratch.path / "socket").string]
        let words = command.map { "'" + $0 + "'" }.joined(separator: " ")
        let settings = environment.map { "export \($0.key)='\($0.value)'\n" }.joined()
        let script = scratch.path / "script"
        // The locale and the colours of whoever runs the tests do not count.
        try Disk.write(
            script,
            Array(
                "unset LC_ALL LC_CTYPE LANG NO_COLOR\n\(settings)\(words)\necho '\(Self.end)'\nexec sleep 60\n".utf8))
        try require(
            server + [
                "new-session", "-d", "-x", "\(columns)", "-y", "\(lines)", "sh \(script.string)",
            ])
        let isOver = try wait(atMost: 20, every: 20) { try text().contains(Self.end) }
        try #require(isOver, "the terminal shows: \((try? text()) ?? "nothing")")
    }

    /// What the terminal shows of the command, without the empty lines below; with its colours as escape sequences.
    ///
    /// - Parameter joined: lines that the terminal wrapped are one.
    func text(colored: Bool = false, joined: Bool = true) throws -> String {
        let captured = try run(
            server + ["capture-pane", "-p"] + (colored ? ["-e"] : []) + (joined ? ["-J"] : []))
        return String(decoding: captured.output, as: UTF8.self)
    }

    /// The command's lines, without spaces at their ends.
    func lines(colored: Bool = false, joined: Bool = true) throws -> [String] {
        try text(colored: colored, joined: joined).split(separator: "\n", omittingEmptySubsequences: false)
            .prefix { $0 != Self.end }
            .map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
    }

    deinit { _ = try? run(server + ["kill-server"]) }
}
