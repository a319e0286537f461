import LinuxKernel

/// The lines of one append, in a buffer that is used again and again.
///
/// Its rows are all in the store before the first of its lines is written. So a path that is there and was changed
/// again needs no second line: the first is not older than either change.
struct ChangelogBatch {
    /// Full at 1 MiB of text: about 10,000 lines, a write of some 0.4 ms to the page cache.
    private static let fullSize = 1024 * 1024
    /// Most rows read at once, so that many rows without a line do not make a long read transaction.
    private static let mostRows = 16_384

    private(set) var text: [UInt8] = []
    /// The last sequence number that the batch covers; nil while it is empty.
    private(set) var through: Int64? = nil
    private var lines = LineTable()

    init() { text.reserveCapacity(Self.fullSize + 8_192) }

    /// Fills the empty batch with the next lines.
    ///
    /// - Returns: false when the source has no row after `sequence`.
    mutating func fill(from source: inout any ChangelogSource, after sequence: Int64) throws -> Bool {
        do {
            through = try source.lines(after: sequence, limit: Self.mostRows) { _, demand, path in
                let start = text.count
                OctalEscapes.escape(path, into: &text)
                text.append(UInt8(ascii: "\n"))
                if !lines.insert(lineAt: start, in: text), demand == .mention { text.removeSubrange(start...) }
                return text.count < Self.fullSize
            }
            return through != nil
        } catch {
            clear()
            throw error
        }
    }

    /// What completes `torn` to one of the lines after `sequence`.
    ///
    /// - Returns: the rest of the first such line, without its newline; nil when no line begins so.
    static func restOfLine(
        _ torn: [UInt8], from source: inout any ChangelogSource, after sequence: Int64
    ) throws -> [UInt8]? {
        var last = sequence
        var line: [UInt8] = []
        var rest: [UInt8]? = nil
        while rest == nil {
            let read = try source.lines(after: last, limit: mostRows) { _, _, path in
                line.removeAll(keepingCapacity: true)
                OctalEscapes.escape(path, into: &line)
                if line.starts(with: torn) { rest = Array(line[torn.count...]) }
                return rest == nil
            }
            guard let read else { break }
            last = read
        }
        return rest
    }

    mutating func clear() {
        text.removeAll(keepingCapacity: true)
        lines.removeAll()
        through = nil
    }
}
