import Glibc
import LinuxKernel
import Testing

extension CopySystemTests {
    /// Random operations on the source, before and during transfers, and a worker that is killed at random: whatever
    /// happened, the copy equals the source once a run has come to its end. A failure names its seed.
    ///
    /// Weeks of hard links rotate in a root of their own meanwhile, and the tracker is killed, too.
    @Suite struct SyncCampaignTests {
        private static let roots = ["a-backup", "b-backup", "weeks-backup"]

        @Test(.timeLimit(.minutes(30)), arguments: Scale.seeds(1, full: 12))
        func locally(_ seed: UInt64) throws {
            let site = try SyncSite(roots: Self.roots)
            try Self.run(site, seed: seed, rounds: Scale.pick(6, full: 90))
        }

        @Test(
            .thorough, .timeLimit(.minutes(60)), .enabled(if: Privilege.isRoot, "only root can keep owners"),
            arguments: Scale.seeds(1, full: 4))
        func locallyWithOwners(_ seed: UInt64) throws {
            let site = try SyncSite(roots: Self.roots, more: #"ownership = "keep""#)
            site.comparing = ["--numeric-ids"]
            try Self.run(site, seed: seed, rounds: Scale.pick(4, full: 60))
        }

        @Test(
            .thorough, .timeLimit(.minutes(60)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"),
            arguments: Scale.seeds(1, full: 8))
        func overSSH(_ seed: UInt64) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, roots: Self.roots)
            try Self.run(site, server.server, seed: seed, rounds: Scale.pick(5, full: 60))
        }

        @Test(
            .thorough, .timeLimit(.minutes(60)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"),
            arguments: Scale.seeds(1, full: 2))
        func overSSHWithARestrictedKey(_ seed: UInt64) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, isRestricted: true, roots: Self.roots)
            try Self.run(site, server.server, seed: seed, rounds: Scale.pick(3, full: 60))
        }

        @Test(
            .thorough, .timeLimit(.minutes(60)),
            .enabled(if: RsyncDaemon.obstacle == nil, "\(RsyncDaemon.obstacle ?? "")"),
            .enabled(if: Privilege.isRoot, "a daemon keeps symlinks as they are in a chroot only"),
            arguments: Scale.seeds(1, full: 4))
        func toADaemon(_ seed: UInt64) throws {
            let daemon = try RsyncDaemon()
            let site = try SyncSite(over: daemon, roots: Self.roots)
            try Self.run(site, daemon.server, seed: seed, rounds: Scale.pick(5, full: 60))
        }

        @Test(
            .thorough, .timeLimit(.minutes(60)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"),
            arguments: Scale.seeds(1, full: 2))
        func overSSHWithOwnersInAttributes(_ seed: UInt64) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, roots: Self.roots, more: #"ownership = "fake-super""#)
            site.comparing = ["--numeric-ids", "-M--fake-super"]
            try Self.run(site, server.server, seed: seed, rounds: Scale.pick(3, full: 60))
        }

        /// Rounds before this one make their operations only: `CHANGES_TEST_ROUND` replays a failure in a fraction of the
        /// time.
        private static let firstRound = Scale.environment("CHANGES_TEST_ROUND").flatMap { Int($0) } ?? 0

        private static func finish(_ rotation: ChildProcess, _ weeks: WeekRotation, _ note: String) throws {
            let status = rotation.waitForExit(atMost: 60)
            try #require(status == .exited(0), "the rotation failed \(note): \(weeks.errors)")
        }

        /// - Parameter server: what the copy is behind.
        static func run(_ site: SyncSite, _ server: Server? = nil, seed: UInt64, rounds: Int) throws {
            try site.start()
            let churn = Churn(seed: seed, roots: Array(site.site.roots.prefix(2)), outside: site.site.outside)
            let weeks = try WeekRotation(seed: seed, root: site.site.roots[2], scratch: site.site.scratch.path)
            var random = SplitMix64(seed: ~seed)
            for round in 0..<rounds {
                let note = "(seed \(seed), round \(round))"
                let first = churn.steps.count
                let isMeant = round >= firstRound
                var told = "no transfer was cut off"
                for _ in 0..<Int.random(in: 1...60, using: &random) { try churn.step() }
                // The rotation goes on while a transfer is planned and made, or all of it comes before.
                let isPaced = Bool.random(using: &random)
                let rotation = try weeks.launch(isPaced: isPaced)
                if !isPaced { try Self.finish(rotation, weeks, note) }
                // Some transfers run while the source changes, and something of them is killed.
                if Int.random(in: 0..<3, using: &random) > 0 {
                    let worker = isMeant ? try site.launch() : nil
                    let during = churn.steps.count
                    let victim = Victim.allCases.randomElement(using: &random)!
                    for _ in 0..<Int.random(in: 0...60, using: &random) {
                        try churn.step()
                        let length = Int.random(in: 0...(server == nil ? 3 : 10), using: &random)
                        if isMeant { pause(milliseconds: length) }
                    }
                    if let worker {
                        told =
                            "\(victim) was killed after step \(churn.steps.count), the transfer began after \(during)"
                        try victim.kill(worker, server)
                        let status = worker.waitForExit(atMost: 60)
                        // One that dies by itself would be made good by the next.
                        let isWell =
                            switch status {
                            case .exited(let code): [0, 1, 75].contains(code)
                            case .signalled(let number): number == SIGKILL
                            case nil: false
                            }
                        #expect(isWell, "the worker ended with \(String(describing: status)): \(told) \(note)")
                        told += "; it ended with \(String(describing: status))"
                    }
                    for _ in 0..<Int.random(in: 0...10, using: &random) { try churn.step() }
                }
                if Int.random(in: 0..<6, using: &random) == 0 {
                    // What it has read and not recorded goes with it.
                    site.site.tracker.kill9()
                    told += "; the tracker was killed after step \(churn.steps.count)"
                    for _ in 0..<Int.random(in: 0...20, using: &random) { try churn.step() }
                    try site.site.tracker.start()
                }
                if isPaced { try Self.finish(rotation, weeks, note) }
                guard isMeant else {
                    churn.settle()
                    continue
                }
                try site.syncFully("--allow-deletes", note: note)
                let compared = try site.comparison()
                var differences = compared.differences
                // A file in the copy that should be a link takes room of its own.
                if compared.copyUsage > compared.sourceUsage + compared.sourceUsage / 50 + 65_536 {
                    differences.append("the copy takes \(compared.copyUsage) bytes, the source \(compared.sourceUsage)")
                }
                if !differences.isEmpty {
                    let steps = churn.steps[first...].map { "\($0.index) \($0.operation) \($0.present) \($0.gone)" }
                    try site.site.collect()
                    let rows = site.site.newRows.filter { row in
                        differences.contains { $0.contains(row.path.name.string) }
                    }
                    let lines =
                        Array(differences.prefix(20)) + [told, site.errors] + steps
                        + rows.map { "row \($0.sequence) \($0.kind) \($0.path) \($0.from.map { "from \($0)" } ?? "")" }
                    Issue.record("\(note)\n\(lines.joined(separator: "\n"))")
                    return
                }
                try site.site.begin()
                churn.settle()
                if Scale.isFull {
                    // For whoever waits for a long run.
                    print("equal", site.copy, note)
                    fflush(nil)
                }
            }
        }
    }
}

/// What of a running transfer is killed.
private enum Victim: CaseIterable {
    case nothing, worker, sender, ssh, receiver, sessions

    /// - Parameter server: what the copy is behind; nil: the receiver is a child of the sender's.
    func kill(_ worker: ChildProcess, _ server: Server?) throws {
        switch self {
        case .nothing: break
        case .worker: worker.signal(SIGKILL)
        case .sender, .ssh:
            let name: Path = self == .ssh && server != nil ? "ssh" : "rsync"
            let table = try ProcessTable()
            for process in table.descendants(of: [worker.pid]) where process.executable?.name == name {
                process.signal(SIGKILL)
            }
        case .receiver: try server?.killSessions { $0.executable?.name == "rsync" }
        case .sessions: try server?.killSessions()
        }
    }
}
