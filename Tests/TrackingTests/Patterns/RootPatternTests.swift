import Testing

@testable import Tracking

@Suite("Root patterns")
struct RootPatternTests {
    @Test(
        "name paths",
        arguments: [
            ("/srv/nfs/*-backup", "/srv/nfs/a-backup", true), ("/srv/nfs/*-backup", "/srv/nfs/a-backup/", true),
            ("/srv/nfs/*-backup", "/srv/nfs/.a-backup", false), ("/srv/nfs/*-backup", "/srv/nfs/a/b-backup", false),
            ("/srv/nfs/*-backup", "/srv/nfs", false), ("/srv/nfs/*-backup", "srv/nfs/a-backup", false),
            ("//srv///[ab]/", "/srv/a", true), ("/srv/\\*", "/srv/*", true), ("/srv/\\*", "/srv/a", false),
            ("/srv/.*", "/srv/.a", true),
        ])
    func matching(_ pattern: String, _ path: String, _ expected: Bool) throws {
        #expect(try RootPattern(Array(pattern.utf8)).matches(path: Array(path.utf8)) == expected)
    }

    @Test(
        "cover what is below",
        arguments: [
            ("/srv/nfs/*-backup", "/srv/nfs/a-backup", true), ("/srv/nfs/*-backup", "/srv/nfs/a-backup/b/.c/", true),
            ("/srv/nfs/*-backup", "/srv/nfs", false), ("/srv/nfs/*-backup", "/srv/nfs/a/b-backup", false),
            ("/srv/nfs/*-backup", "/srv/nfs/.a-backup/b", false), ("/srv", "/srv2/a", false), ("/srv", "srv/a", false),
        ])
    func covering(_ pattern: String, _ path: String, _ expected: Bool) throws {
        #expect(try RootPattern(Array(pattern.utf8)).covers(path: Array(path.utf8)) == expected)
    }

    @Test("are split into literal and glob components")
    func components() throws {
        let pattern = try RootPattern(Array("/srv//a\\*b/*-backup/".utf8))
        #expect(
            pattern.components == [
                .literal(Array("srv".utf8)), .literal(Array("a*b".utf8)),
                .glob(try GlobMatcher(Array("*-backup".utf8), leadingDot: .explicit)),
            ])
    }

    @Test(
        "are refused with what is expected",
        arguments: [
            ("", .empty), ("srv/a", .notAbsolute), ("*", .notAbsolute), ("/", .wholeFileSystem),
            ("/srv/./a", .relativeComponent), ("/srv/../a", .relativeComponent), ("/srv/\\..", .relativeComponent),
            ("/srv/**/a", .anyDepthInRoot), ("/srv/[a", .unterminatedBracket), ("/srv/a\\", .trailingBackslash),
            ("/srv/a\0", .containsNUL),
        ] as [(String, PatternError.Problem)])
    func refused(_ pattern: String, _ problem: PatternError.Problem) {
        #expect(throws: PatternError(pattern: Array(pattern.utf8), problem: problem)) {
            try RootPattern(Array(pattern.utf8))
        }
    }

    @Test("make errors that a terminal shows safely")
    func description() {
        let error = PatternError(pattern: Array("a\u{1B}\n".utf8), problem: .notAbsolute)
        #expect(
            error.description
                == "pattern \"a\\033\\012\": it is not absolute; expected a path that starts with /, such as "
                + "/srv/nfs/*-backup")
    }
}
