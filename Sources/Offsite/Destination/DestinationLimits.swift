import LinuxKernel

/// What a destination's file system holds less of than a source may have, as was tried there.
struct DestinationLimits: Equatable {
    /// Bytes of the longest name.
    var longestName = Self.longestOfAny
    /// Names may be any bytes; otherwise they have to be UTF-8.
    var takesAnyBytes = true
    /// The first and last time of modification that is known to be kept, in seconds since 1970.
    var earliest = Int64.min
    var latest = Int64.max
    /// Some time that was tried is not kept.
    var lacksTimes = false
    /// Seconds in which times are kept: 2 on FAT.
    var timeStep: Int64 = 1

    /// The longest name that Linux has.
    static let longestOfAny = 255

    /// Why a path cannot be there; nil when it can.
    func refusal(of path: [UInt8]) -> String? {
        if longestName < Self.longestOfAny {
            let longest = path.split(separator: UInt8(ascii: "/")).map(\.count).max() ?? 0
            if longest > longestName {
                return "a name of \(longest) bytes: the destination takes \(longestName) at most"
            }
        }
        if !takesAnyBytes, String(validating: path, as: UTF8.self) == nil {
            return "its name is not UTF-8, and the destination takes no other"
        }
        return nil
    }

    /// Whether the destination is known to keep a time of modification. Those at the ends of `Timestamp` may be anything
    /// beyond.
    func keeps(_ modified: Timestamp) -> Bool {
        guard modified.nanoseconds > .min, modified.nanoseconds < .max else { return false }
        let (quotient, rest) = modified.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let seconds = rest < 0 ? quotient - 1 : quotient
        return earliest <= seconds && seconds <= latest && seconds % timeStep == 0
    }

    // MARK: In the consumer's file

    private static let marks: [(word: String, value: any WritableKeyPath<DestinationLimits, Int64> & Sendable)] = [
        ("earliest", \.earliest), ("latest", \.latest), ("time-step", \.timeStep),
    ]

    /// A word for each limit.
    var words: [String] {
        var words: [String] = []
        let none = DestinationLimits()
        if longestName != none.longestName { words.append("longest-name=\(longestName)") }
        if !takesAnyBytes { words.append("utf-8-only") }
        if lacksTimes { words.append("lacks-times") }
        for (word, value) in Self.marks where self[keyPath: value] != none[keyPath: value] {
            words.append("\(word)=\(self[keyPath: value])")
        }
        return words
    }

    init() {}

    init(words: [String]) {
        takesAnyBytes = !words.contains("utf-8-only")
        lacksTimes = words.contains("lacks-times")
        func number(_ word: String) -> Int64? {
            words.first { $0.hasPrefix(word + "=") }.flatMap { Int64($0.dropFirst(word.utf8.count + 1)) }
        }
        if let length = number("longest-name") { longestName = Int(length) }
        for (word, value) in Self.marks { if let found = number(word) { self[keyPath: value] = found } }
        timeStep = max(1, timeStep)
    }

    /// What a person is told once, before the first copy.
    var facts: [String] {
        var facts: [String] = []
        if longestName < Self.longestOfAny {
            facts.append("it takes names of \(longestName) bytes at most: paths with longer ones are quarantined")
        }
        if !takesAnyBytes { facts.append("it takes UTF-8 names only: paths with others are quarantined") }
        let unrepresentable = "`changes verify` lists such paths as unrepresentable"
        if lacksTimes {
            facts.append(
                "it keeps times from \(Self.year(earliest)) to \(Self.year(latest)) only: \(unrepresentable)")
        }
        if timeStep > 1 { facts.append("it keeps times in steps of \(timeStep) seconds: \(unrepresentable)") }
        return facts
    }

    /// The year of a time, roughly: an average one has 31,556,952 seconds.
    private static func year(_ seconds: Int64) -> String {
        let length: Int64 = 31_556_952
        let years = seconds / length - (seconds % length < 0 ? 1 : 0)
        return "\(1970 + years)"
    }
}

/// The odd files that are sent to find a destination's limits, and what a comparison afterwards says of them.
struct LimitsTrial {
    /// Names of which a destination that takes the two for one has one file; their contents differ.
    struct Pair {
        let names: [[UInt8]]
        /// What does not tell them apart.
        let flaw: String
    }

    static let pairs = [
        Pair(names: ["case", "CASE"].map { Array($0.utf8) }, flaw: "names that differ only in case"),
        Pair(
            names: [Array("nor\u{E9}".utf8), Array("nore\u{301}".utf8)],
            flaw: "names that differ only in the normalisation of Unicode (NFC, NFD)"),
        Pair(names: ["dot", "dot."].map { Array($0.utf8) }, flaw: "names that differ only in a dot at the end"),
    ]
    /// Lengths of names, of which each is one file's.
    static let lengths = Array(100...DestinationLimits.longestOfAny)
    static let symlink = Array("symlink".utf8)
    static let bytes = Array("bytes-".utf8) + [0xFF, 0xFE]
    /// The first and last seconds of 32 bits, with and without a sign, and of FAT, each with the one beyond; and the ends of
    /// what is told apart here.
    static let times: [Int64] = [
        -9_223_372_036, -2_208_988_800, -2_147_483_649, -2_147_483_648, -1, 0, 315_532_799, 315_532_800, 2_147_483_646,
        2_147_483_647, 2_147_483_648, 4_294_967_295, 4_294_967_296, 4_354_819_198, 4_354_819_199, 4_354_819_200,
        9_223_372_035,
    ]
    /// A time of today's years, odd.
    static let oddTime: Int64 = 1_700_000_001

    static func name(ofLength length: Int) -> [UInt8] { [UInt8](repeating: UInt8(ascii: "n"), count: length) }
    static func name(ofTime time: Int64) -> [UInt8] { Array("time\(time)".utf8) }

    /// Names that are there.
    private var present: Set<[UInt8]> = []
    /// Names whose content is another's.
    private var overwritten: Set<[UInt8]> = []
    /// Names whose time is another.
    private var shifted: Set<[UInt8]> = []

    /// - Parameter prefix: what stands before each name.
    mutating func take(_ line: ItemizedLine, below prefix: [UInt8]) {
        let path = line.name
        guard path.starts(with: prefix) else { return }
        let name = Array(path.dropFirst(prefix.count))
        if line.kind != .missing { present.insert(name) }
        switch line.kind {
        case .content where !line.isTimeAlone: overwritten.insert(name)
        case .content, .metadata: if line.hasTime { shifted.insert(name) }
        case .missing, .extra, .link: break
        }
    }

    /// Why no copy there can be equal; nil when one can.
    var flaw: String? {
        if !present.contains(Self.symlink) { return "has no symlinks" }
        let pair = Self.pairs.first { pair in pair.names.contains { overwritten.contains($0) } }
        return pair.map { "does not tell apart \($0.flaw)" }
    }

    /// - Parameter sent: the names of the files that were what they were to be where they were sent from.
    func limits(sent: Set<[UInt8]>) -> DestinationLimits {
        func isThere(_ name: [UInt8]) -> Bool { present.contains(name) || !sent.contains(name) }
        var limits = DestinationLimits()
        limits.longestName = Self.lengths.last { isThere(Self.name(ofLength: $0)) } ?? Self.lengths[0]
        limits.takesAnyBytes = isThere(Self.bytes)
        func isSent(_ time: Int64) -> Bool { sent.contains(Self.name(ofTime: time)) }
        func isKept(_ time: Int64) -> Bool {
            let name = Self.name(ofTime: time)
            return present.contains(name) && !shifted.contains(name)
        }
        if isSent(Self.oddTime), !isKept(Self.oddTime) { limits.timeStep = 2 }
        // From today's years on, as far as each one that could be tried is kept.
        let times = Self.times.filter { $0 % limits.timeStep == 0 && isSent($0) }
        let before = times.reversed().filter { $0 < Self.oddTime }
        let after = times.filter { $0 > Self.oddTime }
        limits.earliest = before.prefix(while: isKept).last ?? Self.oddTime
        limits.latest = after.prefix(while: isKept).last ?? Self.oddTime
        limits.lacksTimes = !times.allSatisfy(isKept)
        return limits
    }
}
