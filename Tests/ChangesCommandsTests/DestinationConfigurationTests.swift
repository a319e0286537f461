import Offsite
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

private let nameExpectation = "a name of up to 100 letters, digits, '-', '_' and '.', not starting with '.' or '-'"
private let sourceExpectation = #"the absolute path of a directory below /, without "." and "..""#

/// A destination that is right, on four lines.
private let good = "[[destination]]\nname = 'a'\nsource = '/s'\ntarget = 'h:/t'\n"

@Suite struct DestinationConfigurationTests {
    @Test func readsEveryKey() throws {
        let configuration = try parse(
            """
            [[destination]]
            name = "synology"
            source = "/srv//nfs/"
            target = "Administrator@nas:/volume1/Backup/nfs/"
            ssh = { port = 2222, identity = "/k/id", known_hosts = "/k/known", jump = "me@bastion:2222" }
            settle = "0s"
            max_delay = "1h"
            bandwidth = "20MB/s"
            windows = ["22:00-07:00", "12:30-13:00"]
            min_free = "5GiB"
            max_delete = 1000
            ownership = "fake-super"
            permissions = "keep"
            acls = true
            xattrs = true
            compress = "off"
            include = ["/keep/"]
            exclude = ["*.tmp"]
            check_interval = "10m"
            max_age = "8d"
            verify_share = "0.25%"
            ping_url = "https://hc-ping.com/key/nas/?create=1"
            on_success = 'echo "well"'
            on_failure = "tell-somebody"

            [[destination]]
            name = "disk"
            source = "/srv"
            target = "rsync://nas/module"
            password_file = "/k/password"
            min_free = "12.5%"
            max_delete = "0%"

            [metrics]
            textfile_directory = "/var/lib/prometheus/"
            pushgateway = "http://monitor:9091/"
            job = "copies"
            """)
        var first = DestinationSettings(
            name: "synology", source: bytes("/srv/nfs"),
            target: .ssh(user: "Administrator", host: "nas", path: "/volume1/Backup/nfs"))
        first.ssh.port = 2222
        first.ssh.identity = bytes("/k/id")
        first.ssh.knownHosts = bytes("/k/known")
        first.ssh.jump = SSHHop(user: "me", host: "bastion", port: 2222)
        first.settle = .zero
        first.maxDelay = .seconds(3600)
        first.bandwidth = 20_000_000
        first.windows = [TimeWindow(start: 22 * 60, end: 7 * 60), TimeWindow(start: 12 * 60 + 30, end: 13 * 60)]
        first.minFree = .count(5 << 30)
        first.maxDelete = .count(1000)
        first.ownership = .fakeSuper
        (first.acls, first.xattrs, first.compress) = (true, true, .off)
        first.include = [bytes("/keep/")]
        first.exclude = [bytes("*.tmp")]
        first.checkInterval = .seconds(600)
        first.maxAge = .seconds(8 * 86_400)
        first.verifyShare = 0.25
        first.pingURL = "https://hc-ping.com/key/nas?create=1"
        first.onSuccess = bytes("echo \"well\"")
        first.onFailure = bytes("tell-somebody")
        var second = DestinationSettings(
            name: "disk", source: bytes("/srv"), target: .daemon(user: nil, host: "nas", port: nil, path: "module"))
        second.passwordFile = bytes("/k/password")
        second.minFree = .share(percent: 12.5)
        second.maxDelete = .share(percent: 0)
        #expect(configuration.destinations == [first, second])
        #expect(configuration.metrics.textfileDirectory == bytes("/var/lib/prometheus"))
        #expect(configuration.metrics.pushgateway == "http://monitor:9091")
        #expect(configuration.metrics.job == "copies")
        #expect(try parse(ConfigurationText.toml(configuration)) == configuration)
    }

    @Test func otherWaysToWriteTheSame() throws {
        let one = try parse(good + "[destination.ssh]\nport = 23\n").destinations
        #expect(one == (try parse(good + "ssh.port = 23\n").destinations))
        #expect(
            one == (try parse("destination = [{name='a', source='/s', target='h:/t', ssh={port=23}}]").destinations))
        #expect(one.map(\.ssh.port) == [23])
        #expect(try parse("destination = []\n").destinations.isEmpty)
    }

    /// What fits no target is not printed either: `ssh` of a local one would be refused.
    @Test func whatIsPrintedReadsBackTheSame() throws {
        let text = good + good.replacing("'a'", with: "'b'").replacing("h:", with: "")
        let configuration = try parse(text)
        #expect(
            ConfigurationText.toml(configuration).hasSuffix(
                """

                [[destination]]
                name = "b"
                source = "/s"
                target = "/t"
                settle = "30s"
                max_delay = "15m"
                windows = []
                max_delete = "30%"
                max_overwrite = "33%"
                delete_window = "1d"
                ownership = "drop"
                permissions = "keep"
                acls = false
                xattrs = false
                compress = "auto"
                include = []
                exclude = []
                check_interval = "1h"
                max_age = "1d2h"
                verify_share = "1%"

                [metrics]
                job = "nfs-offsite-sync"

                """))
        #expect(ConfigurationText.toml(configuration).contains("\nssh = { port = 22 }\n"))
        #expect(try parse(ConfigurationText.toml(configuration)) == configuration)
    }

    @Test(
        arguments: [
            // Each after `good`, which has four lines.
            ("settle = 30\n", 5, "settle: found the integer 30, expected a duration", ""),
            ("settle = '16m'\n", 5, #"settle: found "16m", expected at most max_delay, which is 15m where it is"#, ""),
            ("max_delay = '1s'\n", 5, #"max_delay: found "1s", expected at least settle, which is 30s"#, ""),
            ("max_delay = '1s'\nsettle = '2s'\n", 5, #"max_delay: found "1s", expected at least settle, which"#, ""),
            ("bandwidth = '20MB'\n", 5, #"bandwidth: found "20MB", expected bytes a second such as "20MB/s""#, ""),
            ("bandwidth = 1000\n", 5, "bandwidth: found the integer 1000, expected bytes a second", ""),
            ("bandwidth = '999B/s'\n", 5, #"bandwidth: found "999B/s", expected at least 1kB/s"#, ""),
            ("windows = '1:00-2:00'\n", 5, #"windows: found "1:00-2:00", expected an array of time windows"#, ""),
            ("windows = [\n'01:00-02:00',\n'1-2']\n", 7, #"windows: found "1-2", expected a time window such"#, ""),
            ("min_free = '101%'\n", 5, #"min_free: found "101%", expected a percentage from"#, ""),
            ("min_free = '5G'\n", 5, #"min_free: found "5G", expected a part such as "10%" or a size such as"#, ""),
            ("min_free = -1\n", 5, "min_free: found the integer -1, expected a part such", ""),
            ("max_overwrite = 'no'\n", 5, #"max_overwrite: found "no", expected a part such as "33%", or "off""#, ""),
            ("delete_window = '0s'\n", 5, #"delete_window: found "0s", expected at least 1s"#, ""),
            ("max_delete = '1GiB'\n", 5, #"max_delete: found "1GiB", expected a part such as "30%" or a whole"#, ""),
            ("max_delete = '30'\n", 5, #"max_delete: found "30", expected a part such as "30%" or a whole"#, ""),
            ("max_delete = -1\n", 5, "max_delete: found the integer -1, expected a part such", ""),
            ("max_delete = 0.3\n", 5, "max_delete: found the number 0.3, expected a part such as", ""),
            (
                "ownership = 'fakesuper'\n", 5,
                #"ownership: found "fakesuper", expected one of "drop", "keep", "fake-super""#, "fake-super"
            ),
            (
                "ownership = 'fake-super'\npermissions = 'drop'\n", 6,
                #"permissions: found "drop": with ownership = "fake-super" rsync sets modes on every file"#, ""
            ),
            (
                "permissions = 'drop'\nacls = true\n", 6,
                #"acls: found true: ACLs hold the mode, so permissions = "drop" loses it"#, ""
            ),
            ("compress = true\n", 5, #"compress: found true, expected one of "auto", "on", "off""#, ""),
            ("ownership = 1\n", 5, "ownership: found the integer 1, expected one of", ""),
            ("exclude = ['a',\n'b//c']\n", 6, #"exclude: found "b//c": two slashes"#, ""),
            ("include = 'x'\n", 5, #"include: found "x", expected an array of patterns"#, ""),
            ("verify_share = 1\n", 5, "verify_share: found the integer 1, expected a percentage", ""),
            ("password_file = '/p'\n", 5, #"password_file: found "/p": only a target such as "rsync://"#, ""),
            ("ssh = 22\n", 5, "ssh: found the integer 22, expected a table with port, identity, known_hosts", ""),
            ("ssh = { jump = '-oX' }\n", 5, #"ssh.jump: found "-oX", expected a host such as "user@bastion""#, ""),
            ("ssh = { port = 0 }\n", 5, "ssh.port: found the integer 0, expected a port, from 1 to 65535", ""),
            ("ssh = { port = 65536 }\n", 5, "ssh.port: found the integer 65536, expected a port", ""),
            ("ssh = { port = 22.5 }\n", 5, "ssh.port: found the number 22.5, expected a port", ""),
            ("\n[destination.ssh]\nidentity = 'x'\n", 7, #"ssh.identity: found "x", expected the absolute path"#, ""),
            ("[destination.ssh]\nknown_host = ''\n", 6, "ssh.known_host: found an unknown key", "known_hosts"),
            ("identity = '/x'\n", 5, "identity: found an unknown key, expected one of name, source,", "ssh.identity"),
            ("bandwith = '1'\n", 5, "bandwith: found an unknown key, expected one of name, source,", "bandwidth"),
        ] as [(String, Int, String, String)])
    func refusedAfterAGoodOne(text: String, line: Int, message: String, suggestion: String) {
        let first = messages(good + text)
        #expect(first.count == 1)
        #expect(first.first?.hasPrefix("c.toml:\(line): destination.\(message)") == true, "\(first)")
        #expect(suggestion.isEmpty || first.first?.hasSuffix("(did you mean \"\(suggestion)\"?)") == true, "\(first)")
        // The same in the second of two tables.
        let second = messages(good.replacing("'a'", with: "'first'") + good + text)
        #expect(second.count == 1)
        #expect(second.first?.hasPrefix("c.toml:\(line + 4): destination.\(message)") == true, "\(second)")
    }

    @Test(
        arguments: [
            (
                "\n[[destination]]\n",
                [
                    "c.toml:2: destination.name: found nothing, expected \(nameExpectation)",
                    "c.toml:2: destination.source: found nothing, expected \(sourceExpectation)",
                    "c.toml:2: destination.target: found nothing, expected \(SyncTarget.expectation)",
                ]
            ),
            (
                good + "# second\n[[destination]]\nname = 'b'\ntarget = '/t'\n",
                [
                    "c.toml:6: destination.source: found nothing, expected \(sourceExpectation)"
                ]
            ),
            (
                "destination = [\n  {name = 'a', target = 'h:/t'},\n  5,\n]\n",
                [
                    "c.toml:2: destination.source: found nothing, expected \(sourceExpectation)",
                    "c.toml:3: destination: found the integer 5, expected a table",
                ]
            ),
            (
                "[destination]\nname = 'a'\n",
                ["c.toml:1: destination: found a table, expected an array of tables, [[destination]]"]
            ),
            (
                good + "\n" + good,
                [
                    #"c.toml:7: destination.name: found "a", expected a name that no other destination has, as the one "#
                        + "of line 2 has"
                ]
            ),
            (
                "[watch]\nping_url = 'https://u:p@hc-ping.com/x'\n",
                [
                    #"c.toml:2: watch.ping_url: found "https://u:p@hc-ping.com/x", expected a URL such as "#
                        + #""https://hc-ping.com/UUID" or "https://kuma/api/push/TOKEN", without user or password"#
                ]
            ),
            (
                good + "on_failure = ' '\n",
                [
                    #"c.toml:5: destination.on_failure: found " ", expected a command for the shell such as "#
                        + #""/usr/local/bin/tell-somebody""#
                ]
            ),
            ("[metrics]\njob = ''\n", ["c.toml:2: metrics.job: found \"\", expected \(nameExpectation)"]),
            (
                "[metrics]\npushgateway = 'http://u:p@m'\n",
                [
                    #"c.toml:2: metrics.pushgateway: found "http://u:p@m", expected a URL such as "http://monitor:9091" "#
                        + #"or "https://monitor/push", without user, password or query"#
                ]
            ),
            (
                "[destinations]\n",
                [
                    "c.toml:1: destinations: found an unknown table, expected one of the tables [watch], [log], [store], "
                        + #"[[destination]], [metrics] (did you mean "destination"?)"#
                ]
            ),
            (
                "bandwidth = '1MB/s'\n",
                [
                    "c.toml:1: bandwidth: found an unknown key, expected one of the tables [watch], [log], [store], "
                        + #"[[destination]], [metrics] (did you mean "destination.bandwidth"?)"#
                ]
            ),
        ] as [(String, [String])])
    func refuses(text: String, expected: [String]) { #expect(messages(text) == expected) }

    @Test(arguments: ["/", "//", "srv", "", "/srv/../x", "/./srv"])
    func sourcesThatCannotBeCompared(source: String) {
        let found = messages(good.replacing("'/s'", with: "'\(source)'"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("c.toml:3: destination.source: found \"\(source)\", expected ") == true)
    }

    @Test(arguments: ["", ".a", "-a", "a b", "a/b", String(repeating: "a", count: 101)])
    func namesThatNoConsumerHas(name: String) {
        #expect(messages(good.replacing("'a'", with: "'\(name)'")).count == 1)
    }

    @Test func whatIsOnlyForSSHIsRefusedElsewhere() {
        #expect(
            messages(good.replacing("h:/t", with: "/t") + "[destination.ssh]\nport = 22\n") == [
                #"c.toml:5: destination.ssh: found a table: only a target such as "user@host:/path" is reached by ssh; "#
                    + "remove it"
            ])
        // Nobody knows what a wrong target was to be.
        #expect(messages(good.replacing("h:/t", with: "") + "ssh = {}\npassword_file = '/p'\n").count == 1)
    }
}

@Suite struct LocalTargetTests {
    private func text(source: String, target: String, roots: String = "'/srv/nfs/*-backup'") -> String {
        "[watch]\nroots = [\(roots)]\n[[destination]]\nname = 'a'\nsource = '\(source)'\ntarget = '\(target)'\n"
    }

    @Test(arguments: [
        ("/srv/nfs", "/srv/nfs/copy", "it is source or inside of it; choose a directory outside"),
        ("/srv/nfs", "/srv/nfs/", "it is source or inside of it; choose a directory outside"),
        ("/srv/nfs", "/srv", "source, which is /srv/nfs, is inside of it; choose a directory outside"),
        (
            "/srv/web", "/srv/nfs/x-backup/copy",
            "it is inside of what is tracked, by /srv/nfs/*-backup in watch.roots; choose a directory outside"
        ),
        (
            "/srv/web", "/srv/nfs/x-backup",
            "it is inside of what is tracked, by /srv/nfs/*-backup in watch.roots; choose a directory outside"
        ),
    ])
    func refused(source: String, target: String, flaw: String) {
        let shown = target == "/srv/nfs/" ? "/srv/nfs" : target
        #expect(
            messages(text(source: source, target: target)) == [
                "c.toml:6: destination.target: found \"\(shown)\": \(flaw)"
            ])
    }

    @Test(arguments: [
        ("/srv/nfs", "/srv/nfs2"), ("/srv/nfs", "/mnt/srv/nfs"), ("/srv/web", "/srv/nfs/copy"),
        ("/srv/nfs", "h:/srv/nfs"),
        ("/srv/nfs", "rsync://h/srv"),
    ])
    func accepted(source: String, target: String) throws { _ = try parse(text(source: source, target: target)) }

    /// The default pattern is not compared when the file's own is refused.
    @Test func wrongRootsAreTheOnlyProblem() {
        let found = messages(text(source: "/a", target: "/srv/nfs/x-backup", roots: "'srv'"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("c.toml:2: watch.roots: ") == true)
    }
}
