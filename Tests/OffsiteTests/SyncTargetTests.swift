import Testing

@testable import Offsite

@Suite struct SyncTargetTests {
    @Test(arguments: [
        (
            "Administrator@nas:/volume1/Backup/nfs",
            SyncTarget.ssh(user: "Administrator", host: "nas", path: "/volume1/Backup/nfs")
        ),
        ("nas.example.org:/a/", .ssh(user: nil, host: "nas.example.org", path: "/a")),
        ("u@[fe80::1]:/a", .ssh(user: "u", host: "[fe80::1]", path: "/a")),
        ("rsync://nas/module/path/", .daemon(user: nil, host: "nas", port: nil, path: "module/path")),
        ("rsync://u@[::1]:8730/m", .daemon(user: "u", host: "[::1]", port: 8730, path: "m")),
        ("/mnt/disk/copy", .local(path: "/mnt/disk/copy")),
    ])
    func targets(_ text: String, _ target: SyncTarget) throws {
        #expect(SyncTarget(parsing: text) == target)
        #expect(SyncTarget(parsing: target.text) == target)
    }

    @Test(arguments: [
        "", "/", "nas", "nas:relative", "nas:/", "-oProxyCommand=x:/a", "a b:/c", "nas:/a b", "nas:/a/../b",
        "nas:/$(x)",
        "rsync://nas", "rsync://nas/", "rsync://nas:0/m", "rsync://nas:x/m", "@nas:/a", "-u@nas:/a", "nas:/a//b", "./a",
        "nas::module/a", "u@-h:/a",
    ])
    func refused(_ text: String) { #expect(SyncTarget(parsing: text) == nil) }

    @Test func windowsMayGoPastMidnight() {
        let night = TimeWindow(start: 22 * 60, end: 7 * 60)
        #expect([22 * 60, 0, 7 * 60 - 1].allSatisfy(night.contains(minute:)))
        #expect(![7 * 60, 12 * 60, 22 * 60 - 1].contains { night.contains(minute: $0) })
        #expect(TimeWindow(start: 60, end: 60).contains(minute: 0))
    }
}
