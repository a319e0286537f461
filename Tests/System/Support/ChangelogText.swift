/// Reads the text log as its consumers do: lines with the octal escapes undone.
enum ChangelogText {
    struct Malformed: Error { let line: Path }

    /// The paths of all whole lines. A last line without its newline is still being written.
    static func paths(_ text: [UInt8]) throws -> [Path] {
        var paths: [Path] = []
        var start = 0
        while let end = text[start...].firstIndex(of: 0x0A) {
            paths.append(try unescape(text[start..<end]))
            start = end + 1
        }
        return paths
    }

    /// A line's path: `\ooo` is the byte with that octal number, and stands for every control byte and backslash.
    static func unescape(_ line: ArraySlice<UInt8>) throws -> Path {
        guard line.first == UInt8(ascii: "/") else { throw Malformed(line: Path(line)) }
        guard line.contains(where: { $0 == 0x5C || $0 < 0x20 || $0 == 0x7F }) else { return Path(line) }
        var bytes: [UInt8] = []
        var index = line.startIndex
        while index < line.endIndex {
            let byte = line[index]
            if byte != 0x5C {
                if byte < 0x20 || byte == 0x7F { throw Malformed(line: Path(line)) }
                bytes.append(byte)
                index += 1
                continue
            }
            let digits = line[(index + 1)...].prefix(3)
            guard digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            else { throw Malformed(line: Path(line)) }
            bytes.append(code)
            index += 4
        }
        return Path(bytes)
    }
}

/// Follows a log that nobody else moves or truncates.
final class ChangelogReader {
    let path: Path
    private(set) var lines: [Path] = []
    private var offset = 0

    init(_ path: Path) { self.path = path }

    func refresh() throws {
        guard Disk.exists(path) else { return }
        let text = try Disk.read(path, from: offset)
        guard let end = text.lastIndex(of: 0x0A) else { return }
        lines += try ChangelogText.paths(Array(text[...end]))
        offset += end + 1
    }
}
