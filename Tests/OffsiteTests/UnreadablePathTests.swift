import Testing

@testable import Offsite

@Suite struct UnreadablePathTests {
    private func parse(_ line: String) -> UnreadablePath? { UnreadablePath(parsing: Array(line.utf8)) }

    @Test func `a path that cannot be read is named with its reason`() throws {
        let new = try #require(parse(#"rsync: [sender] opendir "/srv/nfs/a b" failed: Permission denied (13)"#))
        #expect(new.path == Array("/srv/nfs/a b".utf8) && new.reason == "Permission denied (13)")
        let old = try #require(parse(##"rsync: opendir "/d/\#012"x" failed: Input/output error (5)"##))
        #expect(old.path == Array("/d/\n\"x".utf8) && old.reason == "Input/output error (5)")
        let stat = try #require(
            parse(#"rsync: [generator] recv_generator: failed to stat "/d/x": Permission denied (13)"#))
        #expect(stat.path == Array("/d/x".utf8) && stat.reason == "Permission denied (13)")
        let daemon = try #require(parse(#"rsync: [sender] opendir "sub" (in module) failed: Permission denied (13)"#))
        #expect(daemon.path == Array("sub".utf8))
    }

    @Test(arguments: [
        #"rsync: [sender] link_stat "/srv/nfs/gone" failed: No such file or directory (2)"#,
        #"file has vanished: "/srv/nfs/gone""#, "rsync error: some files/attrs were not transferred (code 23)", "",
        "rsync: [sender] change_dir failed",
    ])
    func `what went meanwhile, and what is about no path, is none`(_ line: String) {
        #expect(parse(line) == nil)
    }

    @Test func `a place is told of once, and not what lies in it`() {
        let places: Set = ["/a", "/a/b", "/a/b/c", "/ab"].map { Uncompared(place: Array($0.utf8), reason: "r") }.asSet
        #expect(places.outermost.map { String(decoding: $0.place, as: UTF8.self) } == ["/a", "/ab"])
        let line = #"rsync: opendir "/a" failed: Permission denied (13)"# + "\n"
        #expect(UnreadablePath.all(in: Array((line + line).utf8)).count == 1)
    }
}

extension Array where Element: Hashable {
    fileprivate var asSet: Set<Element> { Set(self) }
}
