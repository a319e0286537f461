import Glibc
import LinuxKernel
import Testing

extension CopySystemTests {
    /// Weeks of hard links of which one goes while another is sent: what is linked at the source is linked at the copy, and
    /// nothing that is there is sent again.
    @Suite struct SyncRotationTests {
        /// Four weeks of hard links to the same files, synced, and a fifth that is not.
        ///
        /// - Parameter names: of the weeks, in the order in which they were made.
        private func weeks(_ site: SyncSite, files: Int, named names: [String]) throws {
            let root = site.site.root
            try Disk.makeDirectory(root / Path(names[0]))
            for number in 0..<files {
                try Disk.write(
                    root / Path("\(names[0])/f\(number)"),
                    [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 20_000 + number))
            }
            for (week, before) in zip(names.dropFirst(), names).prefix(3) {
                try require(["cp", "-al", (root / Path(before)).string, (root / Path(week)).string])
            }
            try site.start()
            try site.syncFully()
            try require(["cp", "-al", (root / Path(names[3])).string, (root / Path(names[4])).string])
        }

        private func expectLinked(_ site: SyncSite, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try site.syncFully("--allow-deletes", sourceLocation: sourceLocation)
            let compared = try site.comparison()
            #expect(compared.isEqual, "\(compared.differences)", sourceLocation: sourceLocation)
            let usage = Double(compared.copyUsage) / Double(compared.sourceUsage)
            #expect(usage <= 1.02, "the copy takes \(usage) times the source's room", sourceLocation: sourceLocation)
        }

        @Test(
            .timeLimit(.minutes(1)),
            arguments: [["w1", "w2", "w3", "w4", "w5"], ["daily.4", "daily.3", "daily.2", "daily.1", "daily.0"]],
            [20, 200])
        func `a week that goes while the next is sent splits no link`(_ names: [String], _ files: Int) throws {
            let site = try SyncSite()
            try weeks(site, files: files, named: names)
            // The list is made, and rsync has not looked at it yet.
            let fake = try site.fake([.waits], for: files > 64 ? "--link-dest" : "--partial-dir")
            let worker = try site.launch(environment: fake.environment)
            try fake.waitForCall()
            try Disk.removeTree(site.site.root / Path(names[0]))
            try fake.release()
            #expect(worker.waitForExit(atMost: 30) == .exited(0), "\(site.errors)")
            #expect(!site.errors.contains("linked again") && !site.errors.contains("quarantined"), "\(site.errors)")
            let sent = Completed(status: .exited(0), output: [], errors: site.errors).bytesSent ?? .max
            #expect(sent < files * 20_000 / 20, "\(sent) bytes were sent: \(site.errors)")
            try expectLinked(site)
        }

        @Test(.timeLimit(.minutes(1)), arguments: [20, 200])
        func `links whose every listed name went are found and made again`(_ files: Int) throws {
            let site = try SyncSite()
            try weeks(site, files: files, named: ["w1", "w2", "w3", "w4", "w5"])
            // Another name, which no list has: the copy of it must not become a file of its own.
            let fake = try site.fake([.waits], for: files > 64 ? "--link-dest" : "--partial-dir")
            let worker = try site.launch(environment: fake.environment)
            try fake.waitForCall()
            for name in ["w1", "w3", "w4"] { try Disk.removeTree(site.site.root / Path(name)) }
            try fake.release()
            #expect(worker.waitForExit(atMost: 30) == .exited(0), "\(site.errors)")
            #expect(site.errors.contains("linked again: 20 files") == (files == 20), "\(site.errors)")
            try expectLinked(site)
        }

        @Test(.timeLimit(.minutes(1)))
        func `a directory that is renamed while its links are sent keeps them`() throws {
            let site = try SyncSite()
            try weeks(site, files: 100, named: ["w1", "w2", "w3", "w4", "w5"])
            let fake = try site.fake([.waits], for: "--link-dest")
            let worker = try site.launch(environment: fake.environment)
            try fake.waitForCall()
            try Disk.rename(site.site.root / "w5", site.site.root / "w6")
            try Disk.rename(site.site.root / "w4", site.site.root / "w0")
            try fake.release()
            #expect(worker.waitForExit(atMost: 30) != nil, "\(site.errors)")
            #expect(!site.errors.contains("quarantined"), "\(site.errors)")
            try expectLinked(site)
        }

        /// Half of what is sent vanishes between the tries: none of the other half is to blame.
        @Test(.timeLimit(.minutes(1))) func `files that vanish have no others quarantined`() throws {
            let site = try SyncSite()
            let root = site.site.root
            try site.start()
            try site.syncFully()
            for number in 0..<200 { try Disk.write(root / Path("f\(number)")) }
            let fake = try site.fake([.waits])
            let worker = try site.launch(environment: fake.environment)
            try fake.waitForCall()
            for number in stride(from: 0, to: 200, by: 2) { try Disk.unlink(root / Path("f\(number)")) }
            try fake.release()
            #expect(worker.waitForExit(atMost: 30) == .exited(0), "\(site.errors)")
            #expect(!site.errors.contains("quarantined"), "\(site.errors)")
            // A file whose creation and content the tracker recorded in two rows goes in a list of its own.
            let calls = try fake.calls().flatMap(\.names).filter { $0.name.string.hasPrefix("f") }
            let again = Dictionary(grouping: calls, by: \.string).filter { $1.count > 1 }.keys
            #expect(again.isEmpty, "sent twice: \(again.prefix(3))")
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
        }
    }

    /// A transfer that is cut in the middle of a large file that changed a little.
    @Suite(.enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct SyncResumeTests {
        private static let size = 24 << 20

        /// Changes a twentieth of a file, all over it.
        private func change(_ file: Path, seed: UInt8) throws {
            try Disk.withOpen(file, O_WRONLY) { descriptor in
                for offset in stride(from: 0, to: Self.size, by: 1 << 20) {
                    lseek(descriptor, off_t(offset + 4_000), SEEK_SET)
                    var random = SplitMix64(seed: UInt64(seed) << 32 | UInt64(offset))
                    let bytes = (0..<52_428).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                    try Disk.put(bytes, to: descriptor, file)
                }
            }
        }

        @Test(.thorough, .timeLimit(.minutes(2)), arguments: [SIGTERM, SIGKILL])
        func `a cut delta is resumed and costs no more than an uncut one`(_ signal: Int32) throws {
            let server = try SSHServer()
            let site = try SyncSite(over: server, more: "bandwidth = \"250kB/s\"")
            let file = site.site.root / "vm.raw"
            try require(["sh", "-c", "head -c \(Self.size) /dev/urandom >\(file)"])
            // It is there already, as the first copy would have brought it.
            try require(["sh", "-c", "cp -a \(site.site.root) \(site.copy) && chown -R \(server.user) \(site.copy)"])
            try site.start("--adopt")
            try site.syncFully("--allow-deletes")
            try change(file, seed: 1)
            let worker = try site.launch()
            let isHalf = wait(atMost: 30, every: 10) {
                ((try? Disk.names(of: site.copy / ".nfs-changes/tmp").map {
                    try Int(Disk.status(site.copy / ".nfs-changes/tmp" / $0).st_size)
                }.max()) ?? nil ?? 0) > Self.size / 2
            }
            try #require(isHalf, "\(site.errors)")
            if signal == SIGTERM {
                worker.signal(SIGTERM)
            } else {
                // The receiver of a host that went down keeps what it has where it was writing.
                try server.server.killSessions { $0.executable?.name == "rsync" }
            }
            _ = worker.waitForExit(atMost: 20)
            let resumed = try site.sync(atMost: 60)
            #expect(resumed.isSuccess, "\(resumed)")
            let sent = resumed.bytesSent ?? .max
            let changed = 24 * 52_428
            print("resumed after signal \(signal): \(sent) bytes sent for \(changed) that changed")
            #expect(Double(sent) < Double(changed) * 0.7, "\(resumed)")
            try site.expectEqual()
            try site.expectNoLeftovers()
        }
    }
}
