/// How far a transfer is: one line of `--info=progress2`, in the plain form of `--no-human-readable`.
///
/// `     1238099  34%    5.60MB/s    0:00:12  ` while a file is sent; at its end the two spaces are
/// ` (xfr#5, to-chk=169/396)` (rsync's progress.c).
public struct RsyncProgress: Equatable, Sendable {
    /// What rsync has a list of; it counts directories and whatever else is in it as files.
    public struct Files: Equatable, Sendable {
        /// Those that it is through with, whether or not they had to be sent.
        public var done: Int64
        public var total: Int64
        /// False while the list still grows (`ir-chk`).
        public var isTotalKnown: Bool

        public init(done: Int64, total: Int64, isTotalKnown: Bool = true) {
            (self.done, self.total, self.isTotalKnown) = (done, total, isTotalKnown)
        }
    }

    /// Bytes of the content of files, as it is in them.
    public var bytes: Int64
    /// Of the bytes of all files in the list, sent or not: at most 100.
    public var percent: Int
    /// Bytes a second.
    public var rate: Int64
    /// nil where nothing can be said yet.
    public var secondsLeft: Int64?
    /// nil in lines about the middle of a file.
    public var files: Files?

    public init(bytes: Int64, percent: Int, rate: Int64, secondsLeft: Int64?, files: Files? = nil) {
        self.bytes = bytes
        self.percent = percent
        self.rate = rate
        self.secondsLeft = secondsLeft
        self.files = files
    }

    /// - Returns: nil for anything but a whole line: of its first part nobody knows which of the two times it has.
    public init?(parsing line: ArraySlice<UInt8>) {
        let words = line.split(separator: UInt8(ascii: " "))
        guard words.count == 4 || words.count == 6, let bytes = Self.number(words[0]),
            words[1].last == UInt8(ascii: "%"), let percent = Self.number(words[1].dropLast()),
            let rate = Self.rate(words[2])
        else { return nil }
        let time = Self.seconds(words[3])
        guard time != nil || words[3].elementsEqual("??:??:??".utf8) else { return nil }
        self.init(bytes: bytes, percent: Int(min(percent, 100)), rate: rate, secondsLeft: time)
        if words.count == 4 {
            guard line.suffix(2).elementsEqual("  ".utf8) else { return nil }
            // Where nothing moves rsync says 0:00:00.
            if rate == 0 { secondsLeft = nil }
            return
        }
        guard let files = Self.files(words[4], words[5]) else { return nil }
        self.files = files
        // At the end of a file the time is what has passed.
        secondsLeft = self.percent == 0 ? nil : time.map { $0 * Int64(100 - self.percent) / Int64(self.percent) }
    }
}

extension RsyncProgress {
    /// - Returns: nil for what has anything but digits, and commas as some locales put them; for more than 15 digits, too.
    private static func number(_ word: ArraySlice<UInt8>) -> Int64? {
        let digits = word.filter { $0 != UInt8(ascii: ",") }
        guard (1...15).contains(digits.count), digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// `5.60MB/s`, with two decimals; the units are powers of 1024.
    private static func rate(_ word: ArraySlice<UInt8>) -> Int64? {
        let units: [(name: String, bytes: Int64)] = [("kB/s", 1 << 10), ("MB/s", 1 << 20), ("GB/s", 1 << 30)]
        guard let unit = units.first(where: { word.suffix(4).elementsEqual($0.name.utf8) }) else { return nil }
        let parts = word.dropLast(4).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count == 2, let whole = number(parts[0]), let hundredths = number(parts[1]),
            whole <= 1 << 30
        else { return nil }
        return whole * unit.bytes + hundredths * unit.bytes / 100
    }

    /// `0:00:12`, up to 9999 hours.
    private static func seconds(_ word: ArraySlice<UInt8>) -> Int64? {
        let parts = word.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count == 2, parts[2].count == 2, let hours = number(parts[0]),
            let minutes = number(parts[1]), let seconds = number(parts[2]), hours <= 9_999
        else { return nil }
        return hours * 3_600 + minutes * 60 + seconds
    }

    /// `(xfr#5,` and `to-chk=169/396)`.
    private static func files(_ transferred: ArraySlice<UInt8>, _ word: ArraySlice<UInt8>) -> Files? {
        guard transferred.starts(with: "(xfr#".utf8), word.dropFirst(2).starts(with: "-chk=".utf8),
            word.last == UInt8(ascii: ")")
        else { return nil }
        let parts = word.dropFirst("to-chk=".utf8.count).dropLast().split(separator: UInt8(ascii: "/"))
        guard parts.count == 2, let left = number(parts[0]), let total = number(parts[1]), left <= total
        else { return nil }
        return Files(done: total - left, total: total, isTotalKnown: word.starts(with: "to".utf8))
    }
}
