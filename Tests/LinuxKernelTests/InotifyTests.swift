import Glibc
import Testing

@testable import LinuxKernel

@Suite("inotify")
struct InotifyTests {
    /// What a test compares of an event.
    private struct Seen: Equatable {
        var mask: InotifyMask
        var name: String
        var cookie: UInt32 = 0
    }

    private static let mask: InotifyMask = [
        .create, .delete, .modify, .closeWrite, .movedFrom, .movedTo, .deleteSelf, .onlyDirectory,
    ]

    /// All that is in the queue now: the kernel queues before the call that causes an event returns.
    private func events(of inotify: borrowing Inotify) throws -> [Seen] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 8)
        defer { buffer.deallocate() }
        var seen: [Seen] = []
        while case let filled = try inotify.read(into: buffer), filled > 0 {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
            var offset = 0
            while let (event, next) = InotifyEvent.read(bytes, at: offset) {
                seen.append(
                    Seen(
                        mask: event.mask, name: String(decoding: bytes[event.name], as: UTF8.self),
                        cookie: event.cookie))
                offset = next
            }
            #expect(offset == filled)
        }
        return seen
    }

    @Test("tells of names in a directory, in order, and pairs the halves of a rename")
    func names() throws {
        let place = try TemporaryDirectory()
        let inotify = try Inotify()
        let directory = try place.open()
        let watch = try inotify.watch(directory: directory.number, for: Self.mask)
        #expect(try inotify.watch(directory: directory.number, for: Self.mask) == watch)
        #expect(try events(of: inotify).isEmpty)

        try place.write("file", "text")
        place.directory("sub")
        rename("\(place.path)/file", "\(place.path)/moved")
        unlink("\(place.path)/moved")
        let seen = try events(of: inotify)
        try #require(seen.count == 7)
        #expect(
            seen[..<4] == [
                Seen(mask: .create, name: "file"), Seen(mask: .modify, name: "file"),
                Seen(mask: .closeWrite, name: "file"), Seen(mask: [.create, .isDirectory], name: "sub"),
            ])
        #expect(seen[4].mask == .movedFrom && seen[5].mask == .movedTo)
        #expect(seen[4].cookie == seen[5].cookie && seen[4].cookie != 0)
        #expect(seen[6] == Seen(mask: .delete, name: "moved"))
    }

    @Test("watches the directory that is open, whatever its name is now")
    func renamedDirectory() throws {
        let place = try TemporaryDirectory()
        let inotify = try Inotify()
        let directory = try OwnedDescriptor.openDirectory(place.directory("old"), access: .look)
        rename("\(place.path)/old", "\(place.path)/new")
        place.directory("old")
        let watch = try inotify.watch(directory: directory.number, for: Self.mask)
        try place.write("old/elsewhere")
        try place.write("new/here")
        #expect(try events(of: inotify).map(\.name) == ["here", "here"])
        inotify.remove(watch)
        #expect(try events(of: inotify) == [Seen(mask: .ignored, name: "")])
        inotify.remove(watch)
    }

    @Test("ends a watch with the directory")
    func deletedDirectory() throws {
        let place = try TemporaryDirectory()
        let inotify = try Inotify()
        let path = place.directory("gone")
        do {
            let directory = try OwnedDescriptor.openDirectory(path, access: .list)
            _ = try inotify.watch(directory: directory.number, for: Self.mask)
        }
        rmdir("\(place.path)/gone")
        #expect(try events(of: inotify).map(\.mask) == [.deleteSelf, .ignored])
    }
}
