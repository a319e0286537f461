import Glibc

/// Whether a copy is what it is a copy of: as rsync sees it, byte for byte, and by its hardlinks, of which rsync does
/// not see the wrong ones.
struct CopyComparison {
    /// Readable and not too many: lines of `rsync --itemize-changes` that say what is to be done to the copy, and
    /// names that are linked on one side only. Empty when both are equal.
    let differences: [String]
    /// Bytes on the disk, without what is excluded.
    let sourceUsage: Int
    let copyUsage: Int

    var isEqual: Bool { differences.isEmpty }

    /// For destinations whose `ownership` is `drop`.
    static let droppedOwnership = ["--no-o", "--no-g", "--no-D", "--chmod=Du+rwx,Fu+rw"]

    /// - Parameters:
    ///   - options: more of rsync's.
    ///   - excluding: names that do not count wherever they are, or paths from the top when they begin with a slash;
    ///     no patterns.
    ///   - comparesTop: whether the mode, owner and time of the two directories themselves count.
    ///   - limit: of differences of one kind; how many more there are is the last of them.
    init(
        _ source: Path, _ copy: Path, options: [String] = [], excluding: [String] = ["/.nfs-changes"],
        comparesTop: Bool = true, limit: Int = 20
    ) throws {
        let line =
            ["rsync", "-aHnic", "--delete", "--info=nonreg0"] + options + excluding.map { "--exclude=\($0)" }
            + ["\(source.string)/", "\(copy.string)/"]
        let compared = try run(line, environment: ["LC_ALL": "C"], atMost: 600)
        var found = compared.output.split(separator: 0x0A).map { String(decoding: $0.prefix(400), as: UTF8.self) }
            .filter { comparesTop || !$0.hasSuffix(" ./") }
        if !compared.isSuccess { found.insert("rsync \(compared.status): \(compared.errors.prefix(2_000))", at: 0) }
        let sides = try [source, copy].map {
            try Side($0, excluding: excluding, hasSpecial: !options.contains("--no-D"))
        }
        let links =
            sides[0].groups.subtracting(sides[1].groups).map { "linked in the source only: \(Self.text($0))" }.sorted()
            + sides[1].groups.subtracting(sides[0].groups).map { "linked in the copy only: \(Self.text($0))" }.sorted()
        differences = Self.bounded(found, limit) + Self.bounded(links, limit)
        sourceUsage = sides[0].usage
        copyUsage = sides[1].usage
    }

    private static func text(_ group: Set<Path>) -> String {
        group.sorted().prefix(6).map(\.description).joined(separator: ", ") + (group.count > 6 ? ", …" : "")
    }

    private static func bounded(_ lines: [String], _ limit: Int) -> [String] {
        lines.count <= limit ? lines : lines.prefix(limit) + ["… and \(lines.count - limit) more"]
    }

    private struct Side {
        /// The paths, relative to the top, that share an inode.
        let groups: Set<Set<Path>>
        let usage: Int

        /// - Parameter hasSpecial: whether devices, pipes and sockets are copied.
        init(_ top: Path, excluding: [String], hasSpecial: Bool) throws {
            func relative(_ path: Path) -> Path { Path(path.bytes[(top.bytes.count + 1)...]) }
            let anchored = Set(excluding.filter { $0.hasPrefix("/") }.map { Path(String($0.dropFirst())) })
            let names = Set(excluding.filter { !$0.hasPrefix("/") }.map { Path($0) })
            let listing = try Listing([top]) { anchored.contains(relative($0)) || names.contains($0.name) }
            usage = listing.diskUsage
            var found: [ListedEntry.Inode: Set<Path>] = [:]
            for (path, entry) in listing.entries where entry.links > 1 && !entry.isDirectory {
                let isSpecial = ![S_IFREG, S_IFLNK].contains(entry.mode & S_IFMT)
                if isSpecial && !hasSpecial { continue }
                found[entry.identity, default: []].insert(relative(path))
            }
            groups = Set(found.values.filter { $0.count > 1 })
        }
    }
}
