import ChangeStore
import Glibc
import LinuxKernel
import Testing

/// A site whose roots are copied to a destination by the real `changes sync`.
final class SyncSite {
    let site: Site
    /// The copy, where this process can look at it.
    let copy: Path
    let configuration: Path
    /// A command that runs what follows it, before each `changes sync`.
    var wrapper: [String] = []
    private let output: Path
    /// Options of rsync with which the comparison does as the transfer does.
    var comparing = SyncSite.dropping

    /// The name of the destination.
    static let name = "offsite"

    /// - Parameters:
    ///   - target: what stands in the configuration; nil: the copy is local.
    ///   - copy: where the copy can be seen; nil: in the scratch directory.
    ///   - more: more lines of the `[[destination]]`.
    init(
        roots: [String] = ["a-backup"], target: String? = nil, copy: Path? = nil, more: String = "",
        maxDelete: String = "100%", maxOverwrite: String = "off", settle: String = "0s",
        track configure: (inout TrackerSettings) -> Void = { _ in }
    ) throws {
        site = try Site(roots: roots) { settings, _ in configure(&settings) }
        self.copy = copy ?? site.scratch.path / "copy"
        if copy == nil { try Disk.makeDirectory(self.copy) }
        configuration = site.scratch.path / "sync.toml"
        output = site.scratch.path / "sync"
        let text = """
            [[destination]]
            name = "\(Self.name)"
            source = "\(site.base.string)"
            target = "\(target ?? self.copy.string)"
            settle = "\(settle)"
            max_delete = "\(maxDelete)"
            max_overwrite = "\(maxOverwrite)"
            \(more)

            """
        try Disk.write(configuration, Array(text.utf8))
    }

    private func arguments(_ words: [String]) -> [String] { command("sync", words) }

    /// A command line about this site.
    private func command(_ name: String, _ words: [String]) -> [String] {
        wrapper + [Tracker.binary, name] + words
            + ["--config", configuration.string, "--state", site.tracker.settings.state.string]
    }

    /// `changes sync` with these words, to its end.
    @discardableResult
    func sync(
        _ words: String..., environment: [String: String] = [:], atMost seconds: Double = 120
    ) throws -> Completed {
        try run(arguments(words), environment: environment, atMost: seconds)
    }

    /// The same with words from a list.
    func sync(words: [String]) throws -> Completed { try run(arguments(words)) }

    /// `changes verify` of the copy, to its end.
    func verify(_ words: String..., atMost seconds: Double = 120) throws -> Completed {
        try run(command("verify", [Self.name] + words), atMost: seconds)
    }

    /// `changes restore`, to its end; the path as bytes of any kind.
    func restore(_ path: Path, to directory: Path, _ words: String...) throws -> Completed {
        let line = command("restore", [Self.name] + words + ["--to", directory.string])
        // As an argument by printf(1): what is no UTF-8 does not survive a String.
        let escaped = path.bytes.map { byte in
            let octal = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - octal.count) + octal
        }.joined()
        return try run(
            ["sh", "-c", #"path=$(printf "$0x"); exec "$@" -- "${path%x}""#, escaped] + line)
    }

    /// The same in the background.
    func launch(_ words: String..., environment: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(
            arguments(words), environment: environment, output: (output + ".out", output + ".err"))
    }

    /// What the launched ones said.
    var errors: String {
        (try? Disk.read(output + ".err")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Starts the tracker and prepares the destination.
    func start(_ words: String...) throws {
        try site.start()
        let made = try run(arguments(["init"] + words))
        guard made.isSuccess else {
            throw CommandFailed(arguments: ["init"], status: made.status, errors: made.errors)
        }
    }

    /// A program in the place of rsync. It is below the target, which rsync sees in its sandbox.
    func fake(_ behaviours: [FakeRsync.Behaviour], for marker: String = "--partial-dir") throws -> FakeRsync {
        try FakeRsync(in: copy / ".nfs-changes" / "fake", behaviours, for: marker)
    }

    /// Up to which row the destination is the source's equal; nil before its first success.
    var cursor: Int64? {
        get throws {
            try ConsumerRecord(name: Self.name, stateDirectory: site.tracker.settings.state.bytes).cursor?.sequence
        }
    }

    /// What is at the destination but for what is this program's own: the paths relative to it, sorted.
    func copied() throws -> [String] {
        let listing = try Listing([copy]) { [copy] in $0 == copy / ".nfs-changes" }
        return listing.entries.keys.filter { $0 != copy }.map { String($0.string.dropFirst(copy.bytes.count + 1)) }
            .sorted()
    }

    /// Runs `sync` until it succeeds, and expects that to be soon.
    func syncFully(_ words: String..., note: String = "", sourceLocation: SourceLocation = #_sourceLocation) throws {
        var last: Completed?
        let isDone = try wait(atMost: 60, every: 20) {
            last = try run(arguments(words))
            return last?.isSuccess == true
        }
        #expect(
            isDone, "sync \(note): \(String(describing: last?.status))\n\(last?.errors ?? "")",
            sourceLocation: sourceLocation)
    }

    /// How the transfer changes owners and modes, so that a comparison takes it into account.
    static let dropping = ["--no-owner", "--no-group", "--no-devices", "--chmod=Du+rwx,Fu+rw"]

    /// Expects the copy to equal the source: content, metadata, deletions and hard links.
    func expectEqual(note: String = "", sourceLocation: SourceLocation = #_sourceLocation) throws {
        let differences = try differences()
        #expect(
            differences.isEmpty,
            "the copy differs \(note):\n\(differences.prefix(20).joined(separator: "\n"))",
            sourceLocation: sourceLocation)
    }

    func differences() throws -> [String] { try comparison().differences }

    func comparison() throws -> CopyComparison {
        try CopyComparison(
            site.base, copy, options: comparing, excluding: ["/.nfs-changes", "/outside"], comparesTop: false)
    }
}
