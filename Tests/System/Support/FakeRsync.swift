import Glibc

/// A program called `rsync` that does what a test needs instead of, or with, the real one, and keeps what it was asked.
final class FakeRsync {
    enum Behaviour {
        /// Becomes the real one.
        case passes
        /// Does nothing but say something on standard error.
        case exits(Int32, saying: String = "")
        /// When its list has the path, names it, sends the rest and fails with 23; becomes the real one otherwise.
        case failsFor(Path)
        /// Becomes the real one once `release` is called.
        case waits
        /// Becomes the real one, and is killed once a file with content is at or below a path. A short transfer may
        /// be over before: limit its bandwidth.
        case dies(of: Int32 = SIGKILL, onceThereIs: Path)
    }

    /// One call of it.
    struct Call {
        /// Without the program.
        let arguments: [Path]
        /// Its standard input, of calls with `--files-from=-`.
        let input: [UInt8]?

        /// The names that it was given on standard input, ended by NUL as with `--from0`.
        var names: [Path] { (input ?? []).split(separator: 0).map { Path($0) } }
    }

    let directory: Path
    private let marker: String
    private let real: Path

    /// - Parameters:
    ///   - directory: is made; nothing else is in it at first, so that it can be put into PATH.
    ///   - behaviours: one for each call; the last one is for all that follow.
    ///   - marker: only calls with an argument that contains it are meant. Others are the real one's and not kept, as
    ///     is every `--version`.
    init(in directory: Path, _ behaviours: [Behaviour], for marker: String = "") throws {
        self.directory = directory
        self.marker = marker
        let found = try run(["sh", "-c", "command -v rsync"])
        real = Path(found.output.filter { $0 != 0x0A })
        try Disk.makeDirectory(directory)
        // Whoever runs it makes a directory for each call.
        try Disk.changeMode(directory, 0o777)
        try behave(behaviours)
    }

    var program: Path { directory / "rsync" }

    /// Makes it the first rsync in PATH.
    var environment: [String: String] {
        ["PATH": "\(directory.string):\(Scale.environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin")"]
    }

    /// What the next calls do: forgets those that were, and begins with the first behaviour again.
    func behave(_ behaviours: [Behaviour]) throws {
        for name in try Disk.names(of: directory) where name.string.hasPrefix("call.") || name == "go" {
            try Disk.removeTree(directory / name)
        }
        let new = directory / "rsync.new"
        try Disk.write(new, Array(script(behaviours).utf8))
        try Disk.changeMode(new, 0o755)
        try Disk.rename(new, program)
    }

    /// Waits until a call waits.
    func waitForCall(atMost seconds: Double = 20) throws {
        let isThere = wait(atMost: seconds, every: 5) { Disk.exists(self.directory / "call.1/waiting") }
        guard isThere else { throw CommandFailed(arguments: ["rsync"], status: .exited(0), errors: "was not called") }
    }

    /// Lets all calls that wait, and those that follow, go on.
    func release() throws { try Disk.write(directory / "go") }

    /// The calls so far, oldest first.
    func calls() throws -> [Call] {
        let places = (1...).lazy.map { self.directory / Path("call.\($0)") }.prefix { Disk.exists($0 / "arguments") }
        return try places.map { place in
            let arguments = try Disk.read(place / "arguments").split(separator: 0, omittingEmptySubsequences: false)
            return Call(
                arguments: arguments.dropLast().map { Path($0) }, input: try? Disk.read(place / "input"))
        }
    }

    private func script(_ behaviours: [Behaviour]) -> String {
        let cases = behaviours.enumerated().map { index, behaviour in
            "\(index + 1 == behaviours.count ? "*" : "\(index + 1)"))\n\(Self.commands(behaviour))\n;;"
        }
        // The number of a call is the first directory that nobody else has made: calls may come side by side.
        return """
            #!/bin/sh
            real=\(Self.quoted(real.string)) here=\(Self.quoted(directory.string))
            meant= list=
            for argument; do
                case $argument in *\(Self.quoted(marker))*) meant=yes ;; esac
                case $argument in --version | -V) exec "$real" "$@" ;; --files-from=-) list=yes ;; esac
            done
            [ "$meant" ] || exec "$real" "$@"
            call=1
            until mkdir "$here/call.$call" 2>/dev/null; do
                call=$((call + 1))
                [ $call -lt 10000 ] || exit 99
            done
            if [ "$list" ]; then
                cat >"$here/call.$call/input"
                exec <"$here/call.$call/input"
            fi
            printf '%s\\0' "$@" >"$here/call.$call/part"
            mv "$here/call.$call/part" "$here/call.$call/arguments"
            case $call in
            \(cases.joined(separator: "\n"))
            esac

            """
    }

    private static func commands(_ behaviour: Behaviour) -> String {
        switch behaviour {
        case .passes: #"exec "$real" "$@""#
        case .exits(let status, let text): "printf %s \(quoted(text)) >&2; exit \(status)"
        case .failsFor(let path):
            """
            if grep -qzxF \(quoted("./" + path.string)) "$here/call.$call/input"; then
                grep -vzxF \(quoted("./" + path.string)) "$here/call.$call/input" | "$real" "$@"
                printf 'rsync: [receiver] mkstemp "%s" failed: Permission denied (13)\\n' \(quoted(path.string)) >&2
                exit 23
            fi
            exec "$real" "$@"
            """
        case .waits:
            """
            : >"$here/call.$call/waiting"
            until [ -e "$here/go" ]; do sleep 0.01; done
            exec "$real" "$@"
            """
        // The watcher holds none of the caller's pipes, and goes when its target has.
        case .dies(let signal, let path):
            """
            (
                while kill -0 $$; do
                    [ "$(find \(quoted(path.string)) -type f -size +0 | head -n 1)" ] && exec kill -\(signal) $$
                    sleep 0.01
                done
            ) </dev/null >/dev/null 2>&1 &
            exec "$real" "$@"
            """
        }
    }

    /// As one word of the shell.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
