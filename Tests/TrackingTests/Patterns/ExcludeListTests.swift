import Testing

@testable import Tracking

@Suite("Exclude lists")
struct ExcludeListTests {
    /// A trailing slash in `path` says that it is a directory.
    private func excludes(_ patterns: [String], _ path: String) throws -> Bool {
        let list = try ExcludeList(patterns: patterns.map { Array($0.utf8) })
        return list.excludes(path: Array(path.utf8), isDirectory: path.hasSuffix("/"))
    }

    @Test(
        "do what gitignore(5) says",
        arguments: [
            ([".nfs*"], "a/.nfs000001", true), ([".nfs*"], "a/nfs", false),
            (["frotz/"], "a/frotz/", true), (["frotz/"], "frotz", false), (["frotz/"], "frotz/x", true),
            (["doc/frotz/"], "doc/frotz/", true), (["doc/frotz/"], "a/doc/frotz/", false),
            (["/*.c"], "cat.c", true), (["/*.c"], "a/cat.c", false),
            (["foo/*"], "foo/test.json", true), (["foo/*"], "foo/bar/hello.c", true),
            (["**/foo"], "foo", true), (["**/foo"], "a/b/foo", true), (["**/foo/bar"], "x/foo/bar", true),
            (["abc/**"], "abc/d/e", true), (["abc/**"], "abc/", false), (["abc/**"], "x/abc/d", false),
            (["a/**/b"], "a/b", true), (["a/**/b"], "a/x/b", true), (["a/**/b"], "a/x/y/b", true),
            (["a/**/b"], "x/a/b", false), (["a/**b"], "a/x/b", false), (["a/**b"], "a/xb", true),
            (["*", "!keep"], "keep", false), (["!keep", "*"], "keep", true),
            (["dir/", "!dir/keep"], "dir/keep", true), (["dir/*", "!dir/keep"], "dir/keep", false),
            (["\\!x"], "!x", true), (["!!x"], "!x", false), (["*", "!!x"], "!x", false), (["#x"], "#x", true),
            (["**"], "a", true), (["**/"], "a", false), (["**/"], "a/", true), (["/**"], "a/b", true),
            (["a b "], "a b ", true), (["a/[b-d]"], "a/c", true),
        ])
    func documented(_ patterns: [String], _ path: String, _ expected: Bool) throws {
        #expect(try excludes(patterns, path) == expected)
    }

    @Test("do not ask for the parent's path unless an anchored pattern fits the name")
    func parentPathIsLazy() throws {
        let list = try ExcludeList(patterns: ["/cache/*.tmp", "core"].map { Array($0.utf8) })
        func asked(_ name: String) -> (excluded: Bool, times: Int) {
            var times = 0
            let excluded = Array(name.utf8).withUnsafeBufferPointer {
                list.excludes(name: $0, isDirectory: nil) {
                    times += 1
                    return Array("cache".utf8)
                }
            }
            return (excluded, times)
        }
        #expect(asked("core") == (true, 0))
        #expect(asked("data") == (false, 0))
        #expect(asked("a.tmp") == (true, 1))
        #expect(list.dependsOnPath)
        #expect(try !ExcludeList(patterns: ExcludeList.defaultPatterns).dependsOnPath)
    }

    @Test("exclude a name of unknown type if it would be excluded as a file or as a directory")
    func unknownType() throws {
        func unknown(_ patterns: [String]) throws -> Bool {
            try ExcludeList(patterns: patterns.map { Array($0.utf8) })
                .excludes(path: Array("build".utf8), isDirectory: nil)
        }
        #expect(try unknown(["build/"]))
        #expect(try unknown(["build", "!build/"]))
        #expect(try !unknown(["other/"]))
        #expect(try !unknown([]))
    }

    @Test(
        "refuse patterns that could never match",
        arguments: [
            ("", .empty), ("!", .empty), ("/", .empty), ("a//b", .emptyComponent), ("a//", .emptyComponent),
            ("./a", .relativeComponent), ("a/..", .relativeComponent), ("a/[b/c]", .unterminatedBracket),
            ("a\\/b", .trailingBackslash), ("a\0b", .containsNUL),
        ] as [(String, PatternError.Problem)])
    func refused(_ pattern: String, _ problem: PatternError.Problem) {
        #expect(throws: PatternError(pattern: Array(pattern.utf8), problem: problem)) {
            try ExcludeList(patterns: [Array(pattern.utf8)])
        }
    }

    @Test("take no exponential time with many `**`", .timeLimit(.minutes(1)))
    func noBlowUp() throws {
        let pattern = "a" + String(repeating: "/**/a", count: 50) + "/b"
        #expect(try !excludes([pattern], String(repeating: "a/", count: 400) + "a"))
    }
}
