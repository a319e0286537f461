import LinuxKernel
import Testing

@Suite("Octal escapes")
struct OctalEscapesTests {
    @Test(arguments: [
        ("/srv/nfs/app-backup/2026-47/index.php", "/srv/nfs/app-backup/2026-47/index.php"),
        ("/a\nb", "/a\\012b"), ("/tab\t", "/tab\\011"), ("/\u{1B}[2J", "/\\033[2J"),
        ("/back\\slash", "/back\\134slash"),
        ("/\u{7F}", "/\\177"), ("/-rf *", "/-rf *"), ("/ünï", "/ünï"), ("/a\\012b", "/a\\134012b"), ("", ""),
    ])
    func knownPaths(_ path: String, _ line: String) {
        #expect(OctalEscapes.escape(Array(path.utf8)) == Array(line.utf8))
        #expect(OctalEscapes.unescape(Array(line.utf8)) == Array(path.utf8))
    }

    @Test func everyByteComesBackAndOnlyControlBytesAndBackslashAreChanged() {
        for byte in UInt8.min...UInt8.max {
            let line = OctalEscapes.escape([0x2F, byte])
            #expect(OctalEscapes.unescape(line) == [0x2F, byte])
            let isChanged = byte < 0x20 || byte == 0x7F || byte == 0x5C
            #expect((line == [0x2F, byte]) == !isChanged)
        }
    }

    @Test func noPathForgesALine() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let narrow = Bool.random(using: &random)
            let path = (0..<Int.random(in: 0...300, using: &random)).map { _ -> UInt8 in
                narrow
                    ? [0x0A, 0x5C, 0x30, 0x31, 0x32, 0x2F].randomElement(using: &random)!
                    : .random(in: 0...255, using: &random)
            }
            let line = OctalEscapes.escape(path)
            #expect(!line.contains { $0 < 0x20 || $0 == 0x7F }, "seed \(seed)")
            #expect(OctalEscapes.unescape(line) == path, "seed \(seed)")
        }
    }

    @Test(arguments: ["\\", "/a\\", "\\1", "\\12", "\\400", "\\8aa", "\\12x", "a\nb", "\t"])
    func whatEscapeNeverWritesIsRefused(_ line: String) {
        #expect(OctalEscapes.unescape(Array(line.utf8)) == nil)
    }

    @Test(arguments: [
        ("/a\\040b\\011c", "/a b\tc"), ("\\134040", "\\040"), ("x\\043y", "x#y"), ("\\9\\", "\\9\\"),
        ("\\777", "\\777"),
        ("a\tb", "a\tb"), ("\\\\101", "\\A"), ("", ""),
    ])
    func fieldsOfOtherWritersAreReadAsFarAsTheyAreEscaped(_ field: String, _ text: String) {
        #expect(OctalEscapes.unescapeLeniently(Array(field.utf8)) == Array(text.utf8))
    }
}
