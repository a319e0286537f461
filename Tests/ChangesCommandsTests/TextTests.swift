import Testing

@testable import ChangesCommands

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("90d", Duration.seconds(90 * 86_400)), ("60s", .seconds(60)), ("1h30m", .seconds(5_400)),
        ("2w3d", .seconds(17 * 86_400)), ("250ms", .milliseconds(250)), ("1s5ms", .milliseconds(1_005)),
        ("0s", .zero), ("007m", .seconds(420)), ("9223372036854775807ms", .milliseconds(Int64.max)),
    ])
    func parses(text: String, duration: Duration) { #expect(DurationText.parse(text) == duration) }

    @Test(arguments: [
        "", "60", "s", "60x", "60 s", " 60s", "60s ", "-1s", "+1s", "1.5h", "30m1h", "1m1m", "1hm", "60S", "1mm",
        "9223372036854775808ms", "9223372036854775807s", "106751991168d", "٣s",
    ])
    func refuses(text: String) { #expect(DurationText.parse(text) == nil) }

    @Test(arguments: [
        (Duration.seconds(90 * 86_400), "90d"), (.seconds(60), "1m"), (.seconds(5_400), "1h30m"), (.zero, "0s"),
        (.milliseconds(1_005), "1s5ms"), (.microseconds(1_500), "1ms"), (.seconds(90_061), "1d1h1m1s"),
    ])
    func formats(duration: Duration, text: String) { #expect(DurationText.format(duration) == text) }

    @Test func whatIsFormattedParsesToTheSame() {
        var random = SeededGenerator(seed: 0xD0_0A)
        for _ in 0..<2_000 {
            let length = Int64.random(in: 0...Int64.max >> Int64.random(in: 0...62), using: &random)
            let duration = Duration.milliseconds(length)
            #expect(DurationText.parse(DurationText.format(duration)) == duration, "seed 0xD00A, \(length) ms")
        }
    }
}

@Suite struct ByteSizeTextTests {
    @Test(arguments: [
        ("1GiB", Int64(1) << 30), ("512MiB", 512 << 20), ("10MB", 10_000_000), ("4096", 4_096), ("4096B", 4_096),
        ("1kb", 1_000), ("1KIB", 1_024), ("0", 0), ("3TiB", 3 << 40), ("9223372036854775807", .max),
        ("8191PiB", 8_191 << 50),
    ])
    func parses(text: String, bytes: Int64) { #expect(ByteSizeText.parse(text) == bytes) }

    @Test(arguments: [
        "", "GiB", "1G", "1K", "1 GiB", "1.5GiB", "-1", "+1", "1GiBs", "1XB", "8192PiB", "9223372036854775808", "٣",
    ])
    func refuses(text: String) { #expect(ByteSizeText.parse(text) == nil) }

    @Test(arguments: [
        (Int64(1) << 30, "1GiB"), (4 << 30, "4GiB"), (10_000_000, "10MB"), (1_025, "1025B"), (0, "0B"),
        (1_024_000, "1024kB"), (1_536, "1536B"), (.max, "9223372036854775807B"),
    ])
    func formats(bytes: Int64, text: String) { #expect(ByteSizeText.format(bytes) == text) }

    @Test(arguments: [
        (Int64(0), "0 B"), (1_023, "1023 B"), (1_024, "1.00 KiB"), (1_035, "1.01 KiB"), (10_239, "9.99 KiB"),
        (10_240, "10.0 KiB"), (102_399, "99.9 KiB"), (102_400, "100 KiB"), ((1 << 20) - 1, "1023 KiB"),
        (4_520_457_830, "4.21 GiB"), (.max, "8191 PiB"),
    ])
    func approximates(bytes: Int64, text: String) {
        #expect(ByteSizeText.approximate(bytes) == text)
        #expect(text.utf8.count <= 8)
    }

    @Test func whatIsFormattedParsesToTheSame() {
        var random = SeededGenerator(seed: 0xB17E)
        for _ in 0..<2_000 {
            let bytes = Int64.random(in: 0...Int64.max >> Int64.random(in: 0...62), using: &random)
            #expect(ByteSizeText.parse(ByteSizeText.format(bytes)) == bytes, "seed 0xB17E")
        }
    }
}

@Suite struct NearestWordTests {
    @Test(arguments: [
        ("rots", "roots"), ("root", "roots"), ("excludes", "exclude"), ("poll-interval", "poll_interval"),
        ("one_filesystem", "one_file_system"), ("eclxude", "exclude"), ("ROOTS", "roots"),
    ])
    func finds(typed: String, word: String) {
        let words = ["roots", "exclude", "one_file_system", "poll_interval"]
        #expect(NearestWord.to(typed, among: words) == word)
    }

    @Test(arguments: ["banana", "x", "", "interval"])
    func doesNotGuessWildly(typed: String) {
        #expect(NearestWord.to(typed, among: ["roots", "exclude", "poll_interval"]) == nil)
    }

    @Test func countsASwapOfNeighboursOnce() {
        #expect(NearestWord.distance("xeclude", "exclude") == 1)
        #expect(NearestWord.distance("", "abc") == 3)
        #expect(NearestWord.distance("kitten", "sitting") == 3)
    }
}

@Suite struct Base64Tests {
    /// The vectors of RFC 4648, section 10, and the two letters that it does not use.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func encodes(text: String, encoded: String) {
        var output: [UInt8] = []
        Base64.append(Array(text.utf8), to: &output)
        #expect(String(decoding: output, as: UTF8.self) == encoded)
    }

    @Test func encodesHighBytes() {
        var output: [UInt8] = []
        Base64.append([0xFF, 0xEF, 0xBE, 0xFB], to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "/+++" + "+w==")
    }
}

@Suite struct JSONObjectWriterTests {
    @Test(arguments: [
        ("plain ä 😀", #""plain ä 😀""#), ("a\"b\\c/", #""a\"b\\c/""#), ("\n\r\t", #""\n\r\t""#),
        ("\u{0}\u{1B}\u{7F}\u{9B}", #""\u0000\u001b\u007f\u009b""#), ("\u{2028}\u{2029}", #""\u2028\u2029""#),
        ("e\u{301}", "\"e\u{301}\""),
    ])
    func escapes(text: String, json: String) {
        var output: [UInt8] = []
        #expect(JSONObjectWriter.appendString(Array(text.utf8), to: &output))
        #expect(output == Array(json.utf8))
    }

    @Test func replacesEachByteThatIsNotUTF8() {
        var output: [UInt8] = []
        #expect(!JSONObjectWriter.appendString([0x61, 0xFF, 0xE2, 0x82, 0x62], to: &output))
        #expect(output == Array("\"a\u{FFFD}\u{FFFD}\u{FFFD}b\"".utf8))
    }
}

@Suite struct TerminalTextTests {
    @Test(arguments: [
        (Array("/ä/日本 x".utf8), "/ä/日本 x"), ([0x2F, 0x1B, 0x5B], #"/\033["#), ([0x2F, 0xFF], #"/\377"#),
        ([0x2F, 0xC3], #"/\303"#), (Array("/\u{9B}".utf8), #"/\302\233"#),
        (Array("/\u{202E}gpj".utf8), #"/\342\200\256gpj"#), (Array("/\u{2028}".utf8), #"/\342\200\250"#),
        ([0x2F, 0xED, 0xA0, 0x80], #"/\355\240\200"#), ([0x2F, 0xE2, 0x82, 0x61], #"/\342\202a"#),
    ])
    func terminalsGetNothingTheyObey(path: [UInt8], text: String) {
        #expect(TerminalText.of(path) == text)
    }
}

@Suite struct ArgumentBytesTests {
    @Test(arguments: [
        Array("/srv/nfs/ä".utf8), [0x2F, 0xFF, 0xFE], [0xC3], Array("\u{10FF41}".utf8), Array("\u{10FFFF}".utf8), [],
        [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
    ])
    func everyByteComesBack(bytes: [UInt8]) {
        #expect(ArgumentBytes.bytes(of: ArgumentBytes.text(of: bytes)) == bytes)
    }

    @Test func wellFormedTextStaysAsItIs() { #expect(ArgumentBytes.text(of: Array("--under=ä".utf8)) == "--under=ä") }

    @Test func randomBytesComeBackAndAgreeWithTheLibraryOnValidity() {
        var random = SeededGenerator(seed: 0xA76)
        for _ in 0..<5_000 {
            let interesting: [UInt8] = [
                0x2F, 0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xA0, 0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xFF,
            ]
            let bytes = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                interesting.randomElement(using: &random)!
            }
            #expect(ArgumentBytes.bytes(of: ArgumentBytes.text(of: bytes)) == bytes, "seed 0xA76, \(bytes)")
            #expect(
                UTF8Prefix.coversAll(of: bytes) == (String(validating: bytes, as: UTF8.self) != nil),
                "seed 0xA76, \(bytes)")
        }
    }
}

@Suite struct PathBytesTests {
    @Test(arguments: [("/a/b//", "/a/b"), ("/", "/"), ("//", "/"), ("/a", "/a"), ("", "")])
    func dropsTrailingSlashes(path: String, trimmed: String) {
        #expect(PathBytes.withoutTrailingSlashes(Array(path.utf8)) == Array(trimmed.utf8))
    }

    @Test func relativePathsAreBelowTheWorkingDirectory() throws {
        let here = try PathBytes.absolute(Array(".".utf8))
        #expect(here.first == UInt8(ascii: "/"))
        #expect(try PathBytes.absolute(Array(".//./x".utf8)) == here + Array("/x".utf8))
        #expect(try PathBytes.absolute(Array("/x".utf8)) == Array("/x".utf8))
    }
}

/// SplitMix64: small, and the same for a seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
