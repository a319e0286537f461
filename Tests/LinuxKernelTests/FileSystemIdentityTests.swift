import Glibc
import Testing

@testable import LinuxKernel

@Suite("The identity of a file system")
struct FileSystemIdentityTests {
    private func identity(of path: String) throws -> FileSystemIdentity {
        let directory = try OwnedDescriptor.openDirectory(Array(path.utf8), access: .look)
        return try FileSystemIdentity(of: directory.number)
    }

    @Test("is the same in all of it, and knows what is foreign")
    func sameEverywhere() throws {
        let place = try TemporaryDirectory()
        place.directory("sub")
        #expect(try identity(of: place.path) == identity(of: "\(place.path)/sub"))
        #expect(try identity(of: place.path) != identity(of: "/proc"))
        #expect(try !identity(of: place.path).isForeign)
    }

    @Test("tells one tmpfs from another", .enabled(if: Mounting.isPossible, "needs root and mount(8)"))
    func tmpfs() throws {
        let place = try TemporaryDirectory()
        for name in ["a", "b"] {
            place.directory(name)
            try #require(system("mount -t tmpfs none '\(place.path)/\(name)'") == 0)
        }
        defer { _ = system("umount '\(place.path)/a' '\(place.path)/b'") }
        #expect(try identity(of: "\(place.path)/a") != identity(of: "\(place.path)/b"))
        #expect(try identity(of: "\(place.path)/a") == identity(of: "\(place.path)/a"))
    }

    @Test(
        "outlives umount and a change of device", .enabled(if: Mounting.isPossible, "needs root and loop devices"),
        arguments: ["ext4", "xfs", "btrfs"].filter { Mounting.hasProgram("mkfs.\($0)") })
    func remount(type: String) throws {
        let place = try TemporaryDirectory()
        // Sparse; mkfs.xfs wants 300 MB.
        for name in ["a", "b"] {
            place.directory(name)
            let image = "\(place.path)/\(name).image"
            try #require(system("truncate -s 320M '\(image)' && mkfs.\(type) -q '\(image)' >/dev/null 2>&1") == 0)
        }
        func mount(_ name: String) throws {
            try #require(system("mount -t \(type) -o loop '\(place.path)/\(name).image' '\(place.path)/\(name)'") == 0)
        }
        defer { _ = system("umount '\(place.path)/a' '\(place.path)/b' 2>/dev/null") }

        try mount("a")
        let before = try identity(of: "\(place.path)/a")
        try #require(system("umount '\(place.path)/a'") == 0)
        // The other image takes the loop device that is free now.
        try mount("b")
        try mount("a")
        #expect(try identity(of: "\(place.path)/a") == before)
        #expect(try identity(of: "\(place.path)/b") != before)
    }
}
