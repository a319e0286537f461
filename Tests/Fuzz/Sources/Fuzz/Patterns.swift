import Glibc
import Patterns

/// A pattern and a name, each a line, against fnmatch(3).
func fuzzGlob(_ bytes: UnsafeRawBufferPointer) -> CInt {
    let parts = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].count <= 64, !bytes.contains(0) else { return 0 }
    let pattern = Array(parts[0])
    let name = Array(parts[1])
    for leadingDot in [GlobMatcher.LeadingDot.ordinary, .explicit] {
        guard let matcher = try? GlobMatcher(pattern, leadingDot: leadingDot) else { return 0 }
        let actual = matcher.matches(name)
        // fnmatch takes exponential time with many stars, and knows collating elements, which gitignore(5) does not.
        guard pattern.count(where: { $0 == UInt8(ascii: "*") }) <= 4, !hasNestedBracket(pattern) else { continue }
        // FNM_PERIOD of <fnmatch.h>. Only for names that start with a dot: glibc 2.36 takes a later dot for a leading
        // one after `*?` (`*?[.]` does not match `a.`).
        let flags: CInt = leadingDot == .explicit && name.first == UInt8(ascii: ".") ? 1 << 2 : 0
        let expected = (pattern + [0]).withUnsafeBytes { pattern in
            (name + [0]).withUnsafeBytes { name in
                fnmatch(
                    pattern.baseAddress!.assumingMemoryBound(to: CChar.self),
                    name.baseAddress!.assumingMemoryBound(to: CChar.self), flags) == 0
            }
        }
        precondition(actual == expected, "fnmatch says \(expected)")
    }
    return 0
}

private func hasNestedBracket(_ pattern: [UInt8]) -> Bool {
    pattern.indices.dropLast().contains { index in
        pattern[index] == UInt8(ascii: "[") && Array(".=:".utf8).contains(pattern[index + 1])
    }
}

/// A path and exclude patterns, each a line.
func fuzzExclude(_ bytes: UnsafeRawBufferPointer) -> CInt {
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    guard let path = lines.first else { return 0 }
    let patterns = Array(lines.dropFirst())
    for pattern in patterns { if let root = try? RootPattern(pattern) { _ = root.matches(path: path) } }
    guard let list = try? ExcludeList(patterns: patterns) else { return 0 }
    let asFile = list.excludes(path: path, isDirectory: false)
    let asDirectory = list.excludes(path: path, isDirectory: true)
    precondition(list.excludes(path: path, isDirectory: nil) == (asFile || asDirectory), "unknown is neither")
    if asDirectory && path.contains(where: { $0 != UInt8(ascii: "/") }) {
        precondition(
            list.excludes(path: path + Array("/below".utf8), isDirectory: false), "below an excluded directory")
    }
    return 0
}
