import Testing

@testable import Offsite

/// Which of the listed paths rsync's messages name. The lines are those of rsync 3.1.2 to 3.5.0.
@Suite struct RsyncComplaintsTests {
    private func read(_ lines: String, _ list: [String], namesAncestors: Bool = false) -> RsyncComplaints {
        var complaints = RsyncComplaints(
            list.map { Array($0.utf8) }, tops: ["/srv/nfs", "/volume1/copy"].map { Array($0.utf8) },
            namesAncestors: namesAncestors)
        // Cut anywhere.
        for byte in lines.utf8 { complaints.take([byte]) }
        return complaints
    }

    private func names(_ paths: some Sequence<[UInt8]>) -> Set<String> {
        Set(paths.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test func `what vanished is told from what failed`() {
        let found = read(
            """
            file has vanished: "/srv/nfs/a/gone"
            rsync: [sender] link_stat "/srv/nfs/a/never" failed: No such file or directory (2)
            rsync: link_stat "/srv/nfs/a/old" failed: No such file or directory (2)
            rsync: [sender] send_files failed to open "/srv/nfs/a/closed": Permission denied (13)
            rsync: [receiver] mkstemp "/volume1/copy/.nfs-changes/tmp/long.Ab12Cd" failed: File name too long (36)
            rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]

            """, ["a/gone", "a/never", "a/old", "a/closed", "a/long", "a/fine"])
        #expect(names(found.vanished) == ["a/gone", "a/never", "a/old"])
        #expect(names(found.failed.keys) == ["a/closed", "a/long"])
        #expect(found.isExplained)
        #expect(found.failed[Array("a/closed".utf8)]?.contains("Permission denied") == true)
    }

    @Test func `other forms name their path too`() {
        let found = read(
            """
            ERROR: a/bad failed verification -- update discarded.
            rsync: [receiver] rename "/volume1/copy/.nfs-changes/tmp/x.aaaaaa" -> "a/x": Is a directory (21)
            rsync: [generator] link "/volume1/copy/b/1" => b/2 failed: Too many links (31)
            rsync: [generator] recv_generator: mkdir "/volume1/copy/d" failed: Permission denied (13)
            rsync: [sender] read errors mapping "/srv/nfs/a/q\\#"uote": Input/output error (5)
            rsync: [receiver] mkstemp "a/in a module" (in module) failed: Permission denied (13)
            rsync: [receiver] mkstemp "/jail/copy/.nfs-changes/tmp/jailed.aaaaaa" failed: Permission denied (13)
            rsync: [generator] recv_generator: mkdir "/jail/copy/e/f" failed: Permission denied (13)

            """, ["e/f", "e/jailed", "a/bad", "a/x", "b/1", "d", "a/q\\#\"uote", "a/in a module"])
        #expect(
            names(found.failed.keys).isSuperset(of: ["e/f", "e/jailed", "a/bad", "a/x", "b/1", "d", "a/in a module"]))
    }

    @Test func `what names no listed path leaves all in doubt`() {
        #expect(!read("rsync: connection unexpectedly closed\n", ["a"]).isExplained)
        #expect(!read("rsync: [sender] link_stat \"/srv/nfs/b\" failed: Permission denied (13)\n", ["a"]).isExplained)
        #expect(!read("", ["a"]).isExplained)
        // What others say is no complaint of rsync's.
        let found = read("** WARNING: something of ssh's\nfile has vanished: \"/srv/nfs/a\"\n", ["a"])
        #expect(found.isExplained)
    }

    @Test func `a deletion is blamed for what lies in it`() {
        let line = "rsync: [generator] delete_file: unlink(a/d/f) failed: Permission denied (13)\n"
        #expect(names(read(line, ["a/d", "a/e"], namesAncestors: true).failed.keys) == ["a/d"])
    }
}
