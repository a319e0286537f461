import LinuxKernel
import Testing

@testable import ChangesCommands

@Suite struct DoctorOtherTests {
    @Test(
        arguments: [(1_735_689_599, true, .problem), (1_795_000_000, true, .ok), (1_795_000_000, false, .warning)]
            as [(Int64, Bool, Finding.State)])
    func clocks(seconds: Int64, isSynchronized: Bool, state: Finding.State) {
        let facts = ClockFacts(now: Timestamp(seconds: seconds, nanoseconds: 0), isSynchronized: isSynchronized)
        #expect(states(facts.findings) == [state])
        expectWellFormed(facts.findings)
    }

    @Test func configurations() {
        #expect(states(ConfigurationFacts(file: bytes("/c")).findings) == [.ok])
        let bad = ConfigurationFacts(file: bytes("/c"), problems: ["/c:1: one", "/c:4: two"]).findings
        #expect(states(bad) == [.problem, .problem] && bad[0].text == "/c:1: one")
        #expect(bad[1].text.contains("/c:4: two") && bad[1].text.contains("defaults"))
    }

    @Test func users() {
        #expect(states(root.findings) == [.ok])
        #expect(states(nobody.findings) == [.note])
    }

    @Test(
        arguments: [
            ("0::/system.slice/backup-log.service\n", "systemctl disable --now backup-log.service"),
            ("12:pids:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", "systemctl disable --now a.service"),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/w.service\n",
                "systemctl --user disable --now w.service"
            ),
            ("0::/system.slice/nfs-change-tracker.service\n", "kill 7"),
            ("0::/system.slice/nfs-offsite-sync.service\n", "kill 7"),
            ("0::/user.slice/user-0.slice/session-1.scope\n", "kill 7"), ("0::/\n", "kill 7"), ("", "kill 7"),
            ("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "kill 7"),
        ])
    func oldWatchers(groups: String, remedy: String) {
        let watcher = OldWatcher(
            process: 7, name: bytes("inotifywait"), arguments: ["inotifywait", "-m", "/a\u{1B}[2J"].map(bytes),
            controlGroups: bytes(groups))
        let found = OldWatcher.findings([watcher])
        expectWellFormed(found)
        #expect(states(found) == [.warning])
        #expect(found[0].text.contains("process 7") && found[0].text.contains(#"inotifywait -m /a\033[2J"#))
        #expect(found[0].remedy?.hasSuffix(remedy) == true)
        #expect(states(OldWatcher.findings([])) == [.ok])
    }

    @Test(
        arguments: [
            ("/a/b-1.log", "/a/b-1.log"), ("/a b", "'/a b'"), ("/it's", #"'/it'\''s'"#), ("", "''"),
            ("/a\nb'", #"$'/a\012b\''"#), ("/é", "'/é'"), ("$(x)", "'$(x)'"),
        ])
    func shellWords(word: String, quoted: String) { #expect(ShellWord.of(bytes(word)) == quoted) }

    @Test func textIsAligned() {
        let findings = [
            Finding.ok("log", "fine"), .problem("inotify", "few", remedy: "more"), .note("a", "b", remedy: "c"),
        ]
        var output: [UInt8] = []
        FindingText(isColored: false).append(findings, to: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == """
                ok       log      fine
                PROBLEM  inotify  few
                                  remedy: more
                note     a        b
                                  remedy: c

                1 problem, 0 warnings, 1 note, 1 ok

                """)
        output = []
        FindingText(isColored: true).append([findings[0]], to: &output)
        #expect(String(decoding: output, as: UTF8.self).hasPrefix("\u{1B}[32mok\u{1B}[0m       log  fine\n"))
    }

    @Test func jsonHasOneObjectALine() {
        var output: [UInt8] = []
        FindingJSON.append([.ok("log", "a\"b"), .warning("clock", "c", remedy: "d")], to: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == #"""
                {"check":"log","state":"ok","text":"a\"b","remedy":null}
                {"check":"clock","state":"warning","text":"c","remedy":"d"}

                """#)
    }

    @Test(arguments: [["doctor", "stray"], ["doctor", "--state", ""], ["doctor", "--nosuch"]])
    func aWrongCommandLineExitsWith2(arguments: [String]) { #expect(status(of: arguments) == .usage) }
}
