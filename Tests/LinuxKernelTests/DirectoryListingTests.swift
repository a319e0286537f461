import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("Listing directories")
struct DirectoryListingTests {
    @Test("gives every entry once, with its type and inode, and neither . nor ..")
    func entries() throws {
        let place = try TemporaryDirectory()
        place.directory("directory")
        symlink("directory", "\(place.path)/link")
        let longest = String(repeating: "x", count: 255)
        var expected: Set<String> = ["directory", "link", longest, "..."]
        try place.write(longest)
        try place.write("...")
        // More than one buffer holds.
        for number in 0..<3_000 {
            try place.write("file \(number)")
            expected.insert("file \(number)")
        }

        let opened = try place.open()
        let lister = DirectoryLister()
        var seen: [String] = []
        var directories: [String] = []
        var hasWrongInode = false
        try lister.list(opened.number) { name, length, inode, isDirectory in
            let text = String(cString: name)
            seen.append(text)
            let status = try? FileStatus.of(name, in: opened.number)
            if status?.inode != inode || text.utf8.count != length { hasWrongInode = true }
            if isDirectory ?? (status?.isDirectory == true) { directories.append(text) }
        }
        #expect(Set(seen) == expected)
        #expect(seen.count == expected.count)
        #expect(directories == ["directory"])
        #expect(!hasWrongInode)
    }

    @Test("fails on what is no directory, and on one opened only for looks")
    func errors() throws {
        let place = try TemporaryDirectory()
        try place.write("file")
        let lister = DirectoryLister()
        let file = try OwnedDescriptor.open(Array("\(place.path)/file".utf8), flags: O_RDONLY)
        #expect(throws: Errno.notDirectory) { try lister.list(file.number) { _, _, _, _ in } }
        let look = try place.open(.look)
        #expect(throws: Errno.badFileDescriptor) { try lister.list(look.number) { _, _, _, _ in } }
    }
}
