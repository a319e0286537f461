import Testing

@testable import Offsite

@Suite struct DestinationMarkerTests {
    @Test func aMarkerSaysWhoseCopyItIs() {
        let marker = DestinationMarker(destination: "nas", machine: "0123", store: "uuid", cursor: 77)
        #expect(DestinationMarker(parsing: marker.text) == marker)
        let new = DestinationMarker(destination: "nas", machine: "0123")
        #expect(DestinationMarker(parsing: new.text) == new)
    }

    @Test(arguments: [
        "", "nfs-changes destination 2\n", "nfs-changes destination 1\n",
        "nfs-changes destination 1\ndestination a\nmachine b\nstore c\ncursor x\n",
        "nfs-changes destination 1\ndestination a\nmachine b\nstore c\ncursor -1\n",
        "\u{0}\u{0}", String(repeating: "x", count: 5_000),
    ])
    func anythingElseIsNone(_ text: String) { #expect(DestinationMarker(parsing: Array(text.utf8)) == nil) }
}

@Suite struct RenameMapTests {
    private func map(_ moves: (String, String)...) -> [String] {
        var map = RenameMap()
        for (from, to) in moves {
            map.add(from: Array(from.utf8), to: Array(to.utf8))
            map.delete(Array(from.utf8))
        }
        #expect(!map.isAmbiguous)
        return map.renames.map {
            String(decoding: $0.from, as: UTF8.self) + ">" + String(decoding: $0.to, as: UTF8.self)
        }
    }

    @Test func whatLiesInARenamedDirectoryMovesWithIt() {
        #expect(map(("/a", "/b"), ("/a/x", "/b/x"), ("/a/x/y", "/b/x/y")) == ["/a>/b"])
        #expect(map(("/a", "/b"), ("/a/x", "/b/z")) == ["/a>/b", "/a/x>/b/z"])
    }

    @Test func severalRenamesAreOne() {
        #expect(map(("/a", "/b"), ("/b", "/c")) == ["/a>/c"])
        #expect(map(("/a", "/b"), ("/b", "/a")) == [])
        #expect(map(("/a", "/b"), ("/c", "/d")) == ["/a>/b", "/c>/d"])
        // One that was renamed within a directory that was renamed after it.
        #expect(map(("/a/x", "/a/y"), ("/a", "/b"), ("/a/y", "/b/y")) == ["/a>/b", "/a/x>/b/y"])
    }

    /// Exchanged names, whose rows tell of no deletion.
    @Test func whatMayBeAnothersIsAmbiguous() {
        var map = RenameMap()
        map.add(from: Array("/a".utf8), to: Array("/b".utf8))
        #expect(!map.isAmbiguous)
        map.add(from: Array("/b".utf8), to: Array("/a".utf8))
        #expect(map.isAmbiguous)
    }

    @Test func formerNames() {
        var map = RenameMap()
        map.add(from: Array("/r/a".utf8), to: Array("/r/b".utf8))
        #expect(map.isFormer(Array("/r/a".utf8)) && map.isFormer(Array("/r/a/x/y".utf8)))
        #expect(!map.isFormer(Array("/r/b".utf8)) && !map.isFormer(Array("/r/ab".utf8)))
    }
}
