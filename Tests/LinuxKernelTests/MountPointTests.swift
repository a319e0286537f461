import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("Mount points")
struct MountPointTests {
    private func entry(_ line: String) throws -> MountEntry { try #require(MountEntry(line: Array(line.utf8))) }

    @Test(
        "a mount of the directory that it covers is bound to itself",
        arguments: [
            ("1 0 8:1 / / rw - ext4 d rw", "2 1 8:1 /mnt/backup /mnt/backup rw - ext4 d rw", true),
            ("1 0 8:1 / / rw - ext4 d rw", "2 1 8:1 /other /mnt/backup rw - ext4 d rw", false),
            ("1 0 8:1 / / rw - ext4 d rw", "2 1 8:1 / /mnt/backup rw - ext4 d rw", false),
            ("1 0 8:1 /@root / rw - btrfs d rw", "2 1 8:1 /@root/mnt /mnt rw - btrfs d rw", true),
            ("1 0 8:1 /@root / rw - btrfs d rw", "2 1 8:1 /mnt /mnt rw - btrfs d rw", false),
            ("1 0 8:1 / /mnt rw - ext4 d rw", "2 1 8:1 /backup /mnt/backup rw - ext4 d rw", true),
            ("1 0 8:1 / /mnt rw - ext4 d rw", "2 1 8:1 /mnt/backup /mnt/backup rw - ext4 d rw", false),
            ("1 0 8:1 /a /mnt rw - ext4 d rw", "2 1 8:1 /a/backup /mnt/backup rw - ext4 d rw", true),
        ])
    func boundToItself(_ parent: String, _ mount: String, _ isBound: Bool) throws {
        #expect(try entry(mount).isBoundToItself(in: entry(parent)) == isBound)
    }

    @Test("the root directory is one, a directory is none")
    func plain() throws {
        let place = try TemporaryDirectory()
        #expect(try isMounted(Array("/".utf8)))
        #expect(try isMounted(Array("/proc".utf8)))
        #expect(try !isMounted(place.directory("plain")))
        #expect(throws: Errno.noSuchFileOrDirectory) { try isMounted(Array("\(place.path)/none".utf8)) }
    }

    @Test("a file system or another directory counts, the directory itself does not", .enabled(if: Mounting.isPossible))
    func mounts() throws {
        let place = try TemporaryDirectory()
        let point = place.directory("a point")
        place.directory("other")
        // Lazily and from the top, whatever of it was mounted.
        defer { while umount2("\(place.path)/a point", CInt(MNT_DETACH)) == 0 {} }
        func mount(_ arguments: String) { #expect(system("mount \(arguments) '\(place.path)/a point'") == 0) }

        mount("--bind '\(place.path)/a point'")
        #expect(try !isMounted(point), "bound to itself")
        mount("--bind '\(place.path)/a point'")
        #expect(try !isMounted(point), "twice")
        mount("-t tmpfs none")
        #expect(try isMounted(point), "a tmpfs over that")
        mount("--bind '\(place.path)/a point'")
        #expect(try isMounted(point), "the tmpfs bound to itself")
        while umount2("\(place.path)/a point", 0) == 0 {}
        #expect(try !isMounted(point), "unmounted")
        mount("--bind '\(place.path)/other'")
        #expect(try isMounted(point), "another directory of the file system")
        mount("--bind '\(place.path)/a point'")
        #expect(try isMounted(point), "the other directory bound to itself")
    }

    private func isMounted(_ path: [UInt8]) throws(Errno) -> Bool { try OwnedDescriptor.openMountRoot(path) != nil }
}
