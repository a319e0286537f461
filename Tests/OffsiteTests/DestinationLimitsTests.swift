import LinuxKernel
import Testing

@testable import Offsite

/// What a destination cannot hold, from what a comparison says of the odd files that were sent there.
@Suite struct DestinationLimitsTests {
    private static let all = Set(
        [LimitsTrial.symlink, LimitsTrial.bytes] + LimitsTrial.pairs.flatMap(\.names)
            + LimitsTrial.lengths.map(LimitsTrial.name(ofLength:))
            + (LimitsTrial.times + [LimitsTrial.oddTime]).map(LimitsTrial.name(ofTime:)))

    /// What rsync says of all of them.
    private func trial(_ item: (String) -> String = { _ in ".f         " }) -> LimitsTrial {
        var trial = LimitsTrial()
        for name in Self.all {
            let text = name.map { $0 >= 0x80 ? "\\#\(String($0, radix: 8))" : String(UnicodeScalar($0)) }.joined()
            let line = item(text) + " probe/" + text + "//"
            trial.take(ItemizedLine(parsing: Array(line.utf8)[...])!, below: Array("probe/".utf8))
        }
        return trial
    }

    private func limits(_ item: (String) -> String) -> DestinationLimits { trial(item).limits(sent: Self.all) }

    private func item(ofTimes isKept: @escaping (Int64) -> Bool) -> (String) -> String {
        { name in
            guard name.hasPrefix("time"), let time = Int64(name.dropFirst(4)) else { return ".f         " }
            return isKept(time) ? ".f         " : "<f..t......"
        }
    }

    @Test func `a destination that holds everything has no limits`() {
        let limits = trial().limits(sent: Self.all)
        #expect(trial().flaw == nil && limits.facts.isEmpty && limits.timeStep == 1)
        #expect(limits.refusal(of: [0xFF]) == nil && limits.keeps(Timestamp(seconds: -5_000_000_000, nanoseconds: 0)))
        #expect(DestinationLimits().words.isEmpty && DestinationLimits().facts.isEmpty)
    }

    @Test(arguments: ["case", "dot."]) func `two names that become one file are a flaw`(_ name: String) {
        let flaw = trial { $0 == name ? "<f.s......." : ".f         " }.flaw
        #expect(flaw?.contains("differ only in") == true, "\(flaw ?? "none")")
    }

    @Test func `a destination without symlinks has a flaw`() {
        #expect(trial { $0 == "symlink" ? "cL+++++++++" : ".f         " }.flaw == "has no symlinks")
    }

    @Test func `the longest name is found`() {
        let limits = limits {
            $0.first == "n" && $0.utf8.count > 143 && !$0.hasPrefix("nor") ? "<f+++++++++" : ".f         "
        }
        #expect(limits.longestName == 143)
        let name = [UInt8](repeating: 0x61, count: 143)
        #expect(limits.refusal(of: Array("a/".utf8) + name) == nil)
        #expect(limits.refusal(of: name + [0x61] + Array("/b".utf8))?.contains("144 bytes") == true)
        #expect(limits.facts.count == 1)
    }

    @Test func `names that are not UTF-8 are refused where the destination takes no others`() {
        let limits = limits { $0.hasPrefix("bytes") ? "<f+++++++++" : ".f         " }
        #expect(!limits.takesAnyBytes && limits.refusal(of: [0xFF]) != nil && limits.refusal(of: [0xC3, 0xA9]) == nil)
    }

    @Test func `times of 32 bits`() {
        let limits = limits(item { (-2_147_483_648...2_147_483_647).contains($0) })
        #expect(limits.earliest == -2_147_483_648 && limits.latest == 2_147_483_647 && limits.timeStep == 1)
        #expect(!limits.keeps(Timestamp(nanoseconds: -2_147_483_648_500_000_000)))
        #expect(limits.keeps(Timestamp(nanoseconds: -2_147_483_647_500_000_000)))
        #expect(!limits.keeps(Timestamp(seconds: 2_147_483_648, nanoseconds: 0)))
        #expect(limits.facts.first?.contains("from 1901 to 2038") == true, "\(limits.facts)")
    }

    @Test func `times of FAT`() {
        let limits = limits(item { (315_532_800...4_354_819_199).contains($0) && $0 % 2 == 0 })
        #expect(limits.timeStep == 2 && limits.earliest == 315_532_800 && limits.latest == 4_354_819_198)
        #expect(!limits.keeps(Timestamp(seconds: 1_700_000_001, nanoseconds: 0)))
        #expect(limits.keeps(Timestamp(seconds: 1_700_000_000, nanoseconds: 999_999_999)))
    }

    @Test func `what could not be made here says nothing`() {
        let limits = trial { $0.hasPrefix("bytes") || $0.hasPrefix("time") ? "<f+++++++++" : ".f         " }
            .limits(
                sent: Self.all.filter { !$0.starts(with: Array("bytes".utf8)) && !$0.starts(with: Array("time".utf8)) })
        #expect(limits.facts.isEmpty && limits.takesAnyBytes && limits.timeStep == 1)
    }

    /// ext4 as the scratch directory has no 1900, so nobody knows of the destination: such a time is no drift either.
    @Test func `times that could not be tried are not known to be kept`() {
        let limits = trial().limits(
            sent: Self.all.filter { !$0.starts(with: Array("time-9".utf8)) && !$0.starts(with: Array("time-22".utf8)) })
        #expect(limits.earliest == -2_147_483_649 && limits.facts.isEmpty)
        for nanoseconds in [Int64.min, .max] {
            #expect(!limits.keeps(Timestamp(nanoseconds: nanoseconds)))
            #expect(!DestinationLimits().keeps(Timestamp(nanoseconds: nanoseconds)))
        }
    }

    @Test func `limits survive being noted`() {
        var limits = DestinationLimits()
        limits.longestName = 143
        limits.takesAnyBytes = false
        (limits.earliest, limits.latest, limits.timeStep, limits.lacksTimes) = (-5, 7, 2, true)
        #expect(DestinationLimits(words: limits.words) == limits)
        #expect(DestinationLimits(words: ["fsync", "deletion-by-list", "time-step=0"]) == DestinationLimits())
    }
}
