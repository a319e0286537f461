import LinuxKernel
import SystemPackage

/// What a destination holds, as rsync's dry runs tell it.
extension DestinationLink {
    /// Goes through everything that the destination has, but for what is this program's or DSM's own.
    ///
    /// - Parameter visit: gets a path relative to the target, and whether it is a directory.
    func list(_ visit: ([UInt8], Bool) -> Void) throws(SyncFailure) {
        var options = ["--dry-run", "--recursive", "--links", "--devices", "--specials", "--out-format=%n"]
        options += Self.exclusions
        let place = try emptyDirectory()
        let sides = [Array((targetText + "/").utf8), place + [UInt8(ascii: "/")]]
        let outcome = try lines(options, list: nil, sides, source: nil, receiving: receiving(in: place)) { line in
            if let (path, isDirectory) = ListedName.parse(line) { visit(path, isDirectory) }
        }
        try check(outcome, "listing the destination")
    }

    /// Goes through what the destination has of these paths, relative to the target, with everything in them.
    func list(_ paths: [[UInt8]], _ visit: ([UInt8], Bool) -> Void) throws(SyncFailure) {
        var options = ["--dry-run", "--recursive", "--links", "--devices", "--specials", "--out-format=%n"]
        options += Self.exclusions
        let (top, prefix) = settings.target.top
        let beginning = Array(prefix.utf8)
        let place = try emptyDirectory()
        let sides = [Array((top + "/").utf8), place + [UInt8(ascii: "/")]]
        let outcome = try lines(
            options, list: paths.map { beginning + $0 }, sides, source: nil, receiving: receiving(in: place)
        ) { line in
            guard let (path, isDirectory) = ListedName.parse(line), path.starts(with: beginning) else { return }
            visit(Array(path.dropFirst(beginning.count)), isDirectory)
        }
        // What is not there is none of what there is.
        if outcome.verdict != .partial { try check(outcome, "listing a part of the destination") }
    }

    /// Whether the destination has nothing but what is this program's or DSM's own, at its top.
    func isEmpty() throws(SyncFailure) -> Bool {
        let options = ["--dry-run", "--dirs", "--links", "--devices", "--specials", "--out-format=%n"]
        let place = try emptyDirectory()
        let sides = [Array((targetText + "/").utf8), place + [UInt8(ascii: "/")]]
        var isEmpty = true
        let outcome = try lines(
            options + Self.exclusions, list: nil, sides, source: nil, receiving: receiving(in: place)
        ) { line in
            if ListedName.parse(line) != nil { isEmpty = false }
        }
        try check(outcome, "listing the destination's top")
        return isEmpty
    }

    /// Names that have one inode at the destination: the first of each group, by rsync's choice, and the others.
    ///
    /// - Parameter visit: gets a path and, where it is another name of a file that was listed, that one's path.
    func listLinks(_ visit: ([UInt8], [UInt8]?) -> Void) throws(SyncFailure) -> Outcome {
        var options = ["--dry-run", "-rlDH", ItemizedLine.format]
        options += Self.exclusions + readingAttributes
        let place = try emptyDirectory()
        let sides = [Array((targetText + "/").utf8), place + [UInt8(ascii: "/")]]
        return try lines(options, list: nil, sides, source: nil, receiving: receiving(in: place)) { line in
            guard let change = ItemizedLine(parsing: line) else { return }
            visit(change.name, change.linkTarget)
        }
    }

    /// What a transfer would change at the destination.
    ///
    /// - Parameters:
    ///   - paths: relative to the source; with `isRecursive` with everything in them, and with what the destination has
    ///     beyond that.
    ///   - withChecksums: contents are read and compared on both sides.
    func compare(
        _ paths: [[UInt8]], isRecursive: Bool, withChecksums: Bool, _ visit: (ItemizedLine) -> Void
    ) throws(SyncFailure) -> Outcome {
        var options = ["--dry-run", "-aH", "--force", ItemizedLine.format] + attributeOptions
        // One directory that cannot be read must not hide what is too much everywhere else.
        if isRecursive { options += ["--recursive", "--delete", "--ignore-errors"] + Self.exclusions }
        if withChecksums { options.append("--checksum") }
        let sides = [settings.source + [UInt8(ascii: "/")], Array((targetText + "/").utf8)]
        return try lines(options, list: paths, sides, source: settings.source) { line in
            if let change = ItemizedLine(parsing: line) { visit(change) }
        }
    }

    /// A run that only lists: nothing is put there.
    func receiving(in place: [UInt8]) -> Receiving {
        var receiving = Receiving(place: place)
        if case .local(let path) = settings.target { receiving.origin = Array(path.utf8) }
        return receiving
    }

    static var exclusions: [String] {
        ["--exclude=/\(DestinationMarker.directory)"]
            + SourceScope.reservedNames.sorted(by: BatchPlan.precedes).map {
                "--exclude=" + String(decoding: $0, as: UTF8.self)
            }
    }

    func emptyDirectory() throws(SyncFailure) -> [UInt8] {
        let place = scratch + Array("/empty".utf8)
        do throws(Errno) { try FileSystemLook.makeDirectory(place) } catch {
            throw .system("making \(OctalEscapes.display(place))", error)
        }
        return place
    }

    /// Runs rsync and hands out what it writes, line by line.
    func lines(
        _ options: [String], list: [[UInt8]]?, _ sides: [[UInt8]], source: [UInt8]?, receiving: Receiving? = nil,
        _ visit: (ArraySlice<UInt8>) -> Void
    ) throws(SyncFailure) -> Outcome {
        var result: Result<Outcome, SyncFailure> = .failure(.interrupted)
        withoutActuallyEscaping(visit) { visit in
            var splitter = LineSplitter()
            result = Result { () throws(SyncFailure) in
                try run(
                    options, list: list, sides, source: source, receiving: receiving, isGuarded: false,
                    hasStatistics: false,
                    take: { bytes in splitter.take(bytes, visit) })
            }
        }
        return try result.get()
    }
}
