import Glibc
import LinuxKernel
import Testing

extension Site {
    /// Runs `changes` on the site's store.
    func changes(
        _ arguments: [String], directory: Path? = nil, environment: [String: String] = [:], atMost seconds: Double = 60
    ) throws -> Completed {
        // What follows -- is another command's.
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        let state = ["--state", tracker.settings.state.string]
        return try run(
            [Tracker.binary] + arguments[..<end] + state + arguments[end...], environment: environment,
            directory: directory, atMost: seconds)
    }

    /// Waits until everything that happened is in the store.
    ///
    /// - Returns: every line of `changes query --history --format paths`.
    @discardableResult
    func settled(sourceLocation: SourceLocation = #_sourceLocation) throws -> [Path] {
        let asked = try changes(["query", "--settle", "--history", "--format", "paths"])
        try #require(asked.isSuccess, "\(asked.errors)\n\(diagnosis)", sourceLocation: sourceLocation)
        return Recorder.lines(asked.output)
    }
}

/// `changes consume NAME` with a command that keeps what it is given, each batch in a file of its own.
final class Recorder {
    let site: Site
    let name: String
    let directory: Path
    private var seen: Set<Path> = []

    struct Batch {
        /// What was given, without the ends of the lines.
        let lines: [Path]
        /// `$CHANGES_FULL`.
        let full: String

        var paths: Set<Path> { Set(lines) }
    }

    init(_ site: Site, _ name: String = "copy") throws {
        self.site = site
        self.name = name
        directory = site.scratch.path / Path("given-\(name)")
        try Disk.makeDirectory(directory)
    }

    /// Keeps its input in "$0", under a name that says when it was whole, and exits with "$1".
    static let script =
        #"cat > "$0/part.$$" && mv "$0/part.$$" "$0/$(date +%s%N).$$.whole.$CHANGES_FULL" && exit "$1""#

    func arguments(_ options: [String], exit status: Int = 0, script: String = Recorder.script) -> [String] {
        ["consume", name] + options + ["--", "sh", "-c", script, directory.string, "\(status)"]
    }

    /// Runs it once.
    ///
    /// - Returns: how it ended, and what the command was given; nil when it was not started.
    func run(_ options: [String] = [], exit status: Int = 0) throws -> (completed: Completed, batch: Batch?) {
        let completed = try site.changes(arguments(options, exit: status))
        return (completed, try newBatches(isRaw: options.contains("-0")).last)
    }

    /// Runs it once and expects it to succeed.
    func take(_ options: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) throws -> Batch? {
        let (completed, batch) = try run(options)
        #expect(completed.isSuccess, "\(completed)", sourceLocation: sourceLocation)
        return batch
    }

    /// Starts it, and goes on.
    func launch(_ options: [String], exit status: Int = 0, script: String = Recorder.script) throws -> ChildProcess {
        var all = arguments(options, exit: status, script: script)
        all.insert(contentsOf: ["--state", site.tracker.settings.state.string], at: 2)
        let output = site.scratch.path / Path("\(name).out")
        return try ChildProcess([Tracker.binary] + all, output: (output, output))
    }

    /// What launched ones said.
    var output: String {
        (try? Disk.read(site.scratch.path / Path("\(name).out"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The batches that came since the last call, in their order.
    func newBatches(isRaw: Bool = false) throws -> [Batch] {
        let names = try Disk.names(of: directory).filter { name in
            name.string.contains(".whole.") && !seen.contains(name)
        }
        seen.formUnion(names)
        return try names.sorted().map { name in
            Batch(
                lines: Self.lines(try Disk.read(directory / name), end: isRaw ? 0 : 0x0A),
                full: String(name.string.split(separator: ".", omittingEmptySubsequences: false).last ?? ""))
        }
    }

    /// Begins with the first batch again.
    func forgetSeen() { seen = [] }

    /// The lines of a text that has whole ones only.
    static func lines(_ text: [UInt8], end: UInt8 = 0x0A) -> [Path] {
        #expect(text.isEmpty || text.last == end, "a line without an end: \(Path(text.suffix(200)))")
        return text.split(separator: end).map { Path($0) }
    }
}
