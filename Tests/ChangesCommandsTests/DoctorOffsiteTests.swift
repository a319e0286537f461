import LinuxKernel
import Offsite
import SystemPackage
import Testing

@testable import ChangesCommands

@Suite struct DoctorOffsiteTests {
    @Test(
        arguments: [
            (RsyncVersion(3, 1, 2, protocolNumber: 31), .warning),
            (RsyncVersion(3, 2, 7, protocolNumber: 31), .warning),
            (RsyncVersion(3, 3, 0, protocolNumber: 31), .warning), (RsyncVersion(3, 2, 7, protocolNumber: 32), .note),
            (RsyncVersion(3, 4, 0, protocolNumber: 32), .note), (RsyncVersion(3, 4, 4, protocolNumber: 32), .note),
            (RsyncVersion(3, 5, 0, protocolNumber: 32), .ok), (RsyncVersion(3, 5, 1, protocolNumber: 32), .ok),
        ] as [(RsyncVersion, Finding.State)])
    func rsyncVersions(version: RsyncVersion, state: Finding.State) {
        let found = OffsiteFacts(rsync: .version(version)).findings(user: root)
        expectWellFormed(found)
        #expect(states(found) == [state])
        guard state >= .note else { return }
        #expect(found[0].remedy?.contains("--only-upgrade rsync") == true)
        func names(_ number: String) -> Bool { found[0].text.contains("CVE-\(number)") }
        let isOld = state == .warning
        for number in ["12085", "12086", "12087", "12747"] { #expect(names("2024-\(number)") == isOld) }
        // It came with 3.2.7.
        #expect(names("2024-12084") == (isOld && !version.isBefore((3, 2, 7))))
        for number in ["53792", "53797", "53801", "70458", "70462"] { #expect(names("2026-\(number)") == !isOld) }
        // 3.4.2 closed it.
        #expect(names("2025-10158") == (!isOld && version.isBefore((3, 4, 2))))
        // Debian's package has an old number.
        #expect(found[0].text.contains("with the patches of 3.4.0") == (!isOld && version.isBefore((3, 4, 0))))
        // What is not used cannot be abused.
        for number in ["2024-12088", "2026-43618"] { #expect(!names(number)) }
    }

    @Test func programs() {
        let missing = OffsiteFacts(rsync: .missing, ssh: .missing).findings(user: root)
        expectWellFormed(missing)
        #expect(states(missing) == [.problem, .problem] && missing[0].remedy == "apt-get install rsync")
        let found = OffsiteFacts(rsync: .strange, ssh: .version("OpenSSH_9.2p1")).findings(user: root)
        expectWellFormed(found)
        #expect(states(found) == [.note, .ok] && found[1].text == "OpenSSH_9.2p1")
    }

    @Test func metrics() {
        func found(_ change: (inout PlaceFacts) -> Void) -> [Finding.State] {
            var place = PlaceFacts(path: bytes("/var/lib/node"), kind: .directory)
            change(&place)
            var facts = OffsiteFacts(rsync: .version(RsyncVersion(3, 4, 1, protocolNumber: 32)))
            facts.metrics = place
            expectWellFormed(facts.findings(user: root))
            return Array(states(facts.findings(user: root)).dropFirst())
        }
        #expect(found { _ in } == [.ok])
        #expect(found { $0.refusal = .permissionDenied } == [.problem])
        #expect(found { $0.kind = .missing } == [.warning])
        #expect(found { $0.kind = .other } == [.warning])
        #expect(found { $0.kind = .unknown(.permissionDenied) } == [.note])
    }
}

@Suite struct DoctorDestinationTests {
    private func findings(
        target: String = "backup@nas:/volume1/copy", user: UserFacts = root,
        _ change: (inout DestinationFacts) -> Void = { _ in }
    ) throws -> [Finding] {
        let parsed = try #require(SyncTarget(parsing: target))
        var settings = DestinationSettings(name: "nas", source: bytes("/srv/nfs"), target: parsed)
        settings.ssh.identity = bytes("/root/key")
        var facts = DestinationFacts(settings: settings, machine: "m")
        if case .ssh = parsed { (facts.identity, facts.isHostKnown) = (.file(mode: 0o600), true) }
        facts.answer = .marker(DestinationMarker(destination: "nas", machine: "m"))
        change(&facts)
        let found = facts.findings(user: user)
        expectWellFormed(found)
        return found
    }

    @Test func allIsWell() throws {
        #expect(try findings().map(\.text) == ["nas: backup@nas:/volume1/copy answers, and has its marker"])
        #expect(try states(findings(target: "rsync://nas/copy/x")) == [.ok])
    }

    @Test func keys() throws {
        let missing = try findings { ($0.identity, $0.answer) = (.missing, nil) }
        #expect(states(missing) == [.problem] && missing[0].remedy?.contains("ssh-keygen -t ed25519") == true)
        let open = try findings { ($0.identity, $0.answer) = (.file(mode: 0o640), nil) }
        #expect(states(open) == [.problem] && open[0].remedy == "chmod 600 /root/key")
        let locked = try findings { ($0.identity, $0.answer) = (.encrypted, nil) }
        #expect(states(locked) == [.problem] && locked[0].remedy?.hasSuffix("ssh-keygen -p -N '' -f /root/key") == true)
        let stranger = try findings { ($0.isHostKnown, $0.answer) = (false, nil) }
        #expect(states(stranger) == [.problem] && stranger[0].remedy == "changes sync init nas")
        #expect(try states(findings(user: nobody) { $0.answer = nil }) == [.note])
    }

    /// A login that can only be refused is not tried: DSM's Auto Block counts them.
    @Test func hopelessLoginsAreNotTried() throws {
        func isTried(_ change: (inout DestinationFacts) -> Void) throws -> Bool {
            var isTried = false
            _ = try findings {
                change(&$0)
                isTried = $0.isWorthAsking
            }
            return isTried
        }
        #expect(try isTried { _ in })
        #expect(try isTried { $0.identity = nil })
        #expect(try !isTried { $0.identity = .missing })
        #expect(try !isTried { $0.identity = .encrypted })
        #expect(try !isTried { $0.identity = .file(mode: 0o644) })
        #expect(try !isTried { $0.isHostKnown = false })
    }

    @Test func `a host key that changed comes with the command that replaces it`() throws {
        let found = try findings { $0.answer = .failure(.hostKey("the key of nas is not the one that is trusted")) }
        #expect(states(found) == [.problem] && found[0].remedy == "changes sync init --replace-host-key nas")
    }

    @Test func `a local target that could lead elsewhere is a problem`() throws {
        let found = try findings(target: "/mnt/copy") {
            $0.place = PlaceFacts(path: bytes("/mnt/copy"), kind: .directory)
            $0.danger = .unsafeTarget("/mnt/copy", "is reached through a symlink")
        }
        #expect(states(found) == [.problem] && found[0].remedy?.hasSuffix("/mnt/copy/.nfs-changes") == true)
    }

    @Test func `ssh is shown as a person would type it`() throws {
        let silent = try findings(target: "me@[::1]:/copy") {
            $0.settings.ssh.jump = SSHHop(parsing: "bastion:2222")
            $0.answer = .silence
        }
        #expect(silent[0].remedy == "ssh -v -p 22 -i /root/key -J bastion:2222 me@::1 true")
    }

    @Test func answers() throws {
        func found(_ answer: DestinationProbe.Answer) throws -> [Finding] { try findings { $0.answer = answer } }
        #expect(try states(found(.marker(nil))) == [.problem])
        #expect(try states(found(.marker(DestinationMarker(destination: "nas", machine: "other")))) == [.warning])
        let foreign = try found(.marker(DestinationMarker(destination: "x\u{1B}[2J", machine: "m")))
        #expect(states(foreign) == [.warning] && foreign[0].remedy?.contains("--adopt nas") == true)
        #expect(try states(found(.silence)) == [.warning])
        let busy = SyncFailure.rsync(.busy, status: 5, step: "reading", errors: "@ERROR: max connections (1) reached")
        #expect(try states(found(.failure(busy))) == [.note])
        let failed = try found(.failure(.rsync(.stop, status: 255, step: "reading", errors: "Permission denied")))
        #expect(states(failed) == [.warning] && failed[0].text.contains("Permission denied"))
        #expect(failed[0].remedy == "ssh -v -p 22 -i /root/key backup@nas true")
    }

    @Test func localTargets() throws {
        func found(
            user: UserFacts = root, hasMarker: Bool = true, _ change: (inout PlaceFacts) throws -> Void = { _ in },
            sandbox: String? = nil
        ) throws -> [Finding] {
            var place = PlaceFacts(path: bytes("/data/copy"), kind: .directory)
            place.mount = try disk("/data")
            place.space = FileSystemSpace(available: 50 * gigabyte, total: 100 * gigabyte)
            try change(&place)
            return try findings(target: "/data/copy", user: user) {
                ($0.place, $0.hasMarker, $0.answer) = (place, hasMarker, nil)
                $0.sandbox = sandbox.map { UnitSandbox(UnitProperties(UnitFacts.parse(bytes($0)))) }
            }
        }
        #expect(try found().map(\.text) == ["nas: /data/copy, ext4, 50.0 GiB free, and has its marker"])
        #expect(try states(found { $0.kind = .missing }) == [.problem])
        #expect(try states(found(hasMarker: false)) == [.problem])
        #expect(try states(found(user: nobody, hasMarker: false)) == [.note])
        // min_free is the smaller of 5 % and 20 GiB without a word in the configuration.
        #expect(try states(found { $0.space?.available = 6 * gigabyte }) == [.ok])
        #expect(try states(found { $0.space?.available = 4 * gigabyte }) == [.warning])
        #expect(try states(found { $0.refusal = .readOnlyFileSystem }) == [.problem])
        let hidden = try found(sandbox: "ProtectSystem=strict\nReadWritePaths=-/mnt\n")
        #expect(states(hidden) == [.problem] && hidden[0].text.contains("nfs-offsite-sync@nas.service"))
        #expect(hidden[0].remedy?.contains("/etc/systemd/system/nfs-offsite-sync@nas.service.d/target.conf") == true)
        #expect(try states(found(sandbox: "ProtectSystem=strict\nReadWritePaths=-/mnt -/data\n")) == [.ok])
    }
}
