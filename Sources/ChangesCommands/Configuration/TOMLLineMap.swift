/// Where the keys of a TOML document stand: the lines that TOMLKit, which gives positions only for syntax errors,
/// does not tell.
///
/// How it works: one pass over the bytes of a document that TOMLKit has already accepted, so that only what
/// separates keys from values has to be understood, never what a value means. A *statement* is a table header
/// (`[a.b]`, `[[a]]`), which sets the prefix of the keys below it, or `key = value`. Keys are read component by
/// component, so dots inside quotes do not split and escapes are undone. Of a value only its end is looked for:
/// strings of all four kinds are stepped over as wholes (a `#`, a bracket or a newline in one means nothing),
/// arrays and inline tables recurse with a longer prefix, and anything else is a scalar that ends at a separator, a
/// comment or the end of its line. Tables under `[[a]]` are counted: each such header begins the next one, and any
/// other header that goes through `a` means the last one.
struct TOMLLineMap {
    /// The line, from 1, on which the key, table or element of this path was first mentioned.
    private(set) var lines: [TOMLPath: Int] = [:]
    /// Lines with a basic string that contains an escaped NUL, which C strings, and so TOMLKit and the kernel's
    /// paths, would end at.
    private(set) var nulLines: [Int] = []

    private let text: [UInt8]
    private var position = 0
    private var line = 1
    /// How many headers `[[…]]` of each path there were.
    private var tableCounts: [TOMLPath: Int] = [:]

    init(_ text: [UInt8]) {
        self.text = text
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        var prefix: TOMLPath = []
        while skipBlank(), let byte = peek {
            let before = position
            if byte == UInt8(ascii: "[") {
                prefix = readHeader()
            } else {
                readPair(below: prefix)
            }
            // Only a document that is not TOML can stand still here.
            if position == before { position += 1 }
        }
    }

    private var peek: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while let byte = peek, condition(byte) { advance() }
    }

    private mutating func advance() {
        if text[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private mutating func skipSpaces() {
        skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// Skips white space, line ends and comments. Always true, to stand in conditions.
    @discardableResult
    private mutating func skipBlank() -> Bool {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): skip { $0 != UInt8(ascii: "\n") }
            default: return true
            }
        }
        return true
    }
}

// MARK: - Keys

extension TOMLLineMap {
    /// Reads `[a.b]` or `[[a.b]]` and returns the path of the table that it begins.
    private mutating func readHeader() -> TOMLPath {
        let beginsElement = text[position...].starts(with: Array("[[".utf8))
        skip { $0 == UInt8(ascii: "[") }
        var path: TOMLPath = []
        readKey(into: &path)
        if beginsElement {
            let count = tableCounts[path, default: 0]
            tableCounts[path] = count + 1
            path.append(.index(count))
            note(path)
        }
        skip { $0 == UInt8(ascii: "]") }
        return path
    }

    /// Reads `a."b.c".d`, appends its components and notes the line of every path on the way.
    private mutating func readKey(into path: inout TOMLPath) {
        repeat {
            if let count = tableCounts[path] { path.append(.index(count - 1)) }
            skipSpaces()
            path.append(.key(readComponent()))
            note(path)
            skipSpaces()
        } while skipOne(UInt8(ascii: "."))
        skipSpaces()
    }

    private mutating func note(_ path: TOMLPath) {
        if lines[path] == nil { lines[path] = line }
    }

    private mutating func skipOne(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        advance()
        return true
    }

    private mutating func readComponent() -> String {
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return String(decoding: readString(), as: UTF8.self)
        default:
            let start = position
            skip { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), 0x80...:
                    true
                default: false
                }
            }
            return String(decoding: text[start..<position], as: UTF8.self)
        }
    }

    private mutating func readPair(below prefix: TOMLPath) {
        var path = prefix
        readKey(into: &path)
        guard skipOne(UInt8(ascii: "=")) else { return }
        skipSpaces()
        readValue(of: path)
    }
}

// MARK: - Values

extension TOMLLineMap {
    private mutating func readValue(of path: TOMLPath) {
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            _ = readString()
        case UInt8(ascii: "["):
            advance()
            var index = 0
            while skipBlank(), let byte = peek, byte != UInt8(ascii: "]") {
                if skipOne(UInt8(ascii: ",")) { continue }
                let element = path + [.index(index)]
                note(element)
                readValue(of: element)
                index += 1
            }
            _ = skipOne(UInt8(ascii: "]"))
        case UInt8(ascii: "{"):
            advance()
            while skipBlank(), let byte = peek, byte != UInt8(ascii: "}") {
                if skipOne(UInt8(ascii: ",")) { continue }
                let before = position
                readPair(below: path)
                if position == before { advance() }
            }
            _ = skipOne(UInt8(ascii: "}"))
        default:
            let before = position
            skip { ![UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), 0x0A].contains($0) }
            if position == before, position < text.count { advance() }
        }
    }

    /// Steps over a string of any kind and returns its content, with the escapes of basic strings undone.
    private mutating func readString() -> [UInt8] {
        let quote = text[position]
        let isLong = text[position...].starts(with: [quote, quote, quote])
        let isBasic = quote == UInt8(ascii: "\"")
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        var content: [UInt8] = []
        while let byte = peek {
            if byte == quote {
                if !isLong {
                    advance()
                    return content
                }
                let quotes = text[position...].prefix { $0 == quote }.count
                for _ in 0..<quotes { advance() }
                // A long string may end in one or two quotes of its own: `"""a"""""` holds `a""`.
                content += Array(repeating: quote, count: quotes >= 3 ? quotes - 3 : quotes)
                if quotes >= 3 { return content }
            } else if isBasic, byte == UInt8(ascii: "\\") {
                advance()
                readEscape(into: &content)
            } else {
                content.append(byte)
                advance()
            }
        }
        return content
    }

    private mutating func readEscape(into content: inout [UInt8]) {
        guard let letter = peek else { return }
        let escapeLine = line
        advance()
        switch letter {
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "e"): content.append(0x1B)
        case UInt8(ascii: "u"), UInt8(ascii: "U"), UInt8(ascii: "x"):
            let count = letter == UInt8(ascii: "x") ? 2 : letter == UInt8(ascii: "u") ? 4 : 8
            let digits = String(decoding: text[position...].prefix(count), as: UTF8.self)
            for _ in 0..<min(count, text.count - position) { advance() }
            guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else { return }
            if value == 0 { nulLines.append(escapeLine) }
            content += Array(UTF8.encode(scalar)!)
        // A backslash at a line's end: the line break and the white space after it are not part of the string.
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: " "), UInt8(ascii: "\t"):
            skip { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        default: content.append(letter)
        }
    }
}
