import ArgumentParser
import LinuxKernel
import Offsite
import SystemPackage

/// `changes ls`: lists what a copy has.
struct ListCopy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "Lists what a destination has.",
        discussion: """
            Shows mode, size, time and name of what is in PATH, which is as it was at the source, or relative to it. It \
            needs no tracker and no state directory, like `changes restore`. Exits 1 when PATH is not there.
            """)

    @OptionGroup var copy: CopyOptions

    @Argument(help: ArgumentHelp("A directory or file of the copy. Default: its top.", valueName: "path"))
    var path: PathArgument?

    @Flag(help: "List everything below PATH.")
    var recursive = false

    @Flag(help: "One JSON object a line: path, type, mode, size, mtime, target.")
    var json = false

    func run() throws {
        let configuration = try copy.place.configuration()
        let destination = try configuration.destination(named: copy.name)
        let place = try path.map { try copy.relative($0, to: destination.source) } ?? []
        try copy.withReader(destination, configuration) { try list(place, of: $0) }
    }

    private func list(_ place: [UInt8], of reader: CopyReader) throws {
        let listing = CopyListing(isJSON: json, shortening: recursive ? [] : place)
        var output = Output()
        // The reader's callback throws nothing: what happened to the output is kept.
        var failure: Output.Failure?
        do throws(SyncFailure) {
            try reader.list(place, isRecursive: recursive) { entry in
                guard failure == nil else { return }
                do throws(Output.Failure) { try output.append { listing.append(entry, to: &$0) } } catch {
                    failure = error
                }
            }
        } catch {
            try output.flush()
            throw CommandFailure(error, copy.name)
        }
        if let failure { throw failure }
        try output.flush()
    }
}

/// How entries of a copy are shown.
struct CopyListing {
    let isJSON: Bool
    /// The directory whose entries are shown by their names alone.
    let shortening: [UInt8]

    func append(_ entry: CopyEntry, to output: inout [UInt8]) {
        if isJSON { appendJSON(entry, to: &output) } else { appendLine(entry, to: &output) }
        output.append(UInt8(ascii: "\n"))
    }

    /// `-rw-r--r--    4.21 GiB  2026-11-25 04:43:08  dump.sql`
    private func appendLine(_ entry: CopyEntry, to output: inout [UInt8]) {
        output.append(contentsOf: Self.mode(of: entry).utf8)
        let size = entry.kind == .file ? ByteSizeText.approximate(entry.size) : "-"
        output.append(contentsOf: String(repeating: " ", count: 2 + max(0, 8 - size.utf8.count)).utf8)
        output.append(contentsOf: "\(size)  ".utf8)
        if let modified = entry.modified {
            TimestampText.appendLocal(modified, zone: .local, to: &output, precision: .seconds)
        } else {
            output.append(contentsOf: "-                  ".utf8)
        }
        output.append(contentsOf: "  ".utf8)
        let below = shortening + [UInt8(ascii: "/")]
        let isShort = !shortening.isEmpty && entry.path.starts(with: below)
        TerminalText.append(isShort ? Array(entry.path.dropFirst(below.count)) : entry.path, to: &output)
        if entry.kind == .directory { output.append(UInt8(ascii: "/")) }
        guard let target = entry.linkTarget else { return }
        output.append(contentsOf: " -> ".utf8)
        TerminalText.append(target, to: &output)
    }

    private func appendJSON(_ entry: CopyEntry, to output: inout [UInt8]) {
        var object = JSONObjectWriter(to: &output)
        object.append("path", path: entry.path, to: &output)
        object.append("type", word: entry.kind.rawValue, to: &output)
        let octal = String(entry.mode, radix: 8)
        object.append("mode", word: String(repeating: "0", count: max(0, 4 - octal.utf8.count)) + octal, to: &output)
        object.append("size", number: entry.size, to: &output)
        if let modified = entry.modified {
            object.append("mtime", moment: modified, to: &output)
        } else {
            object.appendNull("mtime", to: &output)
        }
        if let target = entry.linkTarget { object.append("target", path: target, to: &output) }
        object.end(to: &output)
    }

    /// As ls(1) shows it.
    private static func mode(of entry: CopyEntry) -> String {
        let letter: Character =
            switch entry.kind {
            case .file: "-"
            case .directory: "d"
            case .symlink: "l"
            case .device: "b"
            case .special: "p"
            }
        let specialBits: [Int: UInt16] = [2: 0o4000, 5: 0o2000, 8: 0o1000]
        var text = String(letter)
        for index in 0..<9 {
            let isSet = entry.mode & (0o400 >> UInt16(index)) != 0
            let special = entry.mode & (specialBits[index] ?? 0) != 0
            let plain: Character = ["r", "w", "x"][index % 3]
            let mark: Character = index == 8 ? (isSet ? "t" : "T") : (isSet ? "s" : "S")
            text.append(special ? mark : isSet ? plain : "-")
        }
        return text
    }
}
