import Glibc
import LinuxKernel
import Synchronization
import Testing

extension CopySystemTests {
    /// Nothing outside the source is read and nothing outside the target is written, whatever names there are and
    /// whatever is done to directories meanwhile.
    @Suite(.thorough, .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct SyncHostileTests {
        @Test(.timeLimit(.minutes(4)), arguments: Scale.pick([.local, .ssh], full: CopyWay.allCases))
        func everyNameArrivesAsItIs(_ way: CopyWay) throws {
            let place = try way.makeSite()
            let site = place.site
            let surroundings = try Surroundings(of: site)
            let root = site.site.root
            try site.start()
            try site.syncFully("--allow-deletes")
            for name in HostileNames.all {
                try Disk.makeDirectory(root / name)
                try Disk.write(root / name / name, name.bytes)
                try Disk.symlink("../" + name, at: root / name / "soft")
            }
            try site.syncFully(note: "made")
            try site.expectEqual(note: "made")
            for name in HostileNames.all {
                try Disk.append(root / name / name, [1])
                try Disk.link(root / name / name, root / name / "hard")
            }
            try site.syncFully(note: "changed and linked")
            try site.expectEqual(note: "changed and linked")
            for (index, name) in HostileNames.all.enumerated() {
                switch index % 3 {
                case 0: try Disk.removeTree(root / name)
                case 1: try Disk.rename(root / name, root / Path("renamed \(index)"))
                default: try Disk.unlink(root / name / name)
                }
            }
            try site.syncFully(note: "removed and renamed")
            try site.expectEqual(note: "removed and renamed")
            try surroundings.expectUnchanged()
        }

        /// No call by path reaches such a file: rsync cannot send it, and everything else arrives.
        @Test(.timeLimit(.minutes(2))) func aPathBeyondAllLimitsIsSetAside() throws {
            let site = try SyncSite()
            let root = site.site.root
            try site.start()
            try site.syncFully("--allow-deletes")
            let name = String(repeating: "n", count: 200)
            try require([
                "perl", "-e",
                #"chdir shift; for (1..25) { mkdir $ARGV[0]; chdir $ARGV[0] or die } open F, ">file"; print F "deep""#,
                root.string, name,
            ])
            try Disk.write(root / "other")
            let completed = try site.sync(atMost: 60)
            #expect(completed.status == .exited(1) && completed.errors.contains("quarantined"), "\(completed)")
            #expect(Disk.exists(site.copy / "a-backup/other"))
            try Disk.removeTree(root / Path(name))
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
        }

        /// A directory and a symlink to a place outside take turns under one name, thousands of times a second.
        @Test(
            .timeLimit(.minutes(5)),
            arguments: Scale.pick([.ssh], full: CopyWay.allCases).filter { $0 != .daemon || Privilege.isRoot })
        func aSwappedDirectoryLeaksNothing(_ way: CopyWay) throws {
            let place = try way.makeSite()
            let site = place.site
            let root = site.site.root
            let outside = site.site.scratch.path / "private"
            try Disk.makeDirectory(outside)
            try Disk.makeDirectory(root / "d")
            // Outside there is what inside there is, so that a swap at any moment finds something to read or to write.
            for index in 0..<40 {
                try Disk.write(outside / Path("f\(index)"), Array("secret \(index)".utf8))
                try Disk.write(root / Path("d/f\(index)"), Array("public \(index)".utf8))
            }
            try Disk.changeMode(outside, 0o777)
            try Disk.symlink(outside, at: root / "swapped")
            let surroundings = try Surroundings(of: site)
            try site.start()
            try site.syncFully("--allow-deletes")
            let swapping = Swapping(root / "d", root / "swapped")
            for round in 0..<Scale.pick(4, full: 60) {
                swapping.pauseDuring {
                    let directory = root / ((try? Disk.status(root / "d").isDirectory) == true ? "d" : "swapped")
                    for index in 0..<40 where index % 5 == round % 5 {
                        try? Disk.write(directory / Path("f\(index)"), Array("public \(index) \(round)".utf8))
                    }
                }
                _ = try site.sync("--allow-deletes", atMost: 60)
                try expectNoSecret(in: site.copy, note: "round \(round)")
            }
            let count = swapping.stop()
            #expect(count > Scale.pick(100, full: 1_000), "\(count) swaps")
            // What was set aside while it was never there is due again.
            _ = try site.sync("resume")
            try site.syncFully("--allow-deletes")
            try site.expectEqual()
            try expectNoSecret(in: site.copy, note: "at the end")
            for index in 0..<40 { #expect(try Disk.read(outside / Path("f\(index)")) == Array("secret \(index)".utf8)) }
            try surroundings.expectUnchanged()
        }

        private func expectNoSecret(in copy: Path, note: String) throws {
            // grep follows no symlinks with -r.
            let found = try run(["grep", "-rl", "secret", copy.string])
            #expect(found.status == .exited(1), "\(note): \(String(decoding: found.output, as: UTF8.self))")
        }
    }
}

/// Everything beside a source and a copy: what is there, with its content.
private struct Surroundings {
    private let places: [Path]
    private let before: [Path: [UInt8]]

    init(of site: SyncSite) throws {
        places = [site.site.outside, site.site.scratch.path / "private", site.copy.parent]
        before = try Self.look(places, copy: site.copy)
        copy = site.copy
    }

    private let copy: Path

    private static func look(_ places: [Path], copy: Path) throws -> [Path: [UInt8]] {
        // The site's own files beside a local copy come and go.
        let own: Set<Path> = ["srv", "state", "log", "sync", "sync.out", "sync.err", ".nfs-changes-partial"]
        let listing = try Listing(places) { path in
            path == copy || path.parent == copy.parent && own.contains(path.name)
        }
        return try listing.entries.filter { $0.value.mode & S_IFMT == S_IFREG }
            .reduce(into: [:]) { $0[$1.key] = try Disk.read($1.key) }
    }

    func expectUnchanged(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let now = try Self.look(places, copy: copy)
        let changed = Set(now.keys).union(before.keys).filter { now[$0] != before[$0] }
        // What the tracker and the servers write for themselves.
        let strange = changed.filter { !$0.name.string.hasPrefix("tracker") && !$0.string.contains("/changes-") }
        #expect(strange.isEmpty, "beside the copy: \(strange.sorted())", sourceLocation: sourceLocation)
    }
}

/// Two names that take turns, on a thread of its own, until it is stopped.
private final class Swapping: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let isHeld = Atomic<Bool>(false)
    private let isAtRest = Atomic<Bool>(false)
    private let isOver = Atomic<Bool>(false)
    private let count = Atomic<Int>(0)
    private let thread = Mutex<KernelThread?>(nil)

    init(_ one: Path, _ other: Path) {
        let thread = KernelThread(name: "swapping") { [self] in
            while !isStopped.load(ordering: .acquiring) {
                if isHeld.load(ordering: .acquiring) {
                    isAtRest.store(true, ordering: .releasing)
                    pause(milliseconds: 1)
                    continue
                }
                isAtRest.store(false, ordering: .releasing)
                try? Disk.exchange(one, other)
                count.add(1, ordering: .relaxed)
                // Slow enough that the tracker keeps up, fast enough to come between any two calls of rsync's.
                if count.load(ordering: .relaxed) % 8 == 0 { pause(milliseconds: 1) }
            }
            isOver.store(true, ordering: .releasing)
        }
        self.thread.withLock { $0 = thread }
    }

    /// Nothing is swapped meanwhile.
    func pauseDuring(_ body: () -> Void) {
        isHeld.store(true, ordering: .releasing)
        _ = wait(atMost: 5, every: 1) { isAtRest.load(ordering: .acquiring) }
        body()
        isAtRest.store(false, ordering: .releasing)
        isHeld.store(false, ordering: .releasing)
    }

    /// - Returns: how many swaps there were.
    func stop() -> Int {
        isStopped.store(true, ordering: .releasing)
        _ = wait(atMost: 5, every: 1) { isOver.load(ordering: .acquiring) }
        return count.load(ordering: .relaxed)
    }
}
