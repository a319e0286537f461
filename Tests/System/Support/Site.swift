import Glibc
import LinuxKernel
import Testing

/// A place with roots, a tracker over them, and the two things that it writes.
final class Site {
    let scratch: Scratch
    /// The directory of the roots.
    let base: Path
    /// Beside the roots, on the same file system, watched by nobody.
    let outside: Path
    let roots: [Path]
    let tracker: Tracker
    let history: History
    let log: ChangelogReader
    private(set) var before: Listing
    private(set) var recorded = Recorded()
    private var rowsSeen = 0
    private var linesSeen = 0

    /// - Parameters:
    ///   - roots: names of directories to make; the tracker's pattern is `*-backup`.
    ///   - base: an existing directory for them, instead of one in the scratch directory.
    init(
        roots: [String] = ["a-backup"], on base: Path? = nil,
        _ configure: (inout TrackerSettings, Path) -> Void = { _, _ in }
    ) throws {
        scratch = try Scratch()
        self.base = base ?? scratch.path / "srv"
        outside = self.base / "outside"
        if base == nil { try Disk.makeDirectory(self.base) }
        try Disk.makeDirectory(outside)
        self.roots = roots.map { [base = self.base] in base / Path($0) }
        for root in self.roots { try Disk.makeDirectory(root) }
        var settings = TrackerSettings(
            roots: [self.base.string + "/*-backup"], log: scratch.path / "log" / "changes.log",
            state: scratch.path / "state")
        try Disk.makeDirectory(scratch.path / "log")
        try Disk.makeDirectory(scratch.path / "state")
        configure(&settings, scratch.path)
        tracker = try Tracker(settings, in: scratch.path)
        history = History(state: settings.state)
        log = ChangelogReader(settings.log)
        before = Listing(entries: [:], takenAt: .now)
    }

    var root: Path { roots[0] }

    /// Starts the tracker, waits until it is ready, and begins.
    func start() throws {
        try tracker.start()
        try begin()
    }

    /// From here on every change has to be recorded.
    func begin() throws {
        before = try list()
        try collect()
        recorded = Recorded()
        rowsSeen = history.rows.count
        linesSeen = log.lines.count
    }

    /// The watched trees now, and those at `more`.
    func list() throws -> Listing {
        let names = try Disk.names(of: base)
        let found = names.map { base / $0 }.filter {
            $0.string.hasSuffix("-backup") && (try? Disk.status($0))?.isDirectory == true
        }
        return try Listing(Array(Set(found + roots)))
    }

    /// Rows and lines since `begin`.
    var newRows: ArraySlice<HistoryRow> { history.rows[rowsSeen...] }
    var newLines: ArraySlice<Path> { log.lines[linesSeen...] }

    private var rowsTaken = 0
    private var linesTaken = 0

    /// Reads on in the history and in the log.
    func collect() throws {
        try history.refresh()
        try log.refresh()
        if history.rows.count > rowsTaken { recorded.add(history.rows[rowsTaken...]) }
        if log.lines.count > linesTaken { recorded.add(lines: log.lines[linesTaken...]) }
        rowsTaken = history.rows.count
        linesTaken = log.lines.count
    }

    /// Waits until everything that differs since `begin` is recorded, and expects that in time; then that nothing
    /// untrue was recorded, and that the tracker's own check finds no difference. Ends with a new `begin`.
    ///
    /// - Parameter passing: paths that may have been there for a moment, and so be recorded as deleted.
    /// - Returns: the paths that differed.
    @discardableResult
    func expectComplete(
        atMost seconds: Double = 30, strict: Bool = false, exactTimes: Bool = true, note: String = "",
        passing: Set<Path> = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Set<Path> {
        let after = try list()
        let expected = Completeness.expected(before: before, after: after, strict: strict, exactTimes: exactTimes)
            .filter { !$0.path.name.string.hasPrefix(".nfs") }
        var missing = expected
        let isComplete = try wait(atMost: seconds, every: 25) {
            try collect()
            missing = missing.filter { recorded.shortfall($0) != nil }
            // A name that went and came back may be seen twice: the deletion must not be the last word.
            return missing.isEmpty && untrueDeletions(after).isEmpty || !tracker.isRunning
        }
        if !isComplete || !missing.isEmpty {
            let shown = missing.sorted { $0.path < $1.path }.prefix(20).map {
                "  \($0.path): \($0.reason); \(recorded.shortfall($0) ?? "")"
            }
            Issue.record(
                "missed \(missing.count) of \(expected.count) paths \(note)\n\(shown.joined(separator: "\n"))\n\(diagnosis)",
                sourceLocation: sourceLocation)
        }
        try expectTruth(after, note: note, passing: passing, sourceLocation: sourceLocation)
        let verified = try tracker.verifyIndex()
        #expect(
            verified.isSuccess,
            "verify index \(note): \(verified.status)\n\(String(decoding: verified.output.prefix(2_000), as: UTF8.self))\n\(verified.errors)\n\(diagnosis)",
            sourceLocation: sourceLocation)
        try begin()
        return Set(expected.map(\.path))
    }

    /// Nothing that exists was last recorded as deleted, and every line of the log has its row.
    func expectTruth(
        _ now: Listing, note: String, passing: Set<Path> = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try collect()
        let untrue = untrueDeletions(now)
        #expect(
            untrue.isEmpty, "recorded as deleted, but there: \(untrue.prefix(10)) \(note)\n\(diagnosis)",
            sourceLocation: sourceLocation)
        let invented = inventedDeletions.filter { !passing.contains($0) }
        #expect(
            invented.isEmpty, "recorded as deleted, but was never there: \(invented.prefix(10)) \(note)\n\(diagnosis)",
            sourceLocation: sourceLocation)
        let known = Set(history.rows.map(\.path))
        let forged = newLines.filter { !known.contains($0) }
        #expect(forged.isEmpty, "lines without a row: \(forged.prefix(10)) \(note)", sourceLocation: sourceLocation)
        let sequences = history.rows.map(\.sequence)
        #expect(zip(sequences, sequences.dropFirst()).allSatisfy { $0 < $1 }, sourceLocation: sourceLocation)
    }

    private func untrueDeletions(_ now: Listing) -> [Path] {
        recorded.latest.values.filter { $0.kind == "deleted" && now.entries[$0.path] != nil }.map(\.path)
    }

    /// Deletions of names that neither were there at `begin` nor have a row since that says so.
    private var inventedDeletions: [Path] {
        var existing: Set<Path> = []
        return newRows.compactMap { row in
            if row.kind != "deleted" {
                existing.insert(row.path)
                return nil
            }
            return before.entries[row.path] == nil && !existing.contains(row.path) ? row.path : nil
        }
    }

    /// The rows since `begin` of the paths which `complaints` begin with, and of what is above them: for the message of a
    /// failure.
    func rows(behind complaints: some Sequence<String>) -> [String] {
        let complaints = Array(complaints)
        return newRows.filter { row in complaints.contains { row.path.isMeant(by: $0) } }.map { row in
            "row \(row.sequence) at \(row.at.nanoseconds): \(row.kind) \(row.path)"
                + (row.from.map { " from \($0)" } ?? "")
        }
    }

    /// When the log was last appended to, by its file system's clock.
    func lastAppend() throws -> Timestamp {
        let time = try Disk.status(tracker.settings.log).st_mtim
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    /// What to read when a test fails: the tracker's last words, or of a crash where it was.
    var diagnosis: String {
        let errors = tracker.errors
        var words = errors.suffix(3_000)
        if let crash = errors.firstRange(of: "Fatal error"), let frames = errors.firstRange(of: "crashed:") {
            words = errors[crash.lowerBound...].prefix(300) + "\n…\n" + errors[frames.lowerBound...].prefix(2_500)
        }
        return "status: \(tracker.notify.status)\nthe tracker said:\n\(words)"
    }
}

extension stat {
    var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
}
