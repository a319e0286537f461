import Glibc
import Testing

@testable import Tracking

@Suite("Globs of one component")
struct GlobMatcherTests {
    @Test(
        "match as fnmatch(3) documents",
        arguments: [
            ("abc", "abc", true), ("abc", "ab", false), ("abc", "abcd", false), ("*", "", true), ("?", "", false),
            ("", "", true), ("", "a", false), (".nfs*", ".nfs0001", true), (".nfs*", "nfs", false),
            ("*.o", "a.o", true), ("*.o", ".o", true), ("*.o", "o", false), ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2", false), ("a?c", "abc", true), ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true), ("[]a]", "]", true), ("[a-]", "-", true), ("[!]]", "]", false),
            ("\\*", "*", true), ("\\*", "a", false), ("[\\]]", "]", true), ("[[:digit:]_]", "7", true),
            ("[[:digit:]_]", "_", true), ("[[:digit:]_]", ":", false), ("[[:a]", ":", true), ("a**b", "ab", true),
        ])
    func documented(_ pattern: String, _ name: String, _ expected: Bool) throws {
        #expect(try GlobMatcher(Array(pattern.utf8)).matches(Array(name.utf8)) == expected)
    }

    @Test(
        "in a root, only a dot matches a leading dot",
        arguments: [
            ("*", ".a", false), ("?a", ".a", false), ("[.]a", ".a", false), ("[!x]a", ".a", false), (".*", ".a", true),
            ("*", "a.a", true), ("\\.*", ".a", true),
        ])
    func leadingDot(_ pattern: String, _ name: String, _ expected: Bool) throws {
        #expect(try GlobMatcher(Array(pattern.utf8), leadingDot: .explicit).matches(Array(name.utf8)) == expected)
    }

    @Test(
        "that mean nothing are refused",
        arguments: [
            ("[", .unterminatedBracket), ("a[]", .unterminatedBracket), ("[a\\]", .unterminatedBracket),
            ("[z-a]", .backwardsRange), ("[[:word:]]", .unknownClass), ("a\\", .trailingBackslash),
        ] as [(String, PatternError.Problem)])
    func refused(_ pattern: String, _ problem: PatternError.Problem) {
        #expect(throws: PatternError(pattern: Array(pattern.utf8), problem: problem)) {
            try GlobMatcher(Array(pattern.utf8))
        }
    }

    @Test("agree with fnmatch(3) on random patterns and names")
    func fnmatchOracle() throws {
        var samples = SampleGenerator()
        print("PATTERN_SEED=\(samples.seed)")
        var matched = 0
        for _ in 0..<20_000 {
            let pattern = samples.glob()
            let name = samples.name()
            let leadingDot: GlobMatcher.LeadingDot = samples.chance(50) ? .ordinary : .explicit
            // FNM_PERIOD of <fnmatch.h>. Only for names that start with a dot: glibc 2.36 takes a later dot for a
            // leading one after `*?` (`*?[.]` does not match `a.`).
            let flags: CInt = leadingDot == .explicit && name.first == UInt8(ascii: ".") ? 1 << 2 : 0
            let expected = (pattern + [0]).withUnsafeBytes { pattern in
                (name + [0]).withUnsafeBytes { name in
                    fnmatch(
                        pattern.baseAddress!.assumingMemoryBound(to: CChar.self),
                        name.baseAddress!.assumingMemoryBound(to: CChar.self), flags) == 0
                }
            }
            let actual = try GlobMatcher(pattern, leadingDot: leadingDot).matches(name)
            if expected { matched += 1 }
            #expect(actual == expected, "\(shown(pattern)) on \(shown(name)), \(leadingDot), seed \(samples.seed)")
        }
        #expect(matched > 1_000, "the samples hardly ever match: the comparison shows little")
    }

    @Test("take no exponential time", .timeLimit(.minutes(1)))
    func noBlowUp() throws {
        let matcher = try GlobMatcher(Array(repeating: Array("a*".utf8), count: 120).flatMap { $0 } + Array("b".utf8))
        #expect(!matcher.matches([UInt8](repeating: UInt8(ascii: "a"), count: 255)))
    }
}
