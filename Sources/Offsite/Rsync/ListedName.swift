/// Cuts what comes in pieces into lines.
struct LineSplitter {
    private var rest: [UInt8] = []

    /// Bytes of the longest line that is taken; nothing the other side says may fill the memory.
    private static let longestLine = 64 * 1_024

    mutating func take(_ bytes: ArraySlice<UInt8>, _ visit: (ArraySlice<UInt8>) -> Void) {
        rest += bytes
        var start = rest.startIndex
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            visit(rest[start..<end])
            start = end + 1
        }
        rest.removeSubrange(..<start)
        if rest.count > Self.longestLine { rest.removeAll() }
    }
}

/// A name as rsync prints it: a byte that is not printable is `\#` and three octal digits, and so is a backslash in a
/// name where it would look like that (log.c, `filtered_fwrite`); a directory has a slash at its end.
enum ListedName {
    /// - Returns: nil for what is no path below the place that is listed.
    static func parse(_ line: ArraySlice<UInt8>) -> (path: [UInt8], isDirectory: Bool)? {
        var path = unescape(line)
        let isDirectory = path.last == UInt8(ascii: "/")
        if isDirectory { path.removeLast() }
        guard !path.isEmpty, path != [UInt8(ascii: ".")], path.first != UInt8(ascii: "/"),
            !path.split(separator: UInt8(ascii: "/")).contains(Array("..".utf8)[...])
        else { return nil }
        return (path, isDirectory)
    }

    /// Takes `%n//%L` apart (`ItemizedLine.format`).
    ///
    /// - Returns: nil where there is no name.
    static func split(_ line: ArraySlice<UInt8>) -> (name: [UInt8], isDirectory: Bool, more: [UInt8])? {
        let slash = UInt8(ascii: "/")
        guard let end = line.indices.dropLast().first(where: { line[$0] == slash && line[$0 + 1] == slash }),
            end > line.startIndex
        else { return nil }
        let more = line[(end + 2)...]
        // A directory's name has a slash of its own at its end.
        let isDirectory = more.elementsEqual([slash])
        return (unescape(line[..<end]), isDirectory, isDirectory ? [] : unescape(more))
    }

    /// What follows an arrow that stands at the beginning; nil where none does.
    static func rest(of more: [UInt8], after arrow: String) -> [UInt8]? {
        more.starts(with: arrow.utf8) ? Array(more.dropFirst(arrow.utf8.count)) : nil
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
