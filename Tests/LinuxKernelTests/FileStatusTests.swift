import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("The status of a name")
struct FileStatusTests {
    @Test("is that of the name itself, never of what a symlink points to")
    func types() throws {
        let place = try TemporaryDirectory()
        try place.write("file", "12345")
        place.directory("directory")
        symlink("file", "\(place.path)/link")
        symlink("nowhere", "\(place.path)/dangling")
        mkfifo("\(place.path)/fifo", 0o600)
        link("\(place.path)/file", "\(place.path)/other")
        let base = try place.open(.look)
        func status(_ name: String) throws -> FileStatus { try FileStatus.of(name, in: base.number) }

        let file = try status("file")
        #expect(file.type == .file && file.size == 5 && file.linkCount == 2 && file.mode & 0o7777 == 0o600)
        #expect(file.owner == geteuid())
        #expect(try status("other") == file)
        #expect(try status("directory").isDirectory)
        #expect(try status("link").type == .symlink)
        #expect(try status("link").size == 4)
        #expect(try status("dangling").type == .symlink)
        #expect(try status("fifo").type == .fifo)
        #expect(throws: Errno.noSuchFileOrDirectory) { try status("missing") }
        #expect(throws: Errno.notDirectory) { try status("file/below") }
    }

    @Test("of a descriptor is that of the name it was opened by, O_PATH too")
    func descriptor() throws {
        let place = try TemporaryDirectory()
        place.directory("sub")
        let base = try place.open(.look)
        let opened = try OwnedDescriptor.openDirectory(Array("sub".utf8), at: base.number, access: .look)
        #expect(try FileStatus.of(descriptor: opened.number) == FileStatus.of("sub", in: base.number))
    }

    @Test("has times in nanoseconds, and stays apart in ctime when a metadata change is undone")
    func times() throws {
        let place = try TemporaryDirectory()
        try place.write("file")
        let base = try place.open(.look)
        let times = [timespec(tv_sec: 1_000, tv_nsec: 123_456_789), timespec(tv_sec: -5, tv_nsec: 1)]
        try systemCall { utimensat(base.number, "file", times, 0) }
        let status = try FileStatus.of("file", in: base.number)
        #expect(status.modified == Timestamp(seconds: -5, nanoseconds: 1))
        #expect(status.changed > Timestamp(seconds: 1_000_000_000, nanoseconds: 0))
    }

    @Test("a moment out of range is held at the nearest end")
    func saturation() {
        #expect(Timestamp(seconds: .max, nanoseconds: 0).nanoseconds == .max)
        #expect(Timestamp(seconds: .min, nanoseconds: 999_999_999).nanoseconds == .min)
        #expect(Timestamp(seconds: 9_223_372_036, nanoseconds: 999_999_999).nanoseconds == .max)
        #expect(Timestamp(seconds: -1, nanoseconds: 999_999_999).nanoseconds == -1)
    }

    @Test("device nodes carry their number", .enabled(if: access("/dev/null", F_OK) == 0))
    func deviceNode() throws {
        let dev = try OwnedDescriptor.openDirectory(Array("/dev".utf8), access: .look)
        let null = try FileStatus.of("null", in: dev.number)
        #expect(null.type == .characterDevice)
        #expect(null.deviceNumber == 1 << 32 | 3)
    }
}
