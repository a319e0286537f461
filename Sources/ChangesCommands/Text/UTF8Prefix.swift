/// Finds where valid UTF-8 ends, for bytes that may be anything.
enum UTF8Prefix {
    /// How many bytes the well-formed scalar at the start of `bytes` has: 1...4, or 0 when there is none.
    ///
    /// Follows table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF.
    static func length(of bytes: ArraySlice<UInt8>) -> Int {
        guard let lead = bytes.first else { return 0 }
        let count: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: count = 2
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: count = 3
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: count = 4
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: return 0
        }
        let trail = bytes.dropFirst().prefix(count - 1)
        guard trail.count == count - 1, second.contains(trail.first!) else { return 0 }
        return trail.dropFirst().allSatisfy { (0x80...0xBF).contains($0) } ? count : 0
    }

    /// Whether all of `bytes` is well-formed UTF-8.
    static func coversAll(of bytes: [UInt8]) -> Bool { invalidOffset(in: bytes) == nil }

    /// The offset of the first byte that is not part of a well-formed scalar.
    static func invalidOffset(in bytes: [UInt8]) -> Int? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let length = length(of: rest)
            if length == 0 { return rest.startIndex }
            rest = rest.dropFirst(length)
        }
        return nil
    }
}
