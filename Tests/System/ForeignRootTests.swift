import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Roots where inotify does not see what others do.
    @Suite struct ForeignRootTests {
        private static let words = "changes made by others are invisible"

        @Test(.timeLimit(.minutes(1)), .enabled(if: Privilege.canMount, "\(Privilege.needsMount)"))
        func theyAreRefusedWithTheReason() throws {
            let site = try Site(roots: ["a-backup", "net-backup"])
            let mounted = try AutomountPoint(at: site.base / "net-backup")
            try site.start()
            let status = site.tracker.notify.status
            #expect(status.contains("watching 1 root,"), "\(status)")
            #expect(status.contains("net-backup is on a network or user-space file system"), "\(status)")
            #expect(status.contains(Self.words) && status.contains("run the tracker on the file server"), "\(status)")
            let lines = site.tracker.errors.split(separator: "\n").filter { $0.contains(Self.words) }
            #expect(lines.count == 1 && lines[0].contains("net-backup"), "\(site.diagnosis)")

            // The others are tracked as ever.
            try Disk.write(site.roots[0] / "file")
            let isSeen = try wait(atMost: 10) {
                try site.collect()
                return site.recorded.logged.contains(site.roots[0] / "file")
            }
            #expect(isSeen, "\(site.diagnosis)")
            site.tracker.stop()
            withExtendedLifetime(mounted) {}
        }
    }
}
