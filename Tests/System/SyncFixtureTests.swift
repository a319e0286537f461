import Glibc
import Testing

/// The instruments of the tests of `changes sync`. They need neither it nor a tracker.
extension SyncSystemTests {
    @Suite(.thorough) struct SyncFixtureTests {
        /// Ten seconds for the large file.
        private static let slow = "--bwlimit=2000"

        // MARK: Servers

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func rsyncOverSSHArrivesAsTheReceivers() throws {
            let trees = try CopiedTree()
            let server = try SSHServer()
            let line = ["rsync", "-aH", "-e", server.ssh] + CopyComparison.droppedOwnership
            let copied = try run(line + ["\(trees.source.string)/", server.remote(server.target) + "/"])
            #expect(copied.isSuccess && copied.errors.isEmpty, "\(copied)\n\(server.diagnosis)")
            let compared = try CopyComparison(
                trees.source, server.target, options: CopyComparison.droppedOwnership)
            #expect(compared.isEqual, "\(compared.differences)")
            #expect(try Disk.status(server.target / "file").st_uid == server.receiver.user)
            let asked = try server.execute("id -un")
            #expect(asked.output == Array("\(server.user)\n".utf8) && asked.errors.isEmpty, "\(asked)")
            #expect(server.diagnosis.contains("Accepted publickey for \(server.user)"), "\(server.diagnosis)")

            // With another key than the known one nobody talks to it.
            let other = server.scratch.path / "other"
            try SSHServer.makeKey(other)
            try Disk.write(
                server.knownHosts, Array("[127.0.0.1]:\(server.port) ".utf8) + Disk.read(other + ".pub"))
            #expect(try server.execute("true").status == .exited(255))
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aKeyCanBeRestricted() throws {
            let trees = try CopiedTree()
            let fake = try FakeRsync(in: trees.scratch.path / "bin", [.exits(5, saying: "no\n")])
            let server = try SSHServer(searchPath: fake.directory)
            func copy(to place: String) throws -> Completed {
                try run([
                    "rsync", "-a", "-e", server.ssh, "\(trees.source.string)/", "\(server.user)@127.0.0.1:\(place)",
                ])
            }
            #expect(try !copy(to: server.target.string).isSuccess)
            let call = try #require(try fake.calls().last, "\(server.diagnosis)")
            #expect(call.arguments.first == "--server" && call.arguments.last == server.target, "\(call)")

            try server.allow(keyOptions: SSHServer.restricted(to: server.target))
            let copied = try copy(to: "sub")
            #expect(copied.isSuccess, "\(copied)\n\(server.diagnosis)")
            #expect(Disk.exists(server.target / "sub/file"))
            #expect(try !server.execute("df").isSuccess)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func sessionsAreFrozenKilledAndOutliveTheirConnection() throws {
            let trees = try CopiedTree()
            try trees.addLargeFile()
            let server = try SSHServer()
            let line = [
                "rsync", "-a", Self.slow, "-e", server.ssh, "\(trees.source.string)/",
                server.remote(server.target) + "/",
            ]
            func launch() throws -> ChildProcess {
                for left in try Disk.names(of: server.target) { try Disk.removeTree(server.target / left) }
                let client = try ChildProcess(line)
                let isThere = try wait(atMost: 10) { try Disk.names(of: server.target).contains { $0.isPartial } }
                try #require(isThere, "\(server.diagnosis)")
                return client
            }
            /// What ssh and rsync make of a connection that ended under them, whoever sees it first.
            func expectFailure(_ client: ChildProcess, sourceLocation: SourceLocation = #_sourceLocation) {
                let status = client.waitForExit(atMost: 10)
                let isExpected = [.exited(10), .exited(12), .exited(255)].contains(status)
                #expect(isExpected, "\(status as Any)\n\(server.diagnosis)", sourceLocation: sourceLocation)
            }

            // A receiver that hangs outlives its client and its connection, and is still found.
            let first = try launch()
            #expect(try server.server.freezeSessions { $0.executable?.name != "sshd" } >= 2)
            #expect(first.isRunning)
            let connection = try ProcessTable().descendants(of: [first.pid])
            first.signal(SIGKILL)
            for process in connection { process.signal(SIGKILL) }
            let isCutOff = try wait(atMost: 10) {
                let left = try server.server.sessions()
                return !left.isEmpty && left.allSatisfy { $0.state == "T" }
            }
            #expect(isCutOff, "\(server.diagnosis)")
            server.server.thaw()
            #expect(try wait(atMost: 10) { try server.server.sessions().isEmpty }, "\(server.diagnosis)")

            // They go on without the server, until they are killed.
            let second = try launch()
            server.server.stopListening()
            #expect(try server.execute("true").status == .exited(255))
            #expect(second.isRunning)
            #expect(try server.server.killSessions() >= 3)
            expectFailure(second)
            try server.server.restart()
            #expect(try server.execute("true").isSuccess, "\(server.diagnosis)")

            try server.server.freeze()
            #expect(throws: TimedOut.self) { try server.execute("true", atMost: 0.3) }
            server.server.thaw()
            #expect(try server.execute("true").isSuccess)
            let third = try launch()
            let sessions = try server.server.sessions()
            server.server.stop()
            #expect(sessions.count >= 3 && sessions.allSatisfy { !$0.isStillAlive })
            expectFailure(third)
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"))
        func theDaemonServesItsModule() throws {
            let trees = try CopiedTree()
            let options = CopyComparison.droppedOwnership
            for daemon in [try RsyncDaemon(), try RsyncDaemon(user: "worker")] {
                let line = ["rsync", "-aH", "--password-file=\(daemon.passwordFile)"] + options
                let copied = try run(line + ["\(trees.source.string)/", daemon.url()])
                #expect(copied.isSuccess, "\(copied)\n\(daemon.diagnosis)")
                let compared = try CopyComparison(trees.source, daemon.target, options: options)
                #expect(compared.isEqual, "\(compared.differences)")
                let owner = try Disk.status(daemon.target / "file").st_uid
                #expect(try owner == Receiver.account().user)
            }
            let closed = try RsyncDaemon(user: "worker")
            let refused = try run(
                ["rsync", "-a", "\(trees.source.string)/", closed.url()], environment: ["RSYNC_PASSWORD": "wrong"])
            #expect(refused.status == .exited(5), "\(refused)\n\(closed.diagnosis)")

            try trees.addLargeFile()
            let client = try ChildProcess(
                ["rsync", "-a", Self.slow, "\(trees.source.string)/", closed.url()],
                environment: ["RSYNC_PASSWORD": RsyncDaemon.password])
            #expect(try wait(atMost: 10) { try Disk.names(of: closed.target).contains { $0.isPartial } })
            #expect(try closed.server.killSessions() >= 1)
            #expect([.exited(10), .exited(12)].contains(client.waitForExit(atMost: 10)))
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: PushGateway.obstacle == nil, "\(PushGateway.obstacle ?? "")"))
        func theGatewayTakesAPush() throws {
            let gateway = try PushGateway()
            let metrics = "backup_duration_seconds 1.5\n"
            let push = [
                "curl", "-fsS", "--data-binary", metrics, "\(gateway.url)/metrics/job/offsite/destination/nas",
            ]
            #expect(try run(push).isSuccess, "\(gateway.diagnosis)")
            let values = try gateway.values(of: "backup_duration_seconds")
            #expect(values == [#"destination="nas",instance="",job="offsite""#: 1.5], "\(values)")
            gateway.server.stop()
            #expect(throws: CommandFailed.self) { try gateway.lines() }
            try gateway.server.restart()
            #expect(try gateway.values(of: "backup_duration_seconds").isEmpty)
        }

        // MARK: What goes wrong

        @Test(.timeLimit(.minutes(1)), .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"))
        func theFakeDoesAsItIsTold() throws {
            let trees = try CopiedTree()
            let fake = try FakeRsync(
                in: trees.scratch.path / "bin", [.passes, .exits(23, saying: "it's \"bad\"\n")], for: "--files-from")
            func copy(_ options: String...) throws -> Completed {
                let line = ["rsync", "-a"] + options + ["--from0", "--files-from=-", "source", "copy"]
                return try run(
                    ["sh", "-c", #"printf './file\0./a\nb\0' | "$@""#, "sh"] + line, environment: fake.environment,
                    directory: trees.scratch.path)
            }
            #expect(try copy("--ignore-missing-args").isSuccess)
            #expect(Disk.exists(trees.copy / "file"))
            for _ in 0..<2 {
                let failed = try copy("--exclude=two words")
                #expect(failed.status == .exited(23) && failed.errors == "it's \"bad\"\n")
            }
            // Others are the real one's.
            #expect(try run([fake.program.string, "--version"]).output.starts(with: "rsync ".utf8))
            let calls = try fake.calls()
            #expect(calls.count == 3 && calls.allSatisfy { $0.names == ["./file", "./a\nb"] }, "\(calls)")
            #expect(calls.last?.arguments.dropFirst().first == "--exclude=two words")

            try trees.addLargeFile()
            try fake.behave([.dies(onceThereIs: trees.copy / ".part")])
            try Disk.makeDirectory(trees.copy / ".part")
            let line = [
                fake.program.string, "-a", "--temp-dir=.part", Self.slow, "--files-from=-", "source", "copy",
            ]
            let killed = try run(
                ["sh", "-c", #"echo large | exec "$@""#, "sh"] + line, directory: trees.scratch.path)
            #expect(killed.status == .exited(128 + SIGKILL))
            #expect(!Disk.exists(trees.copy / "large"))
        }

        @Test(
            .timeLimit(.minutes(1)),
            .enabled(if: NetworkPair.obstacle == nil, "\(NetworkPair.obstacle ?? "")"),
            .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aCutCableFailsATransfer() throws {
            let trees = try CopiedTree()
            try trees.addLargeFile()
            let pair = try NetworkPair()
            let server = try SSHServer(address: pair.far.address, wrapper: pair.far.wrapper)
            func line(_ options: String...) -> [String] {
                pair.near.wrapper + ["rsync", "-a", "-e", server.ssh] + options
                    + ["\(trees.source.string)/", server.remote(server.target) + "/"]
            }
            let client = try ChildProcess(line("--timeout=2", Self.slow))
            let isThere = try wait(atMost: 10) { try Disk.names(of: server.target).contains { $0.isPartial } }
            try #require(isThere, "\(server.diagnosis)")
            try pair.cut()
            #expect(client.waitForExit(atMost: 20) == .exited(30))
            try pair.restore()
            let copied = try run(line())
            #expect(copied.isSuccess, "\(copied)\n\(server.diagnosis)")
        }
    }
}

extension Path {
    /// A file that rsync has not renamed to its name yet: `.name.XXXXXX`.
    fileprivate var isPartial: Bool { string.hasPrefix(".large.") }
}
