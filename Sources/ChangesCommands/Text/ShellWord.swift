/// Bytes as one word of a shell command that people copy from a remedy.
enum ShellWord {
    /// The word as it is where no shell takes any of it for something else, in single quotes where that does, and as
    /// `$'…'` (bash, zsh) where a terminal must not be shown the bytes.
    static func of(_ bytes: [UInt8]) -> String {
        if !bytes.isEmpty, bytes.allSatisfy(isPlain) { return String(decoding: bytes, as: UTF8.self) }
        let shown = TerminalText.of(bytes)
        let isLiteral = shown.utf8.elementsEqual(bytes)
        let quote = isLiteral ? "'\\''" : "\\'"
        let body = shown.map { $0 == "'" ? quote : String($0) }.joined()
        return (isLiteral ? "'" : "$'") + body + "'"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "@"),
            UInt8(ascii: "%"):
            true
        default: false
        }
    }
}
