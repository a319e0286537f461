import ChangeStore
import LinuxKernel
import SystemPackage
import Testing
import Tracking

@testable import ChangesCommands

@Suite struct DoctorKernelTests {
    private func facts(
        _ directories: Int?, limit: Int? = 8_192, _ change: (inout KernelFacts) -> Void = { _ in }
    ) -> [Finding] {
        var facts = KernelFacts(version: KernelVersion(6, 1), maxWatches: limit)
        facts.directories = directories.map { DirectoryCount(directories: $0) }
        facts.pollInterval = "1m"
        change(&facts)
        let findings = facts.findings + facts.watchFindings
        expectWellFormed(findings)
        return findings
    }

    @Test(
        arguments: [
            (KernelVersion(5, 5), .problem), (KernelVersion(5, 6), .ok), (KernelVersion(6, 12), .ok), (nil, .note),
        ] as [(KernelVersion?, Finding.State)])
    func versions(version: KernelVersion?, state: Finding.State) {
        #expect(facts(1) { $0.version = version }.first?.state == state)
    }

    @Test(
        arguments: [
            (nil, 8_192, .ok), (6_000, 8_192, .ok), (7_000, 8_192, .warning), (8_192, 8_192, .warning),
            (8_193, 8_192, .problem), (1, nil, .note),
        ] as [(Int?, Int?, Finding.State)])
    func watches(directories: Int?, limit: Int?, state: Finding.State) {
        let finding = facts(directories, limit: limit)[1]
        #expect(finding.state == state)
        guard state == .problem else { return }
        #expect(finding.text.contains("8192 watches") && finding.text.contains("8193 directories"))
        #expect(finding.text.contains("1 of them would be polled every 1m"))
        #expect(finding.remedy?.contains("sysctl -w fs.inotify.max_user_watches=524288") == true)
        #expect(finding.remedy?.contains("/etc/sysctl.d/") == true)
    }

    @Test func theLowerLimitOfANamespaceCounts() {
        let finding = facts(20) { $0.namespaceWatches = 10 }[1]
        #expect(finding.state == .problem && finding.remedy?.contains("user.max_inotify_watches=") == true)
    }

    @Test func watchesOfOtherProgramsCount() {
        #expect(facts(6_000) { $0.watchesOfOthers = 3_000 }[1].state == .problem)
    }

    @Test func whatWasNotCountedToTheEndIsSaid() {
        let finding = facts(nil) { $0.directories = DirectoryCount(directories: 100, isComplete: false) }[1]
        #expect(finding.state == .note && finding.text.contains("at least 100 directories"))
    }

    @Test func instancesAndQueue() {
        #expect(facts(1) { ($0.maxInstances, $0.maxQueuedEvents) = (128, 16_384) }.count == 2)
        #expect(states(Array(facts(1) { $0.maxInstances = 64 }.dropFirst(2))) == [.note])
        #expect(states(Array(facts(1) { $0.maxQueuedEvents = 16_383 }.dropFirst(2))) == [.note])
        #expect(states(Array(facts(1) { $0.instanceFailure = .tooManyOpenFiles }.dropFirst(2))) == [.problem])
        let raised = facts(1) {
            $0.instanceFailure = .tooManyOpenFiles
            $0.maxInstances = 65_536
        }
        #expect(raised.last?.remedy?.contains("max_user_instances=131072,") == true)
    }
}

@Suite struct DoctorRootTests {
    private func findings(
        _ pattern: String = "/srv/*-backup", matches: [String] = [], notes: [RootSearch.Note] = [],
        roots: [RootFacts.Root] = [], targets: [[UInt8]: [UInt8]] = [:], user: UserFacts = root
    ) -> [Finding] {
        let facts = RootFacts(
            file: bytes("/etc/c.toml"),
            patterns: [RootFacts.Pattern(source: bytes(pattern), matches: matches.map(bytes), notes: notes)],
            roots: roots, targets: targets)
        let findings = facts.findings(user: user)
        expectWellFormed(findings)
        return findings
    }

    @Test func matchesAreNamed() {
        let found = findings(matches: ["/srv/a-backup", "/srv/b-backup", "/srv/c-backup", "/srv/d-backup"])
        #expect(states(found) == [.ok])
        #expect(
            found.first?.text == "/srv/*-backup: 4 directories, /srv/a-backup /srv/b-backup /srv/c-backup …")
        #expect(findings("/srv/a", matches: ["/srv/a"]).first?.text == "/srv/a")
    }

    @Test func noMatchIsAWarning() { #expect(states(findings()) == [.warning]) }

    @Test func aSymlinkIsAProblemThatNamesTheRealPath() {
        let path = bytes("/srv/s-backup")
        let found = findings(notes: [.symlink(path)], targets: [path: bytes("/data/real dir")])
        #expect(states(found) == [.problem])
        #expect(found.first?.remedy?.contains("'/data/real dir'") == true)
    }

    @Test(
        arguments: [
            ("nfs", .problem), ("nfs4", .problem), ("cifs", .problem), ("fuse.sshfs", .problem), ("autofs", .problem),
            ("ceph", .warning), ("ext4", .ok), ("xfs", .ok), ("zfs", .ok),
        ] as [(String, Finding.State)])
    func fileSystems(type: String, state: Finding.State) {
        let found = findings(
            matches: ["/srv/a-backup"],
            roots: [RootFacts.Root(path: bytes("/srv/a-backup"), fileSystemType: bytes(type))])
        #expect(found.map(\.state).max() == state)
        guard state == .problem else { return }
        #expect(found.last?.text.contains("changes made by others are invisible") == true)
        #expect(found.last?.remedy?.contains("on the file server") == true)
    }

    @Test func whatCannotBeReadIsNamed() {
        var place = RootFacts.Root(path: bytes("/srv/a-backup"), fileSystemType: bytes("ext4"))
        place.unreadable = [bytes("/srv/a-backup/x\ny"), bytes("/srv/a-backup/z")]
        #expect(states(findings(matches: ["/srv/a-backup"], roots: [place])) == [.ok, .warning])
        let found = findings(matches: ["/srv/a-backup"], roots: [place], user: nobody)
        #expect(states(found) == [.ok, .note])
        #expect(found.last?.text.contains(#"/srv/a-backup/x\012y and 1 more"#) == true)
    }

    @Test func otherNotes() {
        let path = bytes("/srv/f")
        #expect(states(findings(notes: [.notDirectory(path)])) == [.warning])
        #expect(states(findings(notes: [.unreadable(path, 13)])) == [.warning])
        #expect(states(findings(matches: ["/srv"], notes: [.nested(path, inside: bytes("/srv"))])) == [.ok, .note])
    }
}

@Suite struct DoctorLogTests {
    private func findings(
        path: String = "/mnt/backup/log", user: UserFacts = root, roots: [String] = [],
        _ change: (inout LogFacts) throws -> Void = { _ in }
    ) throws -> [Finding] {
        var directory = PlaceFacts(path: bytes("/mnt/backup"), kind: .directory)
        directory.mount = try disk()
        directory.space = FileSystemSpace(available: 50 * gigabyte, total: 100 * gigabyte)
        var facts = LogFacts(path: bytes(path), kind: .file, directory: directory, resolved: bytes(path))
        try change(&facts)
        let found = facts.findings(
            user: user,
            roots: RootFacts(file: [], patterns: [], roots: roots.map { RootFacts.Root(path: bytes($0)) }))
        expectWellFormed(found)
        return found
    }

    @Test func allIsWell() throws {
        #expect(try findings().map(\.text) == ["/mnt/backup/log (ext4, 50.0 GiB free)"])
        #expect(try states(findings { $0.kind = .missing }) == [.ok])
    }

    @Test func directories() throws {
        #expect(try states(findings { $0.directory.kind = .missing }) == [.problem])
        #expect(try states(findings { $0.directory.kind = .other }) == [.problem])
        #expect(try states(findings { $0.directory.kind = .unknown(.permissionDenied) }) == [.warning])
    }

    @Test func kinds() throws {
        #expect(try states(findings { $0.kind = .symlink }) == [.problem])
        #expect(try states(findings { $0.kind = .other }) == [.problem])
    }

    @Test func writing() throws {
        func refused(_ user: UserFacts, _ error: Errno = .permissionDenied, kind: LogFacts.Kind) throws -> [Finding] {
            try findings(user: user) {
                $0.kind = kind
                $0.refusal = kind == .file ? error : nil
                $0.directory.refusal = error
            }
        }
        var served = nobody
        served.hasService = true
        for kind in [LogFacts.Kind.file, .missing] {
            #expect(try states(refused(root, kind: kind)) == [.problem])
            #expect(try states(refused(nobody, kind: kind)) == [.problem])
            #expect(try states(refused(served, kind: kind)) == [.ok, .note])
            let readOnly = try refused(served, .readOnlyFileSystem, kind: kind)
            #expect(readOnly.map(\.state) == [.problem])
            #expect(readOnly.first?.remedy?.contains("mount -o remount,rw /mnt/backup") == true)
        }
    }

    @Test(
        arguments: [
            (1 << 20 - 1, 100 << 30, .problem), (1 << 20, 100 << 30, .warning), (900 << 20, 100 << 30, .warning),
            (1_100 << 20, 100 << 30, .ok), (99 << 20, 2 << 30, .warning), (101 << 20, 2 << 30, .ok),
            (60 << 20, 64 << 20, .warning),
        ] as [(Int64, Int64, Finding.State)])
    func space(available: Int64, total: Int64, state: Finding.State) throws {
        let found = try findings { $0.directory.space = FileSystemSpace(available: available, total: total) }
        #expect(states(found) == [state])
    }

    @Test func inodes() throws {
        let found = try findings { $0.directory.space?.availableFiles = 0 }
        #expect(states(found) == [.problem] && found[0].text.contains("inodes"))
    }

    @Test(
        arguments: [(true, nil, .ok), (false, nil, .problem), (nil, Errno.permissionDenied, .warning)]
            as [(Bool?, Errno?, Finding.State)])
    func requiredMounts(isMounted: Bool?, failure: Errno?, state: Finding.State) throws {
        let found = try findings {
            $0.requiredMount = LogFacts.RequiredMount(
                path: bytes("/mnt/backup"), isMounted: isMounted, failure: failure)
        }
        #expect(states(found) == [state])
    }

    @Test func aMountIsRecommendedWhereOneWouldBe() throws {
        let found = try findings { $0.directory.isOnRootFileSystem = true }
        #expect(states(found) == [.ok, .note])
        #expect(found.last?.remedy == #"set require_mount = "/mnt/backup" in [log]"#)
        let elsewhere = try findings(path: "/var/log/changes.log") { $0.directory.isOnRootFileSystem = true }
        #expect(states(elsewhere) == [.ok])
    }

    @Test func insideARoot() throws {
        #expect(try states(findings(roots: ["/mnt/backup"])) == [.ok, .note])
        #expect(try states(findings(roots: ["/mnt/back"])) == [.ok])
    }
}

@Suite struct DoctorStoreTests {
    private func findings(
        _ contents: StoreFacts.Contents = .none, kind: PlaceFacts.Kind = .directory, type: String = "ext4",
        available: Int64 = 50 * gigabyte, entries: Int = 0, refusal: Errno? = nil
    ) throws -> [Finding] {
        var place = PlaceFacts(path: bytes("/var/lib/nfs-changes"), kind: kind)
        var above = PlaceFacts(path: bytes("/var/lib"), kind: .directory)
        (above.mount, above.refusal) = (try disk("/", type: type), refusal)
        above.space = FileSystemSpace(available: available, total: 100 * gigabyte)
        if kind == .directory { (place.mount, place.space, place.refusal) = (above.mount, above.space, refusal) }
        let facts = StoreFacts(
            directory: place, above: above, contents: contents,
            count: DirectoryCount(directories: 0, entries: entries), maxSize: gigabyte)
        let found = facts.findings(user: root)
        expectWellFormed(found)
        return found
    }

    @Test func places() throws {
        #expect(try states(findings()) == [.ok])
        #expect(try states(findings(kind: .missing)) == [.ok])
        #expect(try states(findings(kind: .missing, refusal: .permissionDenied)) == [.problem])
        #expect(try states(findings(kind: .other)) == [.problem])
        #expect(try states(findings(.hidden, kind: .unknown(.permissionDenied))) == [.note])
        #expect(try states(findings(.hidden)) == [.note])
        #expect(try states(findings(type: "nfs4")) == [.problem])
        #expect(try states(findings(kind: .missing, type: "cifs")) == [.problem])
    }

    @Test func contents() throws {
        let overview = StoreOverview(directories: 3, historySize: 10 << 20)
        #expect(
            try findings(.overview(overview)).map(\.text) == [
                "/var/lib/nfs-changes: 3 directories, 10.0 MiB of history (ext4, 50.0 GiB free)"
            ])
        let reasons: [(StoreError.Reason, Finding.State)] = [
            (.newerSchema(found: 9, known: 3), .problem), (.corrupt, .problem), (.busy, .note),
            (.inputOutput, .warning),
        ]
        for (reason, state) in reasons {
            let error = StoreError(reason: reason, operation: "opening", message: "why")
            #expect(try states(findings(.failure(error))) == [state])
        }
    }

    /// A new store needs its whole history and 87 bytes a file, an old one what its history may still grow by.
    @Test(
        arguments: [
            (nil, 0, gigabyte, .ok), (nil, 0, gigabyte - 1, .warning), (nil, 20_000_000, 2 * gigabyte, .warning),
            (nil, 20_000_000, 3 * gigabyte, .ok), (nil, 0, 1 << 20, .problem), (900 << 20, 0, 200 << 20, .ok),
            (100 << 20, 0, 200 << 20, .warning),
        ] as [(Int64?, Int, Int64, Finding.State)])
    func space(history: Int64?, entries: Int, available: Int64, state: Finding.State) throws {
        let contents = history.map { StoreFacts.Contents.overview(.init(directories: 1, historySize: $0)) } ?? .none
        #expect(try states(findings(contents, available: available, entries: entries)) == [state])
    }
}

@Suite struct DoctorSelfMountTests {
    @Test(
        arguments: [
            ("nfs4 192.0.2.7:/srv rw,addr=192.0.2.7", 6, 12, "Y", .warning),
            ("nfs4 192.0.2.7:/srv rw,addr=192.0.2.7", 6, 12, "N", .ok),
            ("nfs4 192.0.2.7:/srv rw,addr=192.0.2.7", 6, 12, nil, .note),
            ("nfs4 192.0.2.7:/srv rw,addr=192.0.2.7", 6, 1, nil, .note),
            ("nfs4 192.0.2.9:/srv rw,addr=192.0.2.9", 6, 12, "Y", .ok),
            ("nfs [::1]:/srv rw", 6, 18, "Y", .warning), ("nfs localhost:/srv rw", 6, 18, "Y", .warning),
            ("nfs thishost:/srv rw", 6, 18, "Y", .warning), ("nfs other:/srv rw", 6, 18, "Y", .ok),
            // The address is what counts, not the name that it was mounted by.
            ("nfs thishost:/srv rw,addr=192.0.2.9", 6, 18, "Y", .ok),
            ("nfs other:/srv rw,addr=127.0.0.1", 6, 18, "Y", .warning),
            ("ext4 /dev/sda1 rw", 6, 18, "Y", .ok),
        ] as [(String, Int, Int, String?, Finding.State)])
    func mounts(line: String, major: Int, minor: Int, parameter: String?, state: Finding.State) throws {
        let facts = SelfMountFacts(
            kernel: KernelVersion(major, minor),
            mounts: MountTable([try mount("30 1 0:50 / /mnt/own rw - \(line)")]),
            addresses: [try #require(NetworkAddress(text: "192.0.2.7".utf8))], hostName: bytes("thishost"),
            parameter: parameter?.utf8.first)
        expectWellFormed(facts.findings)
        #expect(states(facts.findings) == [state])
        guard state == .warning else { return }
        #expect(
            facts.findings[0].remedy?.contains("echo N > /sys/module/nfs/parameters/localio_enabled") == true)
    }
}
