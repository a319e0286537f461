/// Which root a path is counted for, and which generations it belongs to.
///
/// Where a root is the whole source or lies above it, each directory at the top of the source counts as a root: it is
/// one share among many.
public struct GuardedRoots: Sendable {
    private let source: [UInt8]
    /// The roots in the source, the longest first.
    private let roots: [[UInt8]]

    public init(source: [UInt8], roots: [[UInt8]]) {
        self.source = source
        self.roots = roots.filter { RenameMap.rest(of: $0, below: source) != nil }.sorted { $0.count > $1.count }
    }

    /// The root that a path lies in; nil for what lies in none, or is one.
    ///
    /// - Parameter path: absolute.
    public func root(of path: [UInt8]) -> [UInt8]? {
        for root in roots {
            if RenameMap.rest(of: path, below: root) != nil { return root }
            if path == root { return nil }
        }
        guard let rest = RenameMap.rest(of: path, below: source), let slash = rest.firstIndex(of: UInt8(ascii: "/"))
        else { return nil }
        return Array(path[..<slash])
    }

    /// The generation that a path is or lies in, and what it has in common with others: its path as far as the first name
    /// with a digit, and the same without the digits. `week/2026-48/a` is in the generation `week/2026-48`, of the series
    /// `week/#-#`.
    ///
    /// - Returns: nil for what has no digit below the root.
    public static func generation(of path: [UInt8], in root: [UInt8]) -> (path: [UInt8], series: [UInt8])? {
        guard path.count > root.count else { return nil }
        guard let digit = path[root.count...].firstIndex(where: isDigit) else { return nil }
        let end = path[digit...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
        let start = path[..<digit].lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return (Array(path[..<end]), Array(path[..<start]) + pattern(of: path[start..<end]))
    }

    /// A name with `#` for each number. A word of eight or more hexadecimal digits is one as well.
    private static func pattern(of name: ArraySlice<UInt8>) -> [UInt8] {
        var pattern: [UInt8] = []
        var rest = name
        while let byte = rest.first {
            let word = rest.prefix(while: isHexadecimal)
            let number = word.count >= 8 && word.contains(where: isDigit) ? word : rest.prefix(while: isDigit)
            if number.isEmpty {
                // All of the word: a number at its end stands for itself.
                pattern.append(byte)
                rest = rest.dropFirst()
            } else {
                pattern.append(UInt8(ascii: "#"))
                rest = rest.dropFirst(number.count)
            }
        }
        return pattern
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }
}
