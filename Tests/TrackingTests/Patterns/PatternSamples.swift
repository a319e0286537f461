import Glibc

@testable import Tracking

/// SplitMix64: the same seed gives the same samples. `PATTERN_SEED` in the environment replays a run.
struct SampleGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init() {
        seed = getenv("PATTERN_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0...UInt64(UInt32.max))
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements.randomElement(using: &self)! }
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    /// Few bytes, so that patterns and names often meet; also ones that are special, and ones that are not UTF-8.
    private static let alphabet = Array("aabbcc.-!^]\\*?xX0_ ".utf8) + [0xFF, 0xC3]

    /// A file name of at most `limit` bytes.
    mutating func name(upTo limit: Int = 5) -> [UInt8] {
        let name = (0..<Int.random(in: 1...limit, using: &self)).map { _ in pick(Self.alphabet) }
        return name == Array(".".utf8) || name == Array("..".utf8) || name.last == UInt8(ascii: " ") ? [0x61] : name
    }

    /// A glob of one component. Only what the references agree on: no backward ranges, no unclosed brackets.
    mutating func glob() -> [UInt8] {
        var glob: [UInt8] = []
        for _ in 0..<Int.random(in: 1...5, using: &self) {
            switch Int.random(in: 0..<10, using: &self) {
            case 0...3: glob += escaped(pick(Self.alphabet))
            case 4...6: if glob.last != UInt8(ascii: "*") { glob += Array("*".utf8) }
            case 7: glob += Array("?".utf8)
            default: glob += bracket()
            }
        }
        return glob.isEmpty || glob.allSatisfy({ $0 == UInt8(ascii: ".") }) || glob.last == UInt8(ascii: " ")
            ? Array("a*".utf8) : glob
    }

    /// With a backslash where one is needed, and sometimes where not.
    private mutating func escaped(_ byte: UInt8) -> [UInt8] {
        Array("*?[]\\!^-".utf8).contains(byte) || chance(5) ? [UInt8(ascii: "\\"), byte] : [byte]
    }

    private mutating func bracket() -> [UInt8] {
        var set = Array("[".utf8)
        if chance(30) { set += pick([Array("!".utf8), Array("^".utf8)]) }
        if chance(20) { set += Array("]".utf8) }
        for _ in 0..<Int.random(in: 1...3, using: &self) {
            switch Int.random(in: 0..<8, using: &self) {
            case 0: set += pick(["a-c", "b-x", "0-9", "!-z"].map { Array($0.utf8) })
            case 1:
                set += pick(["[:alpha:]", "[:digit:]", "[:punct:]", "[:upper:]", "[:space:]"].map { Array($0.utf8) })
            case 2: set += Array("\\".utf8) + [pick(Self.alphabet)]
            default: set += [pick(Array("abcxX0_.".utf8) + [0xFF])]
            }
        }
        if chance(20) { set += Array("-".utf8) }
        return set + Array("]".utf8)
    }
}

/// Bytes for an assertion's message.
func shown(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { 0x21...0x7E ~= $0 ? String(UnicodeScalar($0)) : "<\(String($0, radix: 16))>" }.joined()
}
