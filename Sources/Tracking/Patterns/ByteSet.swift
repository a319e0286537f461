/// A set of byte values: one bit for each of the 256.
struct ByteSet: Hashable, Sendable {
    private var bits: SIMD4<UInt64> = .zero

    static let all = ByteSet().inverted

    init() {}
    init(_ bytes: some Sequence<UInt8>) { for byte in bytes { insert(byte) } }

    mutating func insert(_ byte: UInt8) { bits[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
    mutating func remove(_ byte: UInt8) { bits[Int(byte >> 6)] &= ~(1 << UInt64(byte & 63)) }
    mutating func formUnion(_ other: ByteSet) { bits |= other.bits }

    func contains(_ byte: UInt8) -> Bool { bits[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }

    var inverted: ByteSet {
        var result = self
        result.bits = ~bits
        return result
    }
}

extension ByteSet {
    /// The character class that POSIX calls `name` (`alpha`, `digit`, …), as the C locale has it; nil for no such.
    init?(className name: ArraySlice<UInt8>) {
        let digit = UInt8(ascii: "0")...UInt8(ascii: "9")
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let lower = UInt8(ascii: "a")...UInt8(ascii: "z")
        let graph: ClosedRange<UInt8> = 0x21...0x7E
        self.init()
        let ranges: [ClosedRange<UInt8>]
        switch String(decoding: name, as: UTF8.self) {
        case "alnum": ranges = [digit, upper, lower]
        case "alpha": ranges = [upper, lower]
        case "blank": ranges = [0x20...0x20, 0x09...0x09]
        case "cntrl": ranges = [0x00...0x1F, 0x7F...0x7F]
        case "digit": ranges = [digit]
        case "graph": ranges = [graph]
        case "lower": ranges = [lower]
        case "print": ranges = [0x20...0x7E]
        case "punct": ranges = [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
        case "space": ranges = [0x20...0x20, 0x09...0x0D]
        case "upper": ranges = [upper]
        case "xdigit": ranges = [digit, UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f")]
        default: return nil
        }
        for range in ranges { for byte in range { insert(byte) } }
    }
}
