import Testing

@testable import ChangesCommands

private func parse(_ text: String) throws(ConfigurationError) -> Configuration {
    try ConfigurationFile.parse(text: Array(text.utf8), file: "c.toml", base: Configuration())
}

/// The messages for a text that must be refused, one a problem.
private func messages(_ text: String) -> [String] {
    do throws(ConfigurationError) {
        let configuration = try parse(text)
        Issue.record("accepted: \(configuration)")
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

@Suite struct ConfigurationFileTests {
    @Test func readsEveryKey() throws {
        let configuration = try parse(
            """
            [watch]
            roots = ["/srv/nfs/*-backup", '/data/[ab]#']
            exclude = [".nfs*", "*.tmp"]
            one_file_system = true
            poll_interval = "90s"

            [log]
            path = "/mnt/backup/log"
            require_mount = "/mnt/backup/"

            [store]
            directory = "/var/lib/x/"
            keep = "30d"
            max_size = "2GiB"
            max_size_hard = 8589934592
            """)
        var expected = Configuration()
        expected.watch.roots = [Array("/srv/nfs/*-backup".utf8), Array("/data/[ab]#".utf8)]
        expected.watch.exclude = [Array(".nfs*".utf8), Array("*.tmp".utf8)]
        expected.watch.oneFileSystem = true
        expected.watch.pollInterval = .seconds(90)
        expected.log.path = Array("/mnt/backup/log".utf8)
        expected.log.requireMount = Array("/mnt/backup".utf8)
        expected.store.directory = Array("/var/lib/x".utf8)
        expected.store.keep = .seconds(30 * 86_400)
        expected.store.maxSize = 2 << 30
        expected.store.maxSizeHard = 8 << 30
        #expect(configuration == expected)
    }

    @Test(arguments: ["", "# nothing\n", "[watch]\n", "\u{FEFF}[log]\n", "watch = {}\n"])
    func whatIsNotSaidIsTheDefault(text: String) throws { #expect(try parse(text) == Configuration()) }

    @Test func otherWaysToWriteTheSame() throws {
        let configuration = try parse(
            "watch.one_file_system = true\r\nlog = { path = '/l', \"require_mount\" = \"/\\u006D\" }\r\nwatch.exclude = []\r\n"
        )
        #expect(configuration.watch.oneFileSystem)
        #expect(configuration.watch.exclude.isEmpty)
        #expect(configuration.log.path == Array("/l".utf8))
        #expect(configuration.log.requireMount == Array("/m".utf8))
    }

    @Test(
        arguments: [
            // Unknown names.
            (
                "[watch]\nrots = []\n",
                [
                    "c.toml:2: watch.rots: found an unknown key, expected one of roots, exclude, one_file_system, "
                        + #"poll_interval, ping_url (did you mean "roots"?)"#
                ]
            ),
            (
                "[watch]\n\nbanana = 1\n",
                [
                    "c.toml:3: watch.banana: found an unknown key, expected one of roots, exclude, one_file_system, "
                        + "poll_interval, ping_url"
                ]
            ),
            (
                "\n[wach]\nroots = []\n",
                [
                    "c.toml:2: wach: found an unknown table, expected one of the tables [watch], [log], [store], "
                        + #"[[destination]], [metrics] (did you mean "watch"?)"#
                ]
            ),
            (
                "keep = '90d'\n",
                [
                    "c.toml:1: keep: found an unknown key, expected one of the tables [watch], [log], [store], "
                        + #"[[destination]], [metrics] (did you mean "store.keep"?)"#
                ]
            ),
            (
                "[log]\npath.\"a b\" = '/x'\n",
                ["c.toml:2: log.path: found a table, expected the absolute path of a file"]
            ),
            (
                "[log]\n\"a \\\"\\n b\" = 1\n",
                [#"c.toml:2: log."a "\012 b": found an unknown key, expected one of path, require_mount"#]
            ),
            // Wrong types.
            ("watch = 5\n", ["c.toml:1: watch: found the integer 5, expected a table, [watch]"]),
            ("[[watch]]\n", ["c.toml:1: watch: found an array, expected a table, [watch]"]),
            (
                "[watch]\none_file_system = \"yes\"\n",
                [#"c.toml:2: watch.one_file_system: found "yes", expected true or false"#]
            ),
            (
                "[watch]\nroots = \"/srv\"\n",
                [
                    #"c.toml:2: watch.roots: found "/srv", expected an array of patterns such as ["/srv/nfs/*-backup"]"#
                ]
            ),
            (
                "[watch]\nexclude = [\n  'a', # [\n  5,\n  true ]\n",
                [
                    "c.toml:4: watch.exclude: found the integer 5, expected a pattern in quotes",
                    "c.toml:5: watch.exclude: found true, expected a pattern in quotes",
                ]
            ),
            ("[log]\npath = 1979-05-27\n", ["c.toml:2: log.path: found a date, expected the absolute path of a file"]),
            // Durations and sizes.
            (
                "[watch]\npoll_interval = \"60x\"\n",
                [
                    #"c.toml:2: watch.poll_interval: found "60x", expected a duration such as "90d", "60s" or "1h30m" "#
                        + "(units: w, d, h, m, s, ms)"
                ]
            ),
            (
                "[watch]\npoll_interval = 60\n",
                [
                    #"c.toml:2: watch.poll_interval: found the integer 60, expected a duration such as "90d", "60s" or "#
                        + #""1h30m" (units: w, d, h, m, s, ms)"#
                ]
            ),
            ("[store]\nkeep = \"999ms\"\n", [#"c.toml:2: store.keep: found "999ms", expected at least 1s"#]),
            (
                "[store]\nmax_size = \"1G\"\n",
                [
                    #"c.toml:2: store.max_size: found "1G", expected a size such as "1GiB", "512MiB", "10MB" or plain bytes"#
                ]
            ),
            ("[store]\nmax_size = 0\n", ["c.toml:2: store.max_size: found the integer 0, expected more than 0"]),
            ("[store]\nmax_size = -1\n", ["c.toml:2: store.max_size: found the integer -1, expected more than 0"]),
            (
                "[store]\nmax_size_hard = \"1MiB\"\nmax_size = \"2MiB\"\n",
                [#"c.toml:2: store.max_size_hard: found "1MiB", expected at least max_size, which is 2MiB"#]
            ),
            (
                "[store]\nmax_size = \"8GiB\"\n",
                [
                    #"c.toml:2: store.max_size: found "8GiB", expected at most max_size_hard, which is 4GiB where it is "#
                        + "not set"
                ]
            ),
            (
                "[store]\nmax_size = true\nmax_size_hard = \"1MiB\"\n",
                [
                    #"c.toml:2: store.max_size: found true, expected a size such as "1GiB", "512MiB", "10MB" or plain bytes"#
                ]
            ),
            // Patterns and paths.
            (
                "[watch]\nroots = []\n",
                [
                    "c.toml:2: watch.roots: found an empty array, expected at least one pattern such as "
                        + #"["/srv/nfs/*-backup"]"#
                ]
            ),
            (
                "[watch]\nroots = [\n  \"/a\",\n  \"srv/*\",\n]\n",
                [
                    #"c.toml:4: watch.roots: found "srv/*": it is not absolute; expected a path that starts with /, such as "#
                        + "/srv/nfs/*-backup"
                ]
            ),
            (
                "[watch]\nexclude = [\"\"]\n",
                [
                    #"c.toml:2: watch.exclude: found "": it is empty; expected a name or a path, such as .nfs* or /cache/"#
                ]
            ),
            (
                "[log]\npath = \"log\"\nrequire_mount = \"\"\n",
                [
                    #"c.toml:2: log.path: found "log", expected the absolute path of a file"#,
                    #"c.toml:3: log.require_mount: found "", expected the absolute path of a directory"#,
                ]
            ),
            (
                "[log]\npath = \"/mnt/\"\n",
                [#"c.toml:2: log.path: found "/mnt/", expected the absolute path of a file"#]
            ),
            // What C strings would cut off.
            ("[log]\n\npath = \"/a\\u0000b\"\n", ["c.toml:3: found an escaped NUL, expected strings without NUL"]),
            ("[log]\n# \0\n", ["c.toml:2: found a NUL byte, expected TOML, which is UTF-8 text"]),
            // Several at once, in the order of the file.
            (
                "[store]\nkeep = 1\n[log]\npth = 2\n[watch]\none_file_system = 3\n",
                [
                    #"c.toml:2: store.keep: found the integer 1, expected a duration such as "90d", "60s" or "1h30m" "#
                        + "(units: w, d, h, m, s, ms)",
                    "c.toml:4: log.pth: found an unknown key, expected one of path, require_mount "
                        + #"(did you mean "path"?)"#,
                    "c.toml:6: watch.one_file_system: found the integer 3, expected true or false",
                ]
            ),
        ] as [(String, [String])])
    func refuses(text: String, expected: [String]) { #expect(messages(text) == expected) }

    @Test(arguments: [
        ("[watch\n", 1), ("[watch]\nroots = [\"/a\"\n[log]\n", 3), ("[log]\npath = \"/a\npath\"\n", 2),
        ("[log]\npath = '/a'\npath = '/b'\n", 3), ("a = 1\n\nb == 2\n", 3), ("[log]\npath = /a\n", 2),
    ])
    func syntaxErrorsCarryTheirLine(text: String, line: Int) {
        let found = messages(text)
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("c.toml:\(line): found a syntax error (column "), "\(found)")
        #expect(found[0].hasSuffix("), expected TOML"), "\(found)")
    }

    @Test func bytesThatAreNotUTF8AreRefusedWithTheirLine() {
        #expect {
            try ConfigurationFile.parse(text: Array("[log]\n# ".utf8) + [0xFF, 0x0A], file: "c.toml")
        } throws: { error in
            "\(error)" == "c.toml:2: found a byte that is not UTF-8, expected TOML, which is UTF-8 text"
        }
    }

    @Test func patternsAreJudgedByTheChecksGiven() {
        let checking = PatternChecking(root: { _ in "it is too plain; write a better one" }, exclude: { _ in nil })
        #expect {
            try ConfigurationFile.parse(
                text: Array("watch.roots = ['/a']".utf8), file: "c.toml", checking: checking)
        } throws: { error in
            "\(error)" == #"c.toml:1: watch.roots: found "/a": it is too plain; write a better one"#
        }
    }

    @Test func theStateDirectoryOfSystemdIsTheDefault() {
        let directory = Configuration(stateDirectory: Array("/var/lib/a:/var/lib/b".utf8)).store.directory
        #expect(directory == Array("/var/lib/a".utf8))
        #expect(Configuration(stateDirectory: []).store.directory == Array("/var/lib/nfs-changes".utf8))
    }
}

@Suite struct ConfigurationTextTests {
    @Test func theDefaults() {
        #expect(
            ConfigurationText.toml(Configuration()) == """
                [watch]
                roots = ["/srv/nfs/*-backup"]
                exclude = [".nfs*"]
                one_file_system = false
                poll_interval = "1m"

                [log]
                path = "/mnt/backup/.nfs-changes.log"

                [store]
                directory = "/var/lib/nfs-changes"
                keep = "90d"
                max_size = "1GiB"
                max_size_hard = "4GiB"

                [metrics]
                job = "nfs-offsite-sync"

                """)
    }

    @Test func whatIsPrintedReadsBackTheSame() throws {
        var configuration = Configuration()
        configuration.watch.roots = [Array("/a\"b\\c\n\u{1B}\u{7F}ä".utf8), Array("/[x]#".utf8)]
        configuration.watch.exclude = []
        configuration.watch.oneFileSystem = true
        configuration.watch.pollInterval = .milliseconds(61_001)
        configuration.log.requireMount = Array("/m".utf8)
        configuration.store.maxSize = 1_234_567
        #expect(try parse(ConfigurationText.toml(configuration)) == configuration)
    }
}

@Suite struct ConfigurationOverridesTests {
    @Test func flagsReplaceWhatTheFileSays() {
        var base = Configuration()
        base.log.requireMount = Array("/m".utf8)
        #expect(ConfigurationOverrides().applied(to: base) == base)
        var overrides = ConfigurationOverrides()
        overrides.roots = [Array("/r".utf8)]
        overrides.exclude = []
        overrides.requireMount = []
        let effective = overrides.applied(to: base)
        #expect(effective.watch.roots == [Array("/r".utf8)])
        #expect(effective.watch.exclude.isEmpty)
        #expect(effective.log.requireMount == nil)
        #expect(effective.log.path == base.log.path)
    }
}

@Suite struct TOMLLineMapTests {
    private let text = #"""
        # [not.a.table] "
        title = "a # [b] \" 'c"   # comment = 1
        [ a . "b.c" ]    # header
        'd' = [ # ]
          "x]", '''
        ] long # string
        ''', """y\
           z"""
          , { p = [1,
             2], q = "}" }
        ]
        e.f = 1979-05-27 07:32:00Z
        e."\u0067\n" = """""two quotes""""" # end
        [[list]]
        k = {m = {n = true}, 'o' = -1.5e3}
        [[list]]
        k = 2
        """#

    @Test func findsEveryKey() {
        let map = TOMLLineMap(Array(text.utf8))
        let expected: [TOMLPath: Int] = [
            ["title"]: 2, ["a"]: 3, ["a", "b.c"]: 3, ["a", "b.c", "d"]: 4, ["a", "b.c", "d", 0]: 5,
            ["a", "b.c", "d", 1]: 5, ["a", "b.c", "d", 2]: 7, ["a", "b.c", "d", 3]: 9, ["a", "b.c", "d", 3, "p"]: 9,
            ["a", "b.c", "d", 3, "p", 0]: 9, ["a", "b.c", "d", 3, "p", 1]: 10, ["a", "b.c", "d", 3, "q"]: 10,
            ["a", "b.c", "e"]: 12, ["a", "b.c", "e", "f"]: 12, ["a", "b.c", "e", "g\n"]: 13, ["list"]: 14,
            ["list", 0]: 14, ["list", 0, "k"]: 15, ["list", 0, "k", "m"]: 15, ["list", 0, "k", "m", "n"]: 15,
            ["list", 0, "k", "o"]: 15, ["list", 1]: 16, ["list", 1, "k"]: 17,
        ]
        #expect(map.lines == expected)
    }

    @Test func headersMeanTheLastTableOfAnArray() {
        let text = """
            [[a]]
            [a.b]
            x = 1
            [[a.c]]
            [[a.c]]
            y = 1
            [[ a ]]
            b.x = 1
            [[a."c"]]
            [a.c.d.e]
            y = 1
            [z]
            a = [{ x = 1 },
              { x = 2 }]
            """
        let expected: [TOMLPath: Int] = [
            ["a"]: 1, ["a", 0]: 1, ["a", 0, "b"]: 2, ["a", 0, "b", "x"]: 3, ["a", 0, "c"]: 4, ["a", 0, "c", 0]: 4,
            ["a", 0, "c", 1]: 5, ["a", 0, "c", 1, "y"]: 6, ["a", 1]: 7, ["a", 1, "b"]: 8, ["a", 1, "b", "x"]: 8,
            ["a", 1, "c"]: 9, ["a", 1, "c", 0]: 9, ["a", 1, "c", 0, "d"]: 10, ["a", 1, "c", 0, "d", "e"]: 10,
            ["a", 1, "c", 0, "d", "e", "y"]: 11, ["z"]: 12, ["z", "a"]: 13, ["z", "a", 0]: 13, ["z", "a", 0, "x"]: 13,
            ["z", "a", 1]: 14, ["z", "a", 1, "x"]: 14,
        ]
        #expect(TOMLLineMap(Array(text.utf8)).lines == expected)
    }

    @Test func anyBytesEnd() {
        var random = SeededGenerator(seed: 0x70A1)
        let pieces = [
            "[", "]", "{", "}", "\"", "\"\"\"", "'", "'''", "\\", "\n", "=", ".", ",", "#", "a", " ", "\\u00",
        ]
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 0...20, using: &random)).map { _ in pieces.randomElement(using: &random)! }
            _ = TOMLLineMap(Array(text.joined().utf8))
        }
    }
}
