import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("Opening directories")
struct DirectoryOpeningTests {
    @Test("refuses a symlink anywhere on the way", arguments: [DirectoryAccess.look, .list])
    func symlinks(access: DirectoryAccess) throws {
        let place = try TemporaryDirectory()
        place.directory("real")
        place.directory("real/sub")
        symlink("real", "\(place.path)/link")
        _ = try OwnedDescriptor.openDirectory(Array("\(place.path)/real/sub".utf8), access: access)
        for path in ["link", "link/sub", "link/."] {
            #expect(throws: Errno.tooManySymbolicLinkLevels) {
                _ = try OwnedDescriptor.openDirectory(Array("\(place.path)/\(path)".utf8), access: access)
            }
        }
        let base = try place.open(.look)
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            _ = try OwnedDescriptor.openDirectory(entry: "link", of: base.number, access: access)
        }
    }

    @Test("tells a missing directory from a file and from a name with a NUL")
    func errors() throws {
        let place = try TemporaryDirectory()
        try place.write("file")
        let base = try place.open(.look)
        func open(_ name: String) throws {
            _ = try OwnedDescriptor.openDirectory(Array(name.utf8), at: base.number, access: .look)
        }
        #expect(throws: Errno.noSuchFileOrDirectory) { try open("missing") }
        #expect(throws: Errno.notDirectory) { try open("file") }
        #expect(throws: Errno.invalidArgument) { try open("a\0b") }
        try open("")
    }

    /// A chain of directories with long names below `base`, made one by one.
    private func makeChain(below base: CInt, depth: Int, name: String) throws {
        var current = dup(base)
        for _ in 0..<depth {
            try systemCall { mkdirat(current, name, 0o700) }
            let next = try systemCall { openat(current, name, O_PATH | O_DIRECTORY) }
            close(current)
            current = next
        }
        close(current)
    }

    @Test("reaches paths longer than PATH_MAX, relative and absolute")
    func longPaths() throws {
        let place = try TemporaryDirectory()
        let base = try place.open(.look)
        let name = String(repeating: "n", count: 250)
        try makeChain(below: base.number, depth: 40, name: name)
        let relative = Array([String](repeating: name, count: 40).joined(separator: "/").utf8)
        #expect(relative.count > 10_000)

        let deepest = try OwnedDescriptor.openDirectory(relative, at: base.number, access: .list)
        let absolute = try OwnedDescriptor.openDirectory(
            place.bytes + Array("/".utf8) + relative, access: .look)
        #expect(try FileStatus.of(descriptor: deepest.number) == FileStatus.of(descriptor: absolute.number))

        // A symlink deep down is refused as well.
        let link = String(repeating: "l", count: 250)
        try systemCall { symlinkat(name, base.number, link) }
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            _ = try OwnedDescriptor.openDirectory(
                Array(link.utf8) + relative[250...], at: base.number, access: .look)
        }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            _ = try OwnedDescriptor.openDirectory(
                relative + Array("/missing".utf8), at: base.number, access: .look)
        }
    }

    @Test("cannot reach a name longer than a name can be")
    func longName() throws {
        #expect(throws: Errno.fileNameTooLong) {
            _ = try OwnedDescriptor.openDirectory(
                Array("/".utf8) + [UInt8](repeating: UInt8(ascii: "n"), count: 5_000), access: .look)
        }
    }
}
