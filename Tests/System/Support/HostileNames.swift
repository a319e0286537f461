/// Names that a program which is careless with words, options, patterns or lines would do something else with.
enum HostileNames {
    static let short: [Path] = [
        "-e sh", "--delete", "[x]*", "a:b", "new\nline\n..", ";touch x", Path([0xFF, 0xFE, 0x80]),
    ]

    static let all: [Path] = Set(short + Churn.oddNames.map { Path($0) } + more).sorted()

    private static let more: [Path] =
        [
            "-", "--", "-e", "--rsync-path=touch x", "--exclude=*", "$(touch x)", "`touch x`", "$HOME", "%s%n", "~",
            "~root", "host:file", "host::file", "rsync:", "#comment", ";comment", "*", "?", "[", "]", "\\", "\\*",
            "{a,b}",
            "!", "'", "\"", "&", "|true", ">x", "<x", " ", "  lead", "...", "..x", "x.", "line\n.",
            "+ *", "- *", "a => b", "a -> b", "a\\#012b", "\r", "\u{202E}", Path([0xED, 0xA0, 0x80]),
            Path([UInt8](repeating: 0x2A, count: 255)), Path([UInt8](repeating: 0xC3, count: 254)),
            ".~tmp~", ".rsync-partial", "lost+found", "CON", "con ", "marker",
        ]
}
