/// Reads the names that rsync prints with `--out-format=%n`, a line each, as they come.
///
/// rsync writes a byte that is not printable as `\#` and three octal digits, and a `\` before what looks so in a name
/// likewise (log.c, `filtered_fwrite`); a directory has a slash at its end.
struct ListingParser {
    private var rest: [UInt8] = []

    /// The longest line that is taken for a name; nothing the other side says may fill the memory.
    private static let longestLine = 64 * 1_024

    mutating func take(_ bytes: ArraySlice<UInt8>, _ visit: ([UInt8], Bool) -> Void) {
        rest += bytes
        var start = rest.startIndex
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            visitLine(rest[start..<end], visit)
            start = end + 1
        }
        rest.removeSubrange(..<start)
        if rest.count > Self.longestLine { rest.removeAll() }
    }

    private func visitLine(_ line: ArraySlice<UInt8>, _ visit: ([UInt8], Bool) -> Void) {
        var path = Self.unescape(line)
        let isDirectory = path.last == UInt8(ascii: "/")
        if isDirectory { path.removeLast() }
        // What is not below the target is none of its paths.
        guard !path.isEmpty, path != [UInt8(ascii: ".")], path.first != UInt8(ascii: "/"),
            !path.split(separator: UInt8(ascii: "/")).contains(Array("..".utf8)[...])
        else { return }
        visit(path, isDirectory)
    }

    static func unescape(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var name: [UInt8] = []
        name.reserveCapacity(line.count)
        var index = line.startIndex
        while index < line.endIndex {
            if line[index] == UInt8(ascii: "\\"), index + 4 < line.endIndex, line[index + 1] == UInt8(ascii: "#"),
                let value = octal(line[(index + 2)...(index + 4)])
            {
                name.append(value)
                index += 5
            } else {
                name.append(line[index])
                index += 1
            }
        }
        return name
    }

    private static func octal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        var value = 0
        for digit in digits {
            guard UInt8(ascii: "0")...UInt8(ascii: "7") ~= digit else { return nil }
            value = value * 8 + Int(digit - UInt8(ascii: "0"))
        }
        return UInt8(exactly: value)
    }
}
