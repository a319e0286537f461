import Glibc
import Testing

@testable import LinuxKernel

@Suite("The mount table")
struct MountTableTests {
    private func table(_ text: String) -> MountTable { MountTable(text: Array(text.utf8)) }

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test("a line has the fields of proc(5), with escapes taken out")
    func fields() throws {
        let entries = table(
            """
            36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue
            40 36 0:50 / /mnt\\0402/a\\011b\\012c\\134040 ro,relatime - fuse.sshfs user@host:/x\\043y rw

            """
        ).entries
        try #require(entries.count == 2)
        #expect(
            entries[0]
                == MountEntry(
                    mountID: 36, parentID: 35, device: 98 << 32, root: Array("/mnt1".utf8),
                    mountPoint: Array("/mnt 2".utf8), fileSystemType: Array("ext3".utf8),
                    options: Array("rw,noatime".utf8), source: Array("/dev/root".utf8),
                    fileSystemOptions: Array("rw,errors=continue".utf8)))
        #expect(text(entries[1].mountPoint) == "/mnt 2/a\tb\nc\\040")
        #expect(text(entries[1].source) == "user@host:/x#y")
        #expect(!entries[0].isReadOnly && entries[1].isReadOnly)
    }

    @Test("odd lines are left out, odd fields taken as they are")
    func oddLines() {
        let entries = table(
            """
            1 2 0:3 / /ok rw - tmpfs  rw
            1 2 0:3 / /no-dash rw shared:1 tmpfs none rw
            x 2 0:3 / /no-number rw - tmpfs none rw
            99999999999999999999 2 0:3 / /too-large rw - tmpfs none rw
            1 2 3 / /no-device rw - tmpfs none rw
            1 2 0:3 / relative rw - tmpfs none rw

            1 2
            4 2 0:3 / /bad\\9escape\\ rw - tmpfs none\\777
            """
        ).entries
        #expect(entries.map { text($0.mountPoint) } == ["/ok", "/bad\\9escape\\"])
        #expect(entries[0].source.isEmpty && text(entries[0].fileSystemOptions) == "rw")
        #expect(text(entries[1].source) == "none\\777" && entries[1].fileSystemOptions.isEmpty)
    }

    @Test("the covering mount is the one that a lookup ends in")
    func covering() {
        let mounts = table(
            """
            20 1 8:1 / / rw - ext4 root rw
            21 20 8:2 / /srv rw - ext4 srv rw
            22 21 8:3 / /srv/nfs rw - xfs nfs rw
            23 20 8:4 / /data rw - ext4 data rw
            24 23 8:5 / /data/old rw - ext4 hidden rw
            25 23 8:6 / /data rw - ext4 over rw
            """)
        func source(_ path: String) -> String? { text(mounts.entry(covering: Array(path.utf8))?.source) }
        #expect(source("/") == "root")
        #expect(source("/srvx") == "root")
        #expect(source("/srv") == "srv")
        #expect(source("/srv/nfs-other") == "srv")
        #expect(source("/srv/nfs/a/b") == "nfs")
        #expect(source("/data") == "over")
        #expect(source("/data/old/file") == "over")
        #expect(table("22 21 8:3 / /srv rw - xfs nfs rw").entry(covering: Array("/data".utf8)) == nil)
    }

    @Test("a table whose parents go round in a circle ends the search")
    func circle() {
        let mounts = table(
            """
            1 1 8:1 / / rw - ext4 root rw
            2 3 8:1 / / rw - ext4 a rw
            3 2 8:1 / / rw - ext4 b rw
            4 1 8:1 / / rw - ext4 top rw
            1 4 8:1 / / rw - ext4 again rw
            """)
        #expect(mounts.entry(covering: Array("/x".utf8)) != nil)
    }

    @Test("mount points below a path")
    func under() {
        let mounts = table(
            """
            20 1 8:1 / / rw - ext4 root rw
            21 20 8:2 / /srv rw - ext4 a rw
            22 21 8:3 / /srv/nfs rw - xfs b rw
            23 20 8:4 / /srv-other rw - ext4 c rw
            """)
        func points(_ path: String) -> [String?] {
            mounts.mountPoints(under: Array(path.utf8)).map { text($0.mountPoint) }
        }
        #expect(points("/srv") == ["/srv", "/srv/nfs"])
        #expect(points("/srv/nfs/x") == [])
        #expect(points("/").count == 4)
    }

    @Test("differences name what came, went and changed")
    func difference() throws {
        let old = table(
            """
            20 1 8:1 / / rw - ext4 root rw
            21 20 8:2 / /remounted rw - ext4 a rw
            22 20 8:3 / /gone rw - xfs b rw
            23 20 8:4 / /reused rw - xfs c rw
            24 20 8:5 / /moved rw - xfs d rw
            """)
        let new = table(
            """
            20 1 8:1 / / rw - ext4 root rw
            21 20 8:2 / /remounted ro - ext4 a rw
            23 20 8:7 / /reused rw - xfs e rw
            24 20 8:5 / /here rw - xfs d rw
            25 20 8:8 / /new rw - xfs f rw
            """)
        #expect(
            new.difference(from: old) == [
                .unmounted(old.entries[2]), .unmounted(old.entries[3]),
                .changed(from: old.entries[1], to: new.entries[1]), .mounted(new.entries[2]),
                .changed(from: old.entries[4], to: new.entries[3]), .mounted(new.entries[4]),
            ])
        #expect(new.difference(from: new).isEmpty)
    }

    @Test("the real table is read again and again from one descriptor")
    func realFile() throws {
        let file = try MountTable.open()
        let first = try MountTable.read(file.number)
        #expect(!first.entries.isEmpty)
        // Every line is understood.
        let lines = try file.readToEnd().split(separator: UInt8(ascii: "\n"))
        #expect(lines.allSatisfy { MountEntry(line: $0) != nil })
        #expect(try !MountTable.read(file.number).entries.isEmpty)
    }

    @Test("a mount and an umount are events, and differences", .enabled(if: Mounting.isPossible, "needs root"))
    func events() throws {
        let place = try TemporaryDirectory()
        let point = place.directory("a b")
        let file = try MountTable.open()
        let poll = try EventPoll()
        try poll.add(file.number, for: .priority, tag: 1)
        var table = try MountTable.read(file.number)

        /// Waits for the event that brings a change at our mount point; other tests mount as well.
        func nextChange() throws -> MountChange? {
            for _ in 0..<100 {
                let ready = try poll.wait(milliseconds: 10_000)
                guard ready.first?.ready.contains(.priority) == true else { return nil }
                let new = try MountTable.read(file.number)
                defer { table = new }
                for change in new.difference(from: table) {
                    switch change {
                    case .mounted(let entry), .unmounted(let entry), .changed(_, let entry):
                        if entry.mountPoint == point { return change }
                    }
                }
            }
            return nil
        }

        try #require(system("mount -t tmpfs none '\(place.path)/a b'") == 0)
        defer { _ = system("umount '\(place.path)/a b' 2>/dev/null") }
        guard case .mounted(let mounted) = try nextChange() else {
            Issue.record("the mount was not seen")
            return
        }
        #expect(text(mounted.fileSystemType) == "tmpfs")
        #expect(table.entry(covering: point + Array("/file".utf8)) == mounted)
        #expect(table.mountPoints(under: place.bytes) == [mounted])
        let opened = try OwnedDescriptor.openDirectory(point, access: .look)
        #expect(try FileStatus.of(descriptor: opened.number).device == mounted.device)

        try #require(system("mount -o remount,ro '\(place.path)/a b'") == 0)
        guard case .changed(_, let remounted) = try nextChange() else {
            Issue.record("the remount was not seen")
            return
        }
        #expect(remounted.isReadOnly)
    }
}
