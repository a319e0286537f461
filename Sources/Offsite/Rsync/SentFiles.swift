/// The regular files whose content a run transferred, of those that somebody asks about: what was to be linked to a file
/// that the destination has, and was sent instead, is a file of its own there.
struct SentFiles {
    private(set) var paths: Set<[UInt8]> = []
    private let asked: Set<[UInt8]>
    private var splitter = LineSplitter()

    init(among asked: Set<[UInt8]>) { self.asked = asked }

    /// Nobody asks about anything.
    var isIdle: Bool { asked.isEmpty }

    /// Takes the next bytes of standard output, which may have lines about the progress in between.
    mutating func take(_ bytes: ArraySlice<UInt8>) {
        if isIdle { return }
        var lines: [ArraySlice<UInt8>] = []
        splitter.take(bytes) { lines.append($0) }
        for line in lines {
            // A line about the progress begins with CR and may have no end of its own.
            let start = line.lastIndex(of: UInt8(ascii: "\r")).map { $0 + 1 } ?? line.startIndex
            guard let change = ItemizedLine(parsing: line[start...]), change.isTransfer, asked.contains(change.name)
            else { continue }
            paths.insert(change.name)
        }
    }
}
