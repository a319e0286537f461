import Testing

@testable import Offsite

/// What rsync says of its progress.
@Suite struct RsyncProgressTests {
    private func parse(_ line: String) -> RsyncProgress? { RsyncProgress(parsing: Array(line.utf8)[...]) }

    private typealias Files = RsyncProgress.Files

    @Test func linesOfBothKinds() {
        #expect(
            parse("          32768   0%    0.00kB/s    0:00:00  ")
                == RsyncProgress(bytes: 32_768, percent: 0, rate: 0, secondsLeft: nil))
        #expect(
            parse("     1238099  34%    5.60MB/s    1:01:12  ")
                == RsyncProgress(bytes: 1_238_099, percent: 34, rate: 5_872_025, secondsLeft: 3_672))
        #expect(
            parse("   1,238,099  34%    1.50GB/s   ??:??:??  ")
                == RsyncProgress(bytes: 1_238_099, percent: 34, rate: 3 << 29, secondsLeft: nil))
        // The time is what has passed: 12 s for 40 %.
        #expect(
            parse("     3000000  40%  943.26MB/s    0:00:12 (xfr#1, to-chk=2/5)  ")
                == RsyncProgress(
                    bytes: 3_000_000, percent: 40, rate: 989_079_797, secondsLeft: 18, files: Files(done: 3, total: 5)))
        #expect(
            parse(" 5   0%    0.00kB/s    0:00:12 (xfr#1, ir-chk=1000/1001)")
                == RsyncProgress(
                    bytes: 5, percent: 0, rate: 0, secondsLeft: nil,
                    files: Files(done: 1, total: 1_001, isTotalKnown: false)))
        #expect(parse("7 100%    1.00kB/s    0:00:00 (xfr#2, to-chk=0/3)")?.secondsLeft == 0)
        #expect(parse("7 9999%    1.00kB/s    0:00:00  ")?.percent == 100)
    }

    @Test(arguments: [
        "", "  ", "%", "Number of files: 3 (reg: 2, dir: 1)", "sent 338 bytes  received 57 bytes  790.00 bytes/sec",
        // What may still go on.
        "1238099  34%    5.60MB/s    0:00:12", "1238099  34%    5.60MB/s    0:00:12 ",
        "1238099  34%    5.60MB/s    0:00:1", "1238099  34%    5.60MB/s", "1238099  34%    5.60M  0:00:12  ",
        "7  34%    5.60MB/s    0:00:12 (xfr#1,", "7  34%    5.60MB/s    0:00:12 (xfr#1, to-chk=1/3",
        // What rsync does not say.
        "-7  34%    5.60MB/s    0:00:12  ", "7  -34%    5.60MB/s    0:00:12  ", "7  34%    infMB/s    0:00:12  ",
        "7  34%    5.6MB/s    0:00:12  ", "7  34%    5.60TB/s    0:00:12  ", "7  34%    5.60MB/s    0:12  ",
        "7  34%    5.60MB/s    10000:00:00  ", "9999999999999999  34%    5.60MB/s    0:00:12  ",
        "7  34%    9999999999.60GB/s    0:00:12  ", "7  34%    5.60MB/s    0:00:12 (xfr#1, to-chk=4/3)",
        "7  34%    5.60MB/s    0:00:12 (xfr#1, to-chk=/3)", "7  34%    5.60MB/s    0:00:12 (xfr#1, to-chk=1/2/3)",
        "7  34%    5.60MB/s    0:00:12 (yes#1, to-chk=1/3)", "7  34%    5.60MB/s    0:00:12 (xfr#1, to-chk=1/3) and",
    ])
    func anythingElse(_ line: String) { #expect(parse(line) == nil) }

    @Test func noBytesCrashIt() {
        let alphabet = Array("0199 ,.%:?/kMGBs()xfr#to-chk=\u{FF}".utf8)
        var random = SystemRandomNumberGenerator()
        let line = Array("99999999  99%  999.99GB/s 9999:59:59 (xfr#9, to-chk=1/3)".utf8)
        for _ in 0..<20_000 {
            var changed = line
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = alphabet.randomElement(using: &random)!
            }
            if let progress = RsyncProgress(parsing: changed[...]) {
                #expect((0...100).contains(progress.percent) && progress.bytes >= 0 && progress.rate >= 0)
                #expect(progress.secondsLeft ?? 0 >= 0 && progress.files.map { $0.done <= $0.total } ?? true)
            }
        }
    }

    private let whole = """
        \r          100   1%    1.00kB/s    0:00:09  \r          200   2%    1.00kB/s    0:00:04 (xfr#1, to-chk=2/4)\
        \r          300   3%    1.00kB/s    0:00:07  \n\nNumber of files: 3 (reg: 2, dir: 1)\n
        """

    @Test func piecesMayBeCutAnywhere() {
        let bytes = Array(whole.utf8)
        let end = RsyncProgress(
            bytes: 300, percent: 3, rate: 1_024, secondsLeft: 7, files: Files(done: 2, total: 4))
        for size in 1...bytes.count {
            var reader = RsyncProgressReader()
            var seen: [RsyncProgress] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                if let progress = reader.take(bytes[start..<min(start + size, bytes.count)]) { seen.append(progress) }
            }
            #expect(seen.last == end, "\(size)")
            // Nothing that was half a line.
            #expect(seen.allSatisfy { [100, 200, 300].contains($0.bytes) }, "\(size)")
        }
    }

    @Test func theNextTransferCountsAnew() {
        var reader = RsyncProgressReader()
        func take(_ text: String) -> RsyncProgress? { reader.take(Array(text.utf8)[...]) }
        #expect(take("\r 200   2%    1.00kB/s    0:00:04 (xfr#1, to-chk=0/4)\n\n")?.files?.done == 4)
        #expect(take("\r 300   2%    1.00kB/s    0:00:04  ")?.files?.done == 4)
        #expect(take("\r 100   2%    1.00kB/s    0:00:04  ").map { $0.files == nil } == true)
    }

    @Test func nothingFillsTheMemory() {
        var reader = RsyncProgressReader()
        for _ in 0..<1_000 { #expect(reader.take([UInt8](repeating: UInt8(ascii: "7"), count: 1_000)[...]) == nil) }
        #expect(reader.take(Array(" 2%    1.00kB/s    0:00:04  ".utf8)[...]) == nil)
        #expect(reader.take(Array("\r 100   2%    1.00kB/s    0:00:04  ".utf8)[...])?.bytes == 100)
    }
}
