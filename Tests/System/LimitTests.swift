import Glibc
import LinuxKernel
import Testing

extension LogSystemTests {
    /// What an ordinary user may not read, and what the kernel does not grant.
    @Suite struct LimitTests {
        private static let user: uid_t = 65_534

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.isRoot, "needs root to run as somebody else"))
        func unreadableDirectoriesAreReportedOnce() throws {
            let copy = try Scratch()
            try require(["cp", Tracker.binary, (copy.path / "changes").string])
            let site = try Site { settings, scratch in
                settings.wrapper = ["setpriv", "--reuid=\(Self.user)", "--regid=\(Self.user)", "--clear-groups", "--"]
            }
            let secret = site.root / "secret"
            try Disk.makeDirectory(secret, mode: 0o700)
            try Disk.write(secret / "unseen")
            try Disk.makeDirectory(site.root / "open")
            for path in [site.root, site.root / "open", site.scratch.path / "state", site.scratch.path / "log"] {
                try Disk.changeOwner(path, Self.user, Self.user)
            }
            try site.start()
            for number in 0..<50 {
                try Disk.write(site.root / Path("open/\(number)"))
                try Disk.write(secret / Path("\(number)"))
            }
            try Disk.write(site.root / "last")
            let isSeen = try wait(atMost: 10) {
                try site.collect()
                return (0..<50).allSatisfy { site.recorded.logged.contains(site.root / Path("open/\($0)")) }
                    && site.recorded.logged.contains(site.root / "last")
            }
            #expect(isSeen, "\(site.diagnosis)")
            let reports = site.tracker.errors.split(separator: "\n").filter { $0.contains(secret.string) }
            #expect(reports.count == 1, "\(site.diagnosis)")

            // Made readable, it is tracked like the rest.
            try Disk.changeOwner(secret, Self.user, Self.user)
            let isFound = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.logged.contains(secret / "49")
            }
            #expect(isFound, "\(site.diagnosis)")
            site.tracker.stop()
        }

        /// What cannot be looked into is recorded as it is known, and holds nothing else up.
        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.isRoot, "needs root to run as somebody else"))
        func aRenamedDirectoryWithAnUnreadableOne() throws {
            let copy = try Scratch()
            try require(["cp", Tracker.binary, (copy.path / "changes").string])
            let site = try Site { settings, scratch in
                settings.wrapper = ["setpriv", "--reuid=\(Self.user)", "--regid=\(Self.user)", "--clear-groups", "--"]
            }
            try Disk.makeDirectory(site.root / "old")
            try Disk.makeDirectory(site.root / "old/secret")
            try Disk.write(site.root / "old/secret/file")
            for path in [site.root, site.root / "old", site.scratch.path / "state", site.scratch.path / "log"] {
                try Disk.changeOwner(path, Self.user, Self.user)
            }
            try site.start()
            try Disk.changeMode(site.root / "old/secret", 0o700)
            try site.expectComplete()
            try Disk.rename(site.root / "old", site.root / "new")
            try site.expectComplete()
            for number in 0..<5 {
                try Disk.write(site.root / Path("lone-\(number)"))
                let began = MonotonicTime.now
                let isLogged = try wait(atMost: 5, every: 2) {
                    try site.log.refresh()
                    return site.log.lines.contains(site.root / Path("lone-\(number)"))
                }
                #expect(isLogged && MonotonicTime.now - began < 400_000_000, "\(MonotonicTime.now - began) ns")
            }
            site.tracker.stop()
        }

        /// Without a watch where roots may appear, the poll finds them.
        @Test(
            .timeLimit(.minutes(1)), .enabled(if: Privilege.canMakeUserNamespace, "needs unprivileged user namespaces"))
        func rootsAppearWithoutAnyWatch() throws {
            let site = try Site { settings, _ in
                settings.wrapper = [
                    "unshare", "-Ur", "sh", "-c",
                    "echo 0 >/proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"",
                ]
                settings.pollInterval = "1s"
            }
            try site.start()
            #expect(site.tracker.notify.status.contains("polled for new roots"), "\(site.tracker.notify.status)")
            try Disk.makeDirectory(site.base / "late-backup")
            try Disk.write(site.base / "late-backup/file")
            let isFound = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.logged.contains(site.base / "late-backup/file")
            }
            #expect(isFound, "\(site.diagnosis)")
            site.tracker.stop()
        }

        @Test(
            .timeLimit(.minutes(2)), .enabled(if: Privilege.canMakeUserNamespace, "needs unprivileged user namespaces"))
        func directoriesWithoutAWatchArePolled() throws {
            let site = try Site { settings, _ in
                settings.wrapper = [
                    "unshare", "-Ur", "sh", "-c",
                    "echo 50 >/proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"",
                ]
                settings.pollInterval = "1s"
            }
            for number in 0..<500 { try Disk.makeDirectory(site.root / Path("d\(number)")) }
            try site.start()
            for number in 0..<500 { try Disk.write(site.root / Path("d\(number)/file")) }
            try site.expectComplete(atMost: 20, note: "(created)")
            for number in 0..<500 where number % 3 == 0 { try Disk.unlink(site.root / Path("d\(number)/file")) }
            for number in 0..<500 where number % 3 == 1 {
                try Disk.rename(site.root / Path("d\(number)"), site.root / Path("e\(number)"))
            }
            try site.expectComplete(atMost: 20, note: "(deleted and renamed)")
            let status = site.tracker.notify.status
            #expect(status.contains("max_user_watches") || status.contains("max_inotify_watches"), "\(status)")
            #expect(status.contains("sysctl"), "\(status)")
            site.tracker.stop()
        }
    }
}
