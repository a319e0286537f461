import Glibc
import LinuxKernel
import Testing

extension CommandSystemTests {
    /// Reading the store as others: nothing is made or changed, and nobody is held up.
    @Suite struct StoreReadingTests {
        /// Who reads: root, and one who is only in the group of the state directory.
        private enum Reader: CaseIterable, Sendable {
            case member, root

            var command: [String] {
                switch self {
                case .root: []
                case .member:
                    ["setpriv", "--reuid=65533", "--regid=\(StoreReadingTests.group)", "--clear-groups", "--"]
                }
            }
        }

        private static let group: gid_t = 65_534

        /// A site whose state directory is readable for a group, and a copy of the program for those who may not see
        /// where it was built.
        private func readableSite() throws -> (site: Site, binary: Path) {
            let site = try Site()
            try Disk.changeOwner(site.tracker.settings.state, 0, Self.group)
            try Disk.changeMode(site.tracker.settings.state, 0o2750)
            let binary = site.scratch.path / "changes"
            try require(["cp", Tracker.binary, binary.string])
            try Disk.changeMode(binary, 0o755)
            return (site, binary)
        }

        /// Everything that readers must leave as it is.
        private func contents(_ directory: Path) throws -> [Path: [UInt8]] {
            var contents: [Path: [UInt8]] = [:]
            for (path, entry) in try Listing([directory]).entries {
                let isFile = entry.mode & S_IFMT == S_IFREG
                contents[path] = Array("\(entry)\n".utf8) + (isFile ? try Disk.read(path) : [])
            }
            return contents
        }

        /// Reads as everybody, and expects to see `seen` and to leave no trace.
        ///
        /// - Parameter isQuiet: nobody else writes meanwhile.
        private func expectReadable(
            _ state: Path, _ binary: Path, seen: Path, isQuiet: Bool = true, note: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            for reader in Reader.allCases {
                let trace = Path(state.string + ".trace")
                defer { try? Disk.unlink(trace) }
                let before = try contents(state)
                let read = try run(
                    [
                        "strace", "-f", "-o", trace.string, "-e",
                        "trace=openat,open,creat,fcntl,flock,write,pwrite64,pwritev,ftruncate,fallocate,unlink,rename,mkdir",
                    ] + reader.command + [binary.string, "query", "--format", "paths", "--state", state.string])
                let text = String(decoding: read.output, as: UTF8.self)
                let comment: Comment = "\(note), as \(reader): \(read)"
                #expect(read.isSuccess && text.contains(seen.string + "\n"), comment, sourceLocation: sourceLocation)
                let calls = String(decoding: try Disk.read(trace), as: UTF8.self).split(separator: "\n")
                let locks = calls.filter { $0.contains("F_WRLCK") || $0.contains("LOCK_EX") }
                #expect(locks == [], comment, sourceLocation: sourceLocation)
                // Standard output and standard error are all that is written.
                let writes = calls.filter { call in
                    ["pwrite", "ftruncate(", "fallocate(", "unlink(", "rename(", "mkdir(", "creat("]
                        .contains { call.contains($0) }
                        || call.contains("write(") && !call.contains("write(1,") && !call.contains("write(2,")
                        || call.contains(state.string)
                            && ["O_RDWR", "O_WRONLY", "O_CREAT", "O_TRUNC"].contains { call.contains($0) }
                }
                #expect(writes == [], comment, sourceLocation: sourceLocation)
                if isQuiet {
                    let after = try contents(state)
                    #expect(Set(after.keys) == Set(before.keys), comment, sourceLocation: sourceLocation)
                    let changed = before.filter { after[$0.key] != $0.value }.keys.sorted()
                    #expect(changed == [], comment, sourceLocation: sourceLocation)
                }
            }
        }

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.isRoot, "needs root to run as somebody else"))
        func leavesNoTrace() throws {
            let (site, binary) = try readableSite()
            let state = site.tracker.settings.state
            let file = site.root / "file"
            try site.start()
            try Disk.write(file)
            try site.expectComplete()
            // The log's position and the second look are written behind the change.
            let isAtRest = try wait(atMost: 10, every: 300) {
                let before = try contents(state)
                pause(milliseconds: 300)
                return try contents(state) == before
            }
            #expect(isAtRest)
            try expectReadable(state, binary, seen: file, note: "running")
            let settled = try run(
                Reader.member.command + [binary.string, "query", "--settle", "--count", "--state", state.string])
            #expect(settled.isSuccess, "\(settled)")
            site.tracker.stop()
            try expectReadable(state, binary, seen: file, note: "stopped")

            try site.tracker.start()
            let late = site.root / "late"
            try Disk.write(late)
            try site.expectComplete()
            site.tracker.kill9()
            try expectReadable(state, binary, seen: late, note: "killed")

            let copy = site.scratch.path / "copy"
            try Disk.makeDirectory(copy, mode: 0o750)
            try Disk.changeOwner(copy, 0, Self.group)
            for name in ["store.db", "store.db-wal"] {
                try require(["cp", "--archive", (state / Path(name)).string, copy.string])
            }
            try expectReadable(copy, binary, seen: late, note: "copied without its shared memory")
            try Disk.unlink(state / "store.db-shm")
            try expectReadable(state, binary, seen: late, note: "without its shared memory")

            try site.tracker.start()
            site.tracker.stop()
            for name in ["store.db-shm", "store.db-wal"] { try Disk.unlink(copy / Path(name), ifThere: true) }
            try require(["cp", "--archive", (state / "store.db").string, copy.string])
            try expectReadable(copy, binary, seen: late, note: "the file alone")
        }

        /// A reader that began without shared memory, because no tracker ran, follows the tracker that starts.
        @Test(.timeLimit(.minutes(1))) func aTrackerThatStartsMeanwhileIsFollowed() throws {
            let site = try Site()
            try site.start()
            try Disk.write(site.root / "first")
            try site.expectComplete()
            site.tracker.stop()
            for name in ["store.db-shm", "store.db-wal"] {
                try Disk.unlink(site.tracker.settings.state / Path(name), ifThere: true)
            }
            let follower = try Follower(site)
            defer { follower.stop() }
            #expect(try follower.waits(for: site.root / "first"))
            try site.tracker.start()
            for number in 0..<20 {
                try Disk.write(site.root / Path("after-\(number)"))
                try #require(try follower.waits(for: site.root / Path("after-\(number)")), "\(follower.errors)")
            }
            site.tracker.stop()
        }

        /// The locks of a process that say up to where it reads in a write-ahead log: on bytes 123 to 127 of a file
        /// (sqlite.org/walformat.html), as /proc/locks shows them.
        private func readMarks(of process: pid_t) throws -> [String] {
            let locks = String(decoding: try Disk.read("/proc/locks"), as: UTF8.self).split(separator: "\n")
            return locks.filter { lock in
                let fields = lock.split(separator: " ")
                guard fields.count > 7, let start = Int(fields[6]) else { return false }
                return fields[4] == "\(process)" && (123...127).contains(start)
            }.map(String.init)
        }

        /// One who asks and does not read the answer keeps nothing from being folded into the store's file.
        @Test(
            .timeLimit(.minutes(5)),
            arguments: [["--history"], ["--history", "--sort", "path"], ["--follow", "--since", "seq:0"]])
        func aParkedReaderHoldsNothingUp(arguments: [String]) throws {
            let site = try Site()
            for number in 0..<3_000 { try Disk.write(site.root / Path("file-with-a-rather-long-name-\(number)")) }
            try site.start()
            for number in 0..<3_000 {
                try Disk.append(site.root / Path("file-with-a-rather-long-name-\(number)"), [0x79])
            }
            _ = try site.query(["--settle", "--count"])
            // Nobody reads the pipe, which holds 64 KiB.
            let pipe = site.scratch.path / "pipe"
            try Disk.makeFIFO(pipe)
            let end = try Disk.check("open", pipe) { open($0, O_RDWR | O_CLOEXEC) }
            defer { close(end) }
            let parked = try ChildProcess(
                [Tracker.binary, "query", "--format", "json", "--state", site.tracker.settings.state.string]
                    + arguments, output: (pipe, "/dev/null"))
            defer { parked.signal(SIGKILL) }
            let log = site.tracker.settings.state / "store.db-wal"
            var largest: Int = 0
            let rounds = Scale.pick(2, full: 40)
            for _ in 0..<rounds {
                for number in 0..<3_000 {
                    try Disk.changeMode(
                        site.root / Path("file-with-a-rather-long-name-\(number)"), mode_t.random(in: 0o400...0o777))
                }
                _ = try site.query(["--settle", "--count"])
                largest = max(largest, Int(try Disk.status(log).st_size))
            }
            #expect(parked.isRunning)
            #expect(try readMarks(of: parked.pid) == [])
            #expect(largest < 32 << 20, "\(largest) bytes")
            print("\(arguments): the write-ahead log grew to \(largest) bytes")
            site.tracker.stop()
        }
    }
}
