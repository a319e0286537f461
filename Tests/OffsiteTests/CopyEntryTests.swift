import LinuxKernel
import Testing

@testable import Offsite

@Suite struct CopyEntryTests {
    private func parsed(_ line: String, below parent: String = "") -> CopyEntry? {
        CopyEntry(parsing: Array(line.utf8)[...], below: Array(parent.utf8))
    }

    @Test func `a file has its mode, size, time and path`() throws {
        let entry = try #require(
            parsed(##">f+++++++++|rwsr-x--T|5368709120|2026/11/30-20:52:21|new\#012line//"##, below: "a/"))
        #expect(entry.path == Array("a/new\nline".utf8))
        #expect(entry.kind == .file && entry.mode == 0o5750 && entry.size == 5_368_709_120)
        #expect(entry.modified == Timestamp(seconds: 1_796_071_941, nanoseconds: 0))
        #expect(entry.linkTarget == nil)
    }

    @Test func `a symlink is parted from what it holds whatever is in either`() throws {
        let entry = try #require(parsed("cL+++++++++|rwxrwxrwx|0|2026/11/30-20:52:21|a -> b// -> c -> d//e"))
        #expect(entry.path == Array("a -> b".utf8) && entry.linkTarget == Array("c -> d//e".utf8))
    }

    @Test func `directories and what is no file have no size`() throws {
        let directory = try #require(parsed("cd+++++++++|rwxr-xr-x|4096|2026/11/30-20:52:21|a b///"))
        #expect(directory.path == Array("a b".utf8) && directory.kind == .directory && directory.size == 0)
        #expect(parsed("cD+++++++++|rw-r--r--|0|2026/11/30-20:52:21|null//")?.kind == .device)
        #expect(parsed("cS+++++++++|rw-r--r--|0|2026/11/30-20:52:21|pipe//")?.kind == .special)
        #expect(parsed("cd+++++++++|rwxr-xr-x|4096|garbage|a///")?.modified == nil)
    }

    @Test(arguments: [
        "", "|", "sent 12 bytes", ">f+++++++++|rwxr-xr-x|12|2026/11/30-20:52:21|",
        ">f+++++++++|rwxr-xr-x|12|2026/11/30-20:52:21|//",
        ">f+++++++++|rwxr-xr-x|12|2026/11/30-20:52:21|../etc/passwd//",
        ">f+++++++++|rwxr-xr-x|12|2026/11/30-20:52:21|/etc/passwd//",
        ">f+++++++++|rwxr-xr-x|12|2026/11/30-20:52:21|a//b", ">f+++++++++|rwxr-xr-x|12|2026/11/30-20:52:21|a/./b//",
        ##">f+++++++++|rwxr-xr-x|12|2026/11/30-20:52:21|a\#000b//"##,
        ">f+++++++++|rwxr-xr-x|-1|2026/11/30-20:52:21|a//",
        ">f+++++++++|rwxr-xr-x|99999999999999999999|2026/11/30-20:52:21|a//",
        ">f+++++++++|rwxrwxrwxrwx|1|2026/11/30-20:52:21|a//", ">x+++++++++|rwxr-xr-x|1|2026/11/30-20:52:21|a//",
        ">f+++++++++|rwxr-xr-x|1|2026/11/30-20:52:21|a",
        "cd+++++++++|rwxr-xr-x|4096|2026/11/30-20:52:21|.///", "cL+++++++++|rwxrwxrwx|3|2026/11/30-20:52:21|x//",
    ])
    func `a line that says something else is none`(_ line: String) { #expect(parsed(line) == nil) }

    @Test func `bytes of any kind neither crash nor lead out`() {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &generator)
        var state = seed
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(state >> 56)
        }
        let good = Array("cL+++++++++|rwxr-xr-x|6|2026/11/30-20:52:21|a/../b// -> c".utf8)
        for _ in 0..<20_000 {
            var line = good
            for _ in 0..<Int(next() % 8) { line[Int(next()) % line.count] = next() }
            if next() % 4 == 0 { line.removeLast(Int(next()) % line.count) }
            guard let entry = CopyEntry(parsing: line[...]) else { continue }
            let parts = entry.path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            #expect(!parts.contains { $0.isEmpty || $0.elementsEqual("..".utf8) }, "seed \(seed): \(line)")
        }
    }
}

@Suite struct CopyPlaceTests {
    private func place(_ target: String, from: String?) throws -> CopyPlace {
        try CopyPlace(#require(SyncTarget(parsing: target)), from: from.map { Array($0.utf8) })
    }

    @Test func `a snapshot's path travels in the list, whatever is in it`() throws {
        let place = try place("me@[::1]:/volume1/nfs", from: "/volume1/#snapshot/GMT 1/nfs/")
        #expect(place.side == Array("me@[::1]:/".utf8))
        #expect(place.entry(Array("a".utf8)) == Array("volume1/#snapshot/GMT 1/nfs/a".utf8))
        #expect(place.entry([], contents: true) == Array("volume1/#snapshot/GMT 1/nfs/".utf8))
    }

    @Test func `a daemon's path begins with a module`() throws {
        let place = try place("rsync://nas:8730/m/nfs", from: "/other/snap")
        #expect(place.side == Array("rsync://nas:8730/other/".utf8) && place.prefix == Array("snap/".utf8))
        #expect(throws: SyncFailure.self) { try self.place("rsync://nas/m/nfs", from: "/a b/snap") }
    }

    @Test(arguments: ["", "relative", "/", "/a/../b"])
    func `what is no absolute path is refused`(_ from: String) {
        #expect(throws: SyncFailure.self) { try place("nas:/volume1/nfs", from: from) }
    }
}
