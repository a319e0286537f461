import Testing

extension SystemTests {
    /// `changes doctor` beside the unit of this repository under a real systemd.
    @Suite(.enabled(if: Container.obstacle == nil, "\(Container.obstacle ?? "")"))
    struct SystemdDoctorTests {
        private let scratch: Scratch
        private let container: Container

        init() throws {
            scratch = try Scratch()
            container = try Container(in: scratch.path)
        }

        /// What is more than `ok` of one check.
        private func findings(of check: String) throws -> [DoctorFinding] {
            let completed = try container.execute(["changes", "doctor", "--json"])
            return try DoctorFinding.all(completed.output).filter { $0.check == check && $0.state != "ok" }
        }

        @Test(.timeLimit(.minutes(1))) func itKnowsHowTheUnitIs() throws {
            let before = try findings(of: "unit")
            #expect(before.map(\.state) == ["warning", "note"], "\(before)")
            #expect(before.first?.text.contains("is not enabled") == true)
            #expect(before.last?.text.contains("is not running") == true)

            #expect(try container.execute(["systemctl", "enable", "--now", Container.unit]).isSuccess)
            #expect(try findings(of: "unit") == [])

            let dropIn = container.path("/etc/systemd/system") / Path(Container.unit + ".d")
            try Disk.write(dropIn / "test.conf", Array("[Service]\nRestartSec=1s\n".utf8))
            let changed = try findings(of: "unit")
            #expect(changed.map(\.state) == ["warning"] && changed[0].remedy.hasPrefix("systemctl daemon-reload"))
        }

        /// The remedies are commands: run as they are, they end what they are for.
        @Test(.timeLimit(.minutes(1))) func itKnowsTheSandboxAndItsRemediesWork() throws {
            let text = """
                [watch]
                roots = ["/srv/nfs/*-backup", "/tmp/*-backup"]
                [log]
                path = "/srv/log dir/changes.log"
                [store]
                directory = "/srv/state"

                """
            for path in ["/etc/nfs-changes", "/srv/log dir", "/srv/state", "/tmp/t-backup"] as [Path] {
                try Disk.makeDirectory(container.path(path))
            }
            try Disk.write(container.path("/etc/nfs-changes/config.toml"), Array(text.utf8))
            #expect(try container.execute(["systemctl", "enable", Container.unit]).isSuccess)
            let found = try findings(of: "unit").filter { $0.state == "problem" }
            #expect(found.count == 3, "\(found)")
            #expect(found.first?.text.hasPrefix("/srv/log dir, the log's directory, is read-only") == true)
            // Each ends with a restart, which only the last can succeed in.
            let done = try found.map { try container.execute(["sh", "-c", $0.remedy]) }
            #expect(done.last?.isSuccess == true, "\(found): \(done)")
            let left = try findings(of: "unit")
            #expect(left == [], "\(left)")
            #expect(try findings(of: "store").filter { $0.state == "problem" } == [])
            let status = try container.execute(["systemctl", "show", "--property=StatusText", Container.unit])
            let sentence = String(decoding: status.output, as: UTF8.self)
            #expect(sentence.contains("watching 2 roots") && sentence.contains("log up to date"), "\(sentence)")
        }
    }
}
