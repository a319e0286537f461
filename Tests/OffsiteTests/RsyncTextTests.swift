import LinuxKernel
import Testing

@testable import Offsite

/// What rsync says, and what that means.
@Suite struct RsyncTextTests {
    private func verdict(_ status: Int32, _ errors: String = "") -> RsyncVerdict {
        RsyncVerdict(status: status, errors: Array(errors.utf8))
    }

    @Test func exitStatuses() {
        #expect(verdict(0) == .done)
        #expect(verdict(23) == .partial && verdict(24) == .partial)
        #expect(verdict(25) == .tooManyDeletions)
        // What the sender saw of a receiver whose disk is full.
        let broken = "rsync error: error in file IO (code 11) at receiver.c(657) [receiver=3.5.0]\nBroken pipe (32)"
        #expect(verdict(10, broken) == .full && verdict(12, broken) == .full)
        #expect(verdict(11) == .full)
        #expect(verdict(23, "rsync: write failed on \"x\": No space left on device (28)") == .full)
        #expect(verdict(12, "write failed: No space left on device (28)") == .full)
        #expect(verdict(3) == .misplaced)
        #expect(verdict(75) == .busy)
        for status: Int32 in [10, 12, 20, 30, 35, 255, 137, 143] { #expect(verdict(status) == .later, "\(status)") }
        #expect(verdict(2, "invalid file mode 00 for x") == .refusesMissingArguments)
        #expect(verdict(12, "invalid file mode 00 for x") == .refusesMissingArguments)
        #expect(verdict(5, "@ERROR: max connections (1) reached -- try again later") == .busy)
        #expect(verdict(12, "rrsync error: Another instance of rrsync is already accessing this directory.") == .busy)
        #expect(verdict(255, "nas: Permission denied (publickey).") == .stop)
        #expect(verdict(12, "Host key verification failed.") == .stop)
        #expect(verdict(12, "bash: rsync: command not found") == .stop)
        for status: Int32 in [1, 2, 4, 5, 13, 14, 21, 22, 127, 71] { #expect(verdict(status) == .stop, "\(status)") }
    }

    @Test func refusalsOfADaemon() {
        func number(_ line: String) -> Int? { DaemonReceivers.number(ofRefusal: line) }
        #expect(number("@ERROR: max connections (1) reached -- try again later") == 1)
        #expect(number("@ERROR: max connections (12) reached -- try again later") == 12)
        #expect(number("@ERROR: max connections (") == 0)
        for line in ["@ERROR: Unknown module 'x'", "@RSYNCD: OK", "", "max connections (1)"] {
            #expect(number(line) == nil)
        }
    }

    @Test func statistics() {
        let text = """

            Number of files: 5 (reg: 3, dir: 2)
            Number of deleted files: 1,202 (reg: 1,000, dir: 202)
            Number of regular files transferred: 3
            Total file size: 30 bytes
            Total transferred file size: 1,234,567 bytes
            Total bytes sent: 338
            Total bytes received: 1,057

            sent 338 bytes  received 57 bytes  790.00 bytes/sec
            """
        let statistics = RsyncStatistics(parsing: Array(text.utf8))
        #expect(statistics.sent == 338 && statistics.received == 1_057 && statistics.files == 3)
        #expect(statistics.fileBytes == 1_234_567 && statistics.deleted == 1_202)
        #expect(RsyncStatistics(parsing: Array("Total bytes sent: x\n:::\n\u{FF}".utf8)) == RsyncStatistics())
    }

    @Test func namesComeBackAsBytes() throws {
        func name(_ text: String) -> [UInt8]? { ListedName.parse(Array(text.utf8)[...])?.path }
        #expect(name("a/b") == Array("a/b".utf8))
        #expect(name(##"new\#012line"##) == Array("new\nline".utf8))
        #expect(name(##"\#134#012"##) == Array(##"\#012"##.utf8))
        #expect(name(#"back\slash"#) == Array(#"back\slash"#.utf8))
        #expect(name(##"\#777"##) == Array(##"\#777"##.utf8))
        #expect(ListedName.parse(Array("d/".utf8)[...])?.isDirectory == true)
        for outside in ["/etc/passwd", "../x", "a/../../x", "./", ""] { #expect(name(outside) == nil, "\(outside)") }
    }

    @Test func linesComeInPieces() {
        var splitter = LineSplitter()
        var lines: [String] = []
        for piece in ["one\ntw", "o", "\n\nthree\nfour"] {
            splitter.take(Array(piece.utf8)[...]) { lines.append(String(decoding: $0, as: UTF8.self)) }
        }
        #expect(lines == ["one", "two", "", "three"])
    }

    @Test(arguments: [
        (">f+++++++++ a/g//", ItemizedLine.Kind.missing, "a/g"), ("cd+++++++++ a///", .missing, "a"),
        (">f.st...... a//", .content, "a"), (">fc........ a//", .content, "a"), (">f..t...... a//", .content, "a"),
        (".f...p..... a b//", .metadata, "a b"), (".d..t...... d///", .metadata, "d"),
        ("cLc.t...... l// -> target", .content, "l"), ("hf+++++++++ a// => b", .missing, "a"),
        ("hf..t...... a// => b", .link, "a"), ("hL          a// => b", .link, "a"),
        (".f          a//", .metadata, "a"), ("*deleting   x/y//", .extra, "x/y"),
        ("*deleting   x/y///", .extra, "x/y"),
        // Linked already, and different otherwise.
        ("hf..t...... a => b//", .metadata, "a => b"), ("hf.st...... a//", .content, "a"),
        ("hf..t...... a => b => c// => d => e", .link, "a => b => c"),
        ("cLc.t...... l -> m// -> a//b -> c", .content, "l -> m"),
        (##">f+++++++++ a\#134#012//"##, .missing, ##"a\#012"##),
    ])
    func itemizedLines(_ line: String, _ kind: ItemizedLine.Kind, _ name: String) throws {
        let parsed = try #require(ItemizedLine(parsing: Array(line.utf8)[...]))
        #expect(parsed.kind == kind)
        #expect(parsed.name == Array(name.utf8))
    }

    @Test func `the other name of a hard link is told apart from the name`() {
        func target(_ line: String) -> String? {
            ItemizedLine(parsing: Array(line.utf8)[...])?.linkTarget.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(target("hf+++++++++ a => b => c// => d => e") == "d => e")
        #expect(target(##"hf+++++++++ a// => b\#134#012"##) == ##"b\#012"##)
        #expect(target("hf..t...... a => b//") == nil && target("cL+++++++++ l// => x") == nil)
    }

    @Test func otherLinesTellOfNoPath() {
        for line in [
            "", ">f+++++++++ a", "hf+++++++++ // => b", "sending incremental file list", "Number of files: 3",
            "rsync: [x] something",
        ] {
            #expect(ItemizedLine(parsing: Array(line.utf8)[...]) == nil, "\(line)")
        }
    }

    @Test func aFilterRuleMatchesOnePathOnly() {
        func pattern(_ text: String) -> String {
            String(decoding: DestinationLink.literalPattern(Array(text.utf8)), as: UTF8.self)
        }
        #expect(pattern("a/b c") == "a/b c")
        #expect(pattern("a/[x]*?") == #"a/\[x]\*\?"#)
        #expect(pattern(#"a\b"#) == #"a\\b"#)
    }

    @Test func roomOfADestination() throws {
        func space(_ text: String) -> Int64? { DestinationLink.space(parsing: Array(text.utf8))?.available }
        let text = """
            Filesystem     1024-blocks     Used Available Capacity Mounted on
            /dev/vg 1/volume_1   3840000  40000   3800000       2% /volume1
            """
        #expect(space(text) == Int64(3_891_200_000))
        #expect(space("df: /x: No such file or directory\n") == nil)
        #expect(space("a\nb\n") == nil)
    }
}
