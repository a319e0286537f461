/// Follows a transfer by what rsync says, which comes in pieces, cut anywhere.
public struct RsyncProgressReader: Sendable {
    /// After the last end of a line. rsync begins each line with CR and ends none: this may be a whole one.
    private var rest: [UInt8] = []
    private var last: RsyncProgress?

    /// Bytes of the longest line that is taken; nothing the other side says may fill the memory.
    private static let longestLine = 200

    public init() {}

    /// - Returns: how far it is after these bytes, with the count of files of an earlier line where the last one has none;
    ///   nil where they have nothing about that.
    public mutating func take(_ bytes: ArraySlice<UInt8>) -> RsyncProgress? {
        rest += bytes
        let lines = rest.split(omittingEmptySubsequences: false) {
            $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n")
        }
        var found: RsyncProgress?
        for line in lines where line.count <= Self.longestLine {
            guard var progress = RsyncProgress(parsing: line) else { continue }
            // Fewer bytes than before: another transfer has begun.
            if progress.files == nil, let last, last.bytes <= progress.bytes { progress.files = last.files }
            last = progress
            found = progress
        }
        // One byte more than is taken, so that the rest of a line that is too long is not taken for one.
        rest = Array((lines.last ?? []).prefix(Self.longestLine + 1))
        return found
    }
}
