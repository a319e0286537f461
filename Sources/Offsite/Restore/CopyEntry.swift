public import LinuxKernel

/// Something in a copy, as the destination says of it.
public struct CopyEntry: Equatable, Sendable {
    /// Relative to the copy.
    public let path: [UInt8]
    public let kind: Kind
    /// The permission bits, without the type.
    public let mode: UInt16
    public let size: Int64
    /// To the second; nil where it says none.
    public let modified: Timestamp?
    /// What a symlink holds.
    public let linkTarget: [UInt8]?

    public enum Kind: String, Sendable {
        case file, directory, symlink, device, special
    }

    /// What rsync is to print for each: `%i` (what it is), `%B` (its mode), `%l` (its length), `%M` (its time), `%n//%L`
    /// (`ItemizedLine.format`).
    static let format = "%i|%B|%l|%M|%n//%L"

    /// Reads a line of that form. The other side may be hostile: what is no such line is none, and what leads out of the
    /// copy neither.
    ///
    /// - Parameter parent: what the line's name is relative to: empty, or with a slash at its end.
    init?(parsing line: ArraySlice<UInt8>, below parent: [UInt8] = []) {
        let bar = UInt8(ascii: "|")
        let fields = line.split(separator: bar, maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count == 5, let kind = Self.kind(fields[0]), let mode = Self.mode(fields[1]),
            let size = Int64(String(decoding: fields[2], as: UTF8.self)), size >= 0
        else { return nil }
        guard let (name, isDirectory, more) = ListedName.split(fields[4]), isDirectory == (kind == .directory) else {
            return nil
        }
        let target = kind == .symlink ? ListedName.rest(of: more, after: " -> ") : nil
        guard target != nil || kind != .symlink && more.isEmpty else { return nil }
        let components = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !components.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }),
            !name.contains(0)
        else { return nil }
        path = parent + name
        self.kind = kind
        self.mode = mode
        self.size = kind == .file || kind == .symlink ? size : 0
        modified = Self.time(fields[3])
        linkTarget = target
    }

    private static func kind(_ item: ArraySlice<UInt8>) -> Kind? {
        guard item.count == 11 || item.count == 9 else { return nil }
        switch item[item.startIndex + 1] {
        case UInt8(ascii: "f"): return .file
        case UInt8(ascii: "d"): return .directory
        case UInt8(ascii: "L"): return .symlink
        case UInt8(ascii: "D"): return .device
        case UInt8(ascii: "S"): return .special
        default: return nil
        }
    }

    /// `rwxr-x--t` as bits.
    private static func mode(_ letters: ArraySlice<UInt8>) -> UInt16? {
        let letters = Array(letters)
        guard letters.count == 9 else { return nil }
        var mode: UInt16 = 0
        for (index, letter) in letters.enumerated() {
            let bit = UInt16(1) << UInt16(8 - index)
            switch letter {
            case UInt8(ascii: "-"): continue
            case UInt8(ascii: "r"), UInt8(ascii: "w"), UInt8(ascii: "x"): mode |= bit
            case UInt8(ascii: "s"), UInt8(ascii: "t"): mode |= bit | Self.special(index)
            case UInt8(ascii: "S"), UInt8(ascii: "T"): mode |= Self.special(index)
            default: return nil
            }
        }
        return mode
    }

    private static func special(_ index: Int) -> UInt16 { index == 2 ? 0o4000 : index == 5 ? 0o2000 : 0o1000 }

    /// `2026/11/30-20:52:21`, in UTC.
    private static func time(_ field: ArraySlice<UInt8>) -> Timestamp? {
        let numbers = field.split { "/-:".utf8.contains($0) }.map { Int64(String(decoding: $0, as: UTF8.self)) }
        guard numbers.count == 6, let year = numbers[0], let month = numbers[1], let day = numbers[2],
            let hour = numbers[3], let minute = numbers[4], let second = numbers[5], 1...9_999 ~= year,
            1...12 ~= month, 1...31 ~= day, 0...23 ~= hour, 0...59 ~= minute, 0...60 ~= second
        else { return nil }
        // Days since 1970: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return Timestamp(seconds: days * 86_400 + hour * 3_600 + minute * 60 + second, nanoseconds: 0)
    }
}
