import Testing

@testable import ChangesCommands

@Suite struct DoctorUnitTests {
    private static let standard = """
        ReadWritePaths=-/mnt/backup
        ProtectSystem=strict
        PrivateTmp=yes
        ProtectHome=no
        StateDirectory=nfs-changes
        ExecStart={ path=/usr/bin/changes ; argv[]=/usr/bin/changes track ; ignore_errors=no ; pid=0 ; code=(null) }
        LoadState=loaded
        ActiveState=active
        FragmentPath=/etc/systemd/system/nfs-change-tracker.service
        UnitFileState=enabled
        NeedDaemonReload=no

        """

    private func findings(
        replacing old: String = "", with new: String = "", log: String = "/mnt/backup",
        state: String = "/var/lib/nfs-changes", roots: [String] = ["/srv/nfs/a-backup"],
        configuration: String = "/etc/nfs-changes/config.toml", hasProgram: Bool = true
    ) -> [Finding] {
        var text = Self.standard
        if let range = text.firstRange(of: old), !old.isEmpty { text.replaceSubrange(range, with: new) }
        let facts = UnitFacts(
            source: .properties(UnitFacts.parse(bytes(text))), hasProgram: hasProgram,
            configurationFile: bytes(configuration), roots: roots.map(bytes), logDirectory: bytes(log),
            stateDirectory: bytes(state))
        expectWellFormed(facts.findings)
        return facts.findings
    }

    @Test func allIsWell() {
        #expect(findings().map(\.text) == ["nfs-change-tracker.service is enabled and active"])
    }

    @Test func `a unit of the same name that starts something else is a problem`() {
        let found = findings(
            replacing: "path=/usr/bin/changes ; argv[]=/usr/bin/changes track",
            with: "path=/usr/bin/inotifywait ; argv[]=/usr/bin/inotifywait -m -r /srv/nfs")
        #expect(states(found) == [.problem])
        let file = "/etc/systemd/system/nfs-change-tracker.service"
        #expect(found[0].text.contains("(\(file)) starts \"/usr/bin/inotifywait -m -r /srv/nfs\""))
        #expect(
            found[0].remedy
                == "mv \(file) \(file).old && systemctl daemon-reload && systemctl restart nfs-change-tracker.service")
    }

    @Test(
        arguments: [
            ("LoadState=loaded", "LoadState=not-found", [.note]), ("LoadState=loaded", "LoadState=masked", [.warning]),
            ("LoadState=loaded", "LoadState=bad-setting", [.problem]),
            ("UnitFileState=enabled", "UnitFileState=disabled", [.warning]),
            ("ActiveState=active", "ActiveState=failed", [.problem]),
            ("ActiveState=active", "ActiveState=inactive", [.ok, .note]),
            ("NeedDaemonReload=no", "NeedDaemonReload=yes", [.warning]),
        ] as [(String, String, [Finding.State])])
    func unitStates(old: String, new: String, expected: [Finding.State]) {
        #expect(states(findings(replacing: old, with: new)) == expected)
    }

    @Test(
        arguments: [
            ("/mnt/backup/deep", "", "", [.ok]), ("/mnt/backup2", "", "", [.problem]),
            ("/data/log", "", "", [.problem]), ("/data/log", "-/mnt/backup", "-/mnt/backup +/data", [.ok]),
            ("/data/my log/x", "-/mnt/backup", #"-/mnt/backup "-/data/my log" /b"#, [.ok]),
            ("/data/my", "-/mnt/backup", "-/mnt/backup /x/data/my /data/myself", [.problem]),
            ("/data/log", "-/mnt/backup", "/", [.ok]),
            ("/data/log", "ProtectSystem=strict", "ProtectSystem=full", [.ok]),
            ("/etc/log", "ProtectSystem=strict", "ProtectSystem=full", [.problem]),
            ("/usr/log", "ProtectSystem=strict", "ProtectSystem=yes", [.problem]),
            ("/data/log", "ProtectSystem=strict", "ProtectSystem=no", [.ok]),
            ("/home/log", "ProtectSystem=strict\nPrivateTmp=yes\nProtectHome=no", "ProtectHome=read-only", [.problem]),
            ("/tmp/log", "ProtectSystem=strict", "ProtectSystem=no", [.problem]),
        ] as [(String, String, String, [Finding.State])])
    func logDirectories(log: String, old: String, new: String, expected: [Finding.State]) {
        let found = findings(replacing: old, with: new, log: log)
        #expect(states(found) == expected, "\(found)")
    }

    @Test func theRemedyForAReadOnlyLogIsADropIn() {
        #expect(
            findings(log: "/data/my log").first?.remedy == """
                mkdir -p /etc/systemd/system/nfs-change-tracker.service.d && printf '%s\\n' '[Service]' \
                'ReadWritePaths="/data/my log"' > /etc/systemd/system/nfs-change-tracker.service.d/log.conf && \
                systemctl daemon-reload && systemctl restart nfs-change-tracker.service
                """)
    }

    @Test func stateDirectories() {
        #expect(states(findings(state: "/var/lib/nfs-changes/x")) == [.ok])
        #expect(states(findings(state: "/data/state")) == [.problem])
        #expect(states(findings(replacing: "-/mnt/backup", with: "/mnt/backup /data", state: "/data/state")) == [.ok])
    }

    @Test(
        arguments: [
            ("/tmp/a-backup", "", "", [.problem]), ("/var/tmp/a", "", "", [.problem]),
            ("/tmp/a", "PrivateTmp=yes", "PrivateTmp=no", [.ok]), ("/home/a", "", "", [.ok]),
            ("/home/a", "ProtectHome=no", "ProtectHome=yes", [.problem]),
            ("/root/a", "ProtectHome=no", "ProtectHome=tmpfs", [.problem]),
            ("/home/a", "ProtectHome=no", "ProtectHome=read-only", [.ok]),
            ("/homes/a", "ProtectHome=no", "ProtectHome=yes", [.ok]),
        ] as [(String, String, String, [Finding.State])])
    func hiddenRoots(root: String, old: String, new: String, expected: [Finding.State]) {
        #expect(states(findings(replacing: old, with: new, roots: [root])) == expected)
    }

    /// With other flags the unit works with other paths: its sandbox says nothing about these.
    @Test func aUnitWithAnotherConfigurationIsNotCompared() {
        let found = findings(log: "/data/log", configuration: "/tmp/c.toml")
        #expect(states(found) == [.ok, .note] && found.last?.text.contains("/usr/bin/changes track") == true)
        let same = findings(
            replacing: "changes track ;", with: "changes track --config /tmp/c.toml ;", log: "/data/log",
            configuration: "/tmp/c.toml")
        #expect(states(same) == [.problem])
    }

    @Test func aProgramThatIsMissing() {
        let found = findings(hasProgram: false)
        #expect(states(found) == [.problem] && found[0].text.contains("/usr/bin/changes"))
    }

    @Test func withoutSystemd() {
        for source in [UnitFacts.Source.noSystemd, .unavailable("no answer")] {
            #expect(states(UnitFacts(source: source, configurationFile: []).findings) == [.note])
        }
    }
}
