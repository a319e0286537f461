import LinuxKernel

/// What rsync's standard error says of single paths: one line for each that it could not send, receive or find.
///
/// Only what rsync names is to blame. What it says of no listed path leaves the whole run in doubt.
struct RsyncComplaints {
    /// Paths that were gone when rsync came to them.
    private(set) var vanished: Set<[UInt8]> = []
    /// Paths that failed, each with what rsync said first.
    private(set) var failed: [[UInt8]: String] = [:]
    /// There were complaints about nothing that was listed.
    private(set) var isUnexplained = false

    private let tops: [[UInt8]]
    private let namesAncestors: Bool
    private let list: [[UInt8]]
    private lazy var listed = Set(list)
    private lazy var byName = Dictionary(grouping: list, by: Self.lastComponent)
    private var splitter = LineSplitter()

    /// Bytes of a reason that are kept.
    private static let longestReason = 300

    /// - Parameters:
    ///   - list: the relative paths that rsync was given.
    ///   - tops: the absolute directories that they are relative to, on either side.
    ///   - namesAncestors: a complaint about what lies in a listed directory is one about that directory.
    init(_ list: [[UInt8]], tops: [[UInt8]], namesAncestors: Bool = false) {
        self.list = list
        self.tops = tops
        self.namesAncestors = namesAncestors
    }

    /// Everything that rsync complained of is a listed path.
    var isExplained: Bool { !isUnexplained && !(vanished.isEmpty && failed.isEmpty) }

    /// Takes the next bytes of standard error.
    mutating func take(_ bytes: ArraySlice<UInt8>) {
        var lines: [ArraySlice<UInt8>] = []
        splitter.take(bytes) { lines.append($0) }
        for line in lines { read(line) }
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
        let text = String(decoding: line.prefix(4_096), as: UTF8.self)
        guard Self.isComplaint(text) else { return }
        let paths = Self.candidates(line).flatMap { listedPaths($0) }
        if paths.isEmpty {
            isUnexplained = true
        } else if Self.tellsOfAbsence(text) {
            vanished.formUnion(paths)
        } else {
            let reason = OctalEscapes.display(Array(line.prefix(Self.longestReason)))
            for path in paths where failed[path] == nil { failed[path] = reason }
        }
    }

    /// The last line, which only sums up, and what rsync says of its own consequences name no path.
    private static func isComplaint(_ text: String) -> Bool {
        if text.hasPrefix("rsync error:") || text.hasPrefix("rsync warning:") || text.hasPrefix("***") { return false }
        if text.contains("IO error encountered -- skipping file deletion") { return false }
        return ["rsync: ", "file has vanished: ", "ERROR: ", "WARNING: ", "cannot ", "could not ", "symlink has no"]
            .contains { text.hasPrefix($0) }
    }

    /// `file has vanished: "/source/path"`; `rsync: [sender] link_stat "/source/path" failed: No such file or directory (2)`;
    /// the same of a file or directory that went before it was opened.
    private static func tellsOfAbsence(_ text: String) -> Bool {
        if text.hasPrefix("file has vanished: ") { return true }
        guard text.contains("No such file or directory (2)") else { return false }
        return ["link_stat ", "readlink_stat(", "send_files failed to open ", "opendir ", "change_dir ", "stat "]
            .contains { text.contains($0) }
    }

    /// What may be a path in a line: what stands in quotes, the name in `unlink(NAME) failed` and in
    /// `ERROR: NAME failed verification`.
    private static func candidates(_ line: ArraySlice<UInt8>) -> [[UInt8]] {
        var found: [[UInt8]] = []
        let quote = UInt8(ascii: "\"")
        var start = line.firstIndex(of: quote)
        while let opening = start, let closing = line[(opening + 1)...].firstIndex(of: quote) {
            found.append(ListedName.unescape(line[(opening + 1)..<closing]))
            start = line[(closing + 1)...].firstIndex(of: quote)
        }
        // A name may have quotes in it: then the longest reading is the right one.
        if found.count > 1, let opening = line.firstIndex(of: quote), let closing = line.lastIndex(of: quote) {
            found.append(ListedName.unescape(line[(opening + 1)..<closing]))
        }
        for call in ["unlink(", "rmdir("] {
            guard let place = Self.place(of: Array(call.utf8), in: line),
                let end = Self.place(of: Array(") failed".utf8), in: line[place...])
            else { continue }
            found.append(ListedName.unescape(line[(place + call.utf8.count)..<end]))
        }
        for (beginning, end) in [
            ("ERROR: ", " failed verification"), ("WARNING: ", " failed verification"),
            ("cannot delete non-empty directory: ", ""), ("could not make way for new regular file: ", ""),
            ("could not make way for new directory: ", ""), ("could not make way for new symlink: ", ""),
        ] where line.starts(with: beginning.utf8) {
            let rest = line.dropFirst(beginning.utf8.count)
            let stop = end.isEmpty ? rest.endIndex : Self.place(of: Array(end.utf8), in: rest)
            if let stop { found.append(ListedName.unescape(rest[..<stop])) }
        }
        return found
    }

    private static func place(of needle: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard text.count >= needle.count else { return nil }
        return (text.startIndex...text.endIndex - needle.count).first { text[$0...].starts(with: needle) }
    }

    /// The listed paths that a name in a message stands for.
    private mutating func listedPaths(_ name: [UInt8]) -> [[UInt8]] {
        let relative = relative(name)
        if listed.contains(relative) { return [relative] }
        if namesAncestors, let above = BatchPlan.parents(of: relative).last(where: { listed.contains($0) }) {
            return [above]
        }
        // rrsync and daemons know a longer path of the target than this host.
        if name.first == UInt8(ascii: "/") {
            for place in name.indices where name[place] == UInt8(ascii: "/") {
                let end = Array(name[(place + 1)...])
                if listed.contains(end) { return [end] }
            }
        }
        // A temporary file of the receiver's stands elsewhere: its name begins with the file's, or the first part of it.
        guard let original = Self.originalName(relative) else { return [] }
        if let exact = byName[original] { return exact }
        guard original.count > 200 else { return [] }
        return byName.filter { $0.key.starts(with: original) }.flatMap(\.value)
    }

    private func relative(_ name: [UInt8]) -> [UInt8] {
        var name = name[...]
        // A daemon's path is from its module on.
        for top in tops where !top.isEmpty {
            if let rest = RenameMap.rest(of: Array(name), below: top) {
                name = rest
                break
            }
        }
        while name.starts(with: "./".utf8) { name = name.dropFirst(2) }
        if name.last == UInt8(ascii: "/") { name = name.dropLast() }
        return Array(name)
    }

    /// The name in `NAME.XXXXXX` in the directory for temporary files (receiver.c, get_tmpname).
    private static func originalName(_ path: [UInt8]) -> [UInt8]? {
        let temporary = Array("\(DestinationMarker.directory)/tmp/".utf8)
        guard place(of: temporary, in: path[...]) != nil else { return nil }
        let name = lastComponent(path)
        guard name.count > 7, name[name.count - 7] == UInt8(ascii: ".") else { return nil }
        return Array(name.dropLast(7))
    }

    private static func lastComponent(_ path: [UInt8]) -> [UInt8] {
        path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[($0 + 1)...]) } ?? path
    }
}
