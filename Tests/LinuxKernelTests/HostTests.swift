import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("What the host is like")
struct HostTests {
    @Test(
        "kernel releases",
        arguments: [
            ("6.1.0-25-amd64", KernelVersion(6, 1)), ("5.10-rc3", KernelVersion(5, 10)),
            ("6.12+deb13", KernelVersion(6, 12)), ("6", nil), ("", nil), ("x.1", nil), ("6.x", nil),
        ] as [(String, KernelVersion?)])
    func releases(release: String, version: KernelVersion?) {
        #expect(KernelVersion(release: release.utf8) == version)
    }

    @Test("kernel versions are ordered by number, not by text")
    func order() {
        #expect(KernelVersion(5, 6) < KernelVersion(5, 10) && KernelVersion(5, 10) < KernelVersion(6, 0))
        #expect(KernelVersion.current.map { $0 > KernelVersion(4, 0) } == true)
    }

    @Test("addresses are the same however they are written")
    func addresses() {
        #expect(NetworkAddress(text: "fe80::1%eth0".utf8) == NetworkAddress(text: "FE80:0:0::0:1".utf8))
        #expect(NetworkAddress(text: "127.1.2.3".utf8)?.isLoopback == true)
        #expect(NetworkAddress(text: "::1".utf8)?.isLoopback == true)
        #expect(NetworkAddress(text: "192.0.2.1".utf8)?.isLoopback == false)
        #expect(NetworkAddress(text: "::".utf8)?.isLoopback == false)
        #expect(NetworkAddress(text: "server".utf8) == nil && NetworkAddress(text: "".utf8) == nil)
    }

    @Test("file systems tell their space")
    func space() throws {
        let space = try FileSystemSpace(at: Array("/proc".utf8))
        #expect(space.available == 0 && space.total == 0 && space.availableFiles == nil)
        let place = try TemporaryDirectory()
        let here = try FileSystemSpace(at: place.bytes)
        #expect(here.total > 1 << 20 && here.available <= here.total)
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try FileSystemSpace(at: Array("/no/such".utf8)) }
    }

    @Test("symlinks are resolved and read")
    func links() throws {
        let place = try TemporaryDirectory()
        place.directory("real")
        symlink("real", "\(place.path)/link")
        #expect(try FileSystemLook.resolved(Array("\(place.path)/link".utf8)) == Array("\(place.path)/real".utf8))
        #expect(FileSystemLook.linkTarget(Array("\(place.path)/link".utf8)) == Array("real".utf8))
        #expect(FileSystemLook.linkTarget(place.bytes) == nil)
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try FileSystemLook.resolved(Array("/no/such".utf8)) }
    }

    @Test("what cannot be written to says why")
    func refusals() throws {
        let place = try TemporaryDirectory()
        #expect(FileSystemLook.refusalToWrite(place.bytes) == nil)
        #expect(FileSystemLook.refusalToWrite(Array("/no/such".utf8)) == .noSuchFileOrDirectory)
    }

    @Test("processes and their watches")
    func processes() throws {
        #expect(ProcessList.identifiers.contains(getpid()))
        #expect(ProcessList.owner(of: getpid()) == geteuid())
        #expect(ProcessList.name(of: 0) == nil && ProcessList.arguments(of: 0) == [])
        let child = try ChildProcess.spawn(["sleep", "600"].map { Array($0.utf8) })
        // The kernel lets the parent go on before the new program's arguments can be read (execve(2), exec_mmap).
        let expected = [Array("sleep".utf8), Array("600".utf8)]
        let deadline = MonotonicTime.now.advanced(milliseconds: 10_000)
        while ProcessList.arguments(of: child.identifier) != expected, .now < deadline { sched_yield() }
        #expect(ProcessList.arguments(of: child.identifier) == expected)
        #expect(ProcessList.name(of: child.identifier) == Array("sleep".utf8))

        let before = ProcessList.watches(of: getpid())
        let inotify = try Inotify()
        let place = try TemporaryDirectory()
        for name in ["a", "b"] {
            place.directory(name)
            let directory = try OwnedDescriptor.openDirectory(Array("\(place.path)/\(name)".utf8), access: .look)
            _ = try inotify.watch(directory: directory.number, for: .create)
        }
        #expect(ProcessList.watches(of: getpid()) >= before + 2)
        withExtendedLifetime(child) {}
    }

    @Test("limits")
    func limits() {
        #expect(WatchLimit.suggested(for: 10, above: 8_192) == 524_288)
        #expect(WatchLimit.suggested(for: 10, above: 524_288) == 1_048_576)
        #expect(WatchLimit.suggested(for: 600_000, above: nil) == 2_097_152)
        #expect(KernelSetting.integer("fs/inotify/max_user_watches") == WatchLimit.current)
        #expect(KernelSetting.integer("no/such/setting") == nil)
        #expect(ProcessContext.capabilities != nil)
    }
}
