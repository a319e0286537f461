import ArgumentParser
import ChangeStore
import LinuxKernel
import Testing

@testable import ChangesCommands

@Suite struct SequenceSetTests {
    @Test(arguments: [UInt64](1...5)) func isASet(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var set = SequenceSet()
        var naive: Set<Int64> = []
        // Around the ends of words and pieces, and far apart as after a crash.
        let bases: [Int64] = [0, 63, 64, 65_535, 65_536, 131_071, 1 << 20, 1 << 40, .max - 70]
        for _ in 0..<2_000 {
            let number = bases.randomElement(using: &generator)! + Int64.random(in: 0...70, using: &generator)
            set.insert(number)
            naive.insert(number)
            let asked = bases.randomElement(using: &generator)! + Int64.random(in: 0...70, using: &generator)
            #expect(set.contains(asked) == naive.contains(asked), "seed \(seed)")
            #expect(set.first(from: asked) == naive.filter { $0 >= asked }.min(), "seed \(seed), from \(asked)")
            #expect(set.count == naive.count, "seed \(seed)")
        }
        #expect(set.first(from: -5) == naive.min())
        while set.count > 0 {
            let limit = Int.random(in: 0..<set.count, using: &generator)
            set.keepGreatest(limit)
            naive = Set(naive.sorted().suffix(limit))
            #expect(set.count == limit && set.first(from: 0) == naive.min(), "seed \(seed)")
        }
        #expect(set.isEmpty && set.first(from: 0) == nil)
    }
}

@Suite struct DigestTableTests {
    /// Each digest is new once and known from then on, in exactly one of the passes it takes.
    @Test(arguments: [UInt64](1...5), [16, 256, 8_192]) func isASetInParts(seed: UInt64, slots: Int) {
        var generator = SeededGenerator(seed: seed)
        var digests = (0..<3_000).map { _ in PathDigest(high: generator.next(), low: generator.next()) }
        // At the ends of the range, and one whose slot must not look empty.
        digests += [
            PathDigest(high: 0, low: 0), PathDigest(high: .max, low: .max),
            PathDigest(high: 0, low: 8), PathDigest(high: .max, low: 0),
        ]
        digests += digests.shuffled(using: &generator)
        var table = DigestTable(largest: slots)
        var seen: Set<PathDigest> = []
        var finished: Set<PathDigest> = []
        var passes = 0
        repeat {
            passes += 1
            var pass: [PathDigest: Bool] = [:]
            for digest in digests {
                switch table.lookUp(digest) {
                case .elsewhere: pass[digest] = nil
                case .new(let slot):
                    #expect(pass[digest] == nil && !finished.contains(digest), "seed \(seed)")
                    pass[digest] = true
                    table.setFlags(.admitted, ofSlot: slot)
                case .known(let slot, let flags):
                    #expect(pass[digest] != nil && flags.contains(.admitted), "seed \(seed)")
                    table.setFlags([.admitted, .selected], ofSlot: slot)
                }
            }
            finished.formUnion(pass.keys)
            seen.formUnion(pass.keys)
        } while table.nextPart()
        #expect(seen == Set(digests), "seed \(seed)")
        #expect(slots > 4_000 ? passes == 1 : passes > 1, "\(passes) passes")
    }
}

@Suite struct CSVTests {
    @Test(arguments: [
        ("/a", "/a"), ("/a,b", #""/a,b""#), (#"/a"b"#, #""/a""b""#), (#"/a"""#, #""/a""""""#), ("/a b ", "/a b "),
        ("/a\nb", #"/a\012b"#), ("/a\r\n,", #""/a\015\012,""#), (#"/a\"#, #"/a\134"#), ("/\u{7F}", #"/\177"#),
        ("/é", "/é"), ("/'x'", "/'x'"), ("/\u{1}\"", #""/\001""""#),
    ])
    func quotesWhatItMust(path: String, field: String) {
        var output: [UInt8] = []
        CSVFormat.append(path: Array(path.utf8), to: &output)
        #expect(String(decoding: output, as: UTF8.self) == field)
    }
}

@Suite struct WhenTests {
    private let now = Timestamp(seconds: 1_795_402_800, nanoseconds: 0)

    @Test(arguments: ["--since", "--until"]) func badInputNamesWhatIsAccepted(option: String) {
        for wrong in ["soon", "", "03", "2026-02-30", "10 m", "seq:-1", "boot 03:00", "\u{1B}[31m"] {
            do {
                _ = try Query.parse([option, wrong])
                Issue.record("\(option) \(wrong) was taken")
            } catch {
                let message = Query.message(for: error)
                for word in [option, "10m", "2d", "03:00", "yesterday 03:00", "2026-11-23T03:00", "boot", "seq:N"] {
                    #expect(message.contains(word), "\(wrong): \(message)")
                }
                #expect(!message.contains("\u{1B}"))
            }
        }
    }

    /// What ends before a moment and what begins with it share no row and miss none.
    @Test(arguments: ["2026-11-23T03:00:06.250000007Z", "2026-11-23T03:00:06.25Z", "2026-11-23T03:00:07Z"])
    func untilAndSinceFitTogether(moment: String) throws {
        let stored = try StoredHistory()
        try stored.commit((0..<4).map { change(second: 3_600 + $0, .created, "/r/\($0)") })
        func count(_ arguments: [String]) throws -> Int64 {
            let selection = try Query.parse(arguments).what.selection(now: now, zone: .utc)
            return try SelectedRows(selection, in: stored.reader()).totals().count
        }
        let (before, after) = (try count(["--until", moment]), try count(["--since", moment]))
        #expect(before + after == 4)
        #expect(before == (moment.hasSuffix("250000007Z") || moment.hasSuffix("6.25Z") ? 1 : 2))
        #expect(try count(["--until", "seq:3"]) == 3)
        #expect(try count(["--since", "seq:3"]) == 1)
        #expect(try count(["--since", "seq:1", "--until", "seq:3"]) == 2)
        #expect(try count(["--since", "seq:3", "--until", "seq:1"]) == 0)
        #expect(try count(["--since", "boot"]) + count(["--until", "boot"]) == 4)
    }
}
