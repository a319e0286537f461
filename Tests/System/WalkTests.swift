import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// What happens while a start's walk is under way: the tree is large enough for the walk to take some time.
    @Suite struct WalkTests {
        private static let directories = 8_000

        @Test(.timeLimit(.minutes(3))) func nothingIsLostInTheMiddleOfAWalk() throws {
            let site = try Site()
            for number in 0..<Self.directories { try Disk.makeDirectory(site.root / Path("d\(number)")) }
            for name in ["tree", "tree/a", "tree/a/b"] { try Disk.makeDirectory(site.root / Path(name)) }
            for name in ["tree/f", "tree/a/f", "tree/a/b/f"] { try Disk.write(site.root / Path(name)) }
            for number in 0..<50 {
                try Disk.makeDirectory(site.root / Path("tree/\(number)"))
                try Disk.write(site.root / Path("tree/\(number)/file"))
            }
            try site.start()
            site.tracker.stop()
            try aDirectoryReplacedByItsCopy(site)
            try stops(site)
            try echoesInARenamedDirectory(site)
            try badReload(site)
            site.tracker.stop()
        }

        /// The copy's own directories are not known yet when it is decided what became of the old one's names.
        private func aDirectoryReplacedByItsCopy(_ site: Site) throws {
            try require(["cp", "-a", (site.root / "tree").string, (site.root / "copy").string])
            try Disk.removeTree(site.root / "tree")
            try Disk.rename(site.root / "copy", site.root / "tree")
            try site.tracker.start()
            try site.expectComplete(note: "(copied)")
            let deleted = site.history.rows.filter { $0.kind == "deleted" }
            #expect(deleted.isEmpty, "\(deleted.prefix(5))")
            site.tracker.stop()
        }

        /// A rename, and a stop before the walk is over: what is not recorded then, the next start finds.
        private func stops(_ site: Site) throws {
            var (old, new) = (site.root / "tree", site.root / "renamed")
            for signal in Scale.pick([SIGTERM, SIGKILL], full: [SIGTERM, SIGKILL, SIGTERM, SIGKILL]) {
                try waitForWalk(site)
                try Disk.rename(old, new)
                let status = site.tracker.notify.status
                _ = wait(atMost: 20, every: 1) { site.tracker.notify.status != status }
                site.tracker.signal(signal)
                _ = site.tracker.waitForExit(atMost: 10)
                try site.tracker.start()
                try site.expectComplete(atMost: 60, note: "(signal \(signal))")
                site.tracker.stop()
                swap(&old, &new)
            }
        }

        /// Hardlinks in a directory that was renamed while the tracker was down, some of them gone, all of them changed by
        /// another name: that is met in the middle of the walk.
        private func echoesInARenamedDirectory(_ site: Site) throws {
            func name(_ number: Int, _ directory: String) -> Path { site.root / Path("\(directory)/link\(number)") }
            try Disk.makeDirectory(site.root / "links")
            for number in 0..<400 {
                let own = site.root / Path("d\(number * 10)/own")
                try Disk.write(own)
                try Disk.link(own, name(number, "links"))
            }
            try site.tracker.start()
            site.tracker.stop()
            try site.begin()
            try Disk.rename(site.root / "links", site.root / "linked")
            for number in 0..<400 {
                if number % 2 == 0 { try Disk.unlink(name(number, "linked")) }
                try Disk.append(site.root / Path("d\(number * 10)/own"), Array("more".utf8))
            }
            try site.tracker.start()
            try site.expectComplete(note: "(links in a renamed directory)")
            site.tracker.stop()
        }

        /// A reload that fails does not make a tracker ready that is not.
        private func badReload(_ site: Site) throws {
            let good = try Disk.read(site.tracker.configuration)
            let ready = site.tracker.notify.count(of: "READY")
            try waitForWalk(site)
            try Disk.write(site.tracker.configuration, Array("[watch]\nroots = 5\n".utf8))
            site.tracker.signal(SIGHUP)
            let isTold = wait(atMost: 10, every: 1) { site.tracker.errors.contains("configuration has errors") }
            let isWalking = site.tracker.notify.status.contains("comparing")
            #expect(isTold && (!isWalking || site.tracker.notify.count(of: "READY") == ready))
            try Disk.write(site.tracker.configuration, good)
            let isReady = wait(atMost: 60) { site.tracker.notify.count(of: "READY") > ready }
            #expect(isReady, "\(site.diagnosis)")
            #expect(site.tracker.notify.status.contains("watching 1 root"), "\(site.tracker.notify.status)")
        }

        private func waitForWalk(_ site: Site) throws {
            let before = site.tracker.notify.count(of: "STATUS")
            try site.tracker.launch()
            let isWalking = wait(atMost: 20, every: 1) {
                site.tracker.notify.count(of: "STATUS") > before && site.tracker.notify.status.contains("comparing")
            }
            #expect(isWalking, "\(site.diagnosis)")
        }
    }
}
