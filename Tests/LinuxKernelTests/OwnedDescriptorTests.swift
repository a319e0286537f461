import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("Owned descriptors and locks")
struct OwnedDescriptorTests {
    @Test("are closed when their owner goes")
    func closing() throws {
        var ends: [CInt] = [0, 0]
        try systemCall { pipe2(&ends, O_CLOEXEC) }
        let reader = OwnedDescriptor(owning: ends[0])
        do {
            let writer = OwnedDescriptor(owning: ends[1])
            let result = Array("text".utf8).withUnsafeBytes { writer.write($0) }
            #expect(result.written == 4 && result.error == nil)
        }
        // The end of the pipe comes only when its last writer is closed.
        #expect(try reader.readToEnd() == Array("text".utf8))
    }

    @Test("read what is there, and nothing at the end")
    func reading() throws {
        let pipe = try Pipe()
        Array("text".utf8).withUnsafeBytes { _ = pipe.writer.write($0) }
        let reader = pipe.reader
        #expect(try reader.read(atMost: 3) == Array("tex".utf8))
        #expect(try reader.read(atMost: 64) == Array("t".utf8))
        pipe.writer.close()
        #expect(try reader.read(atMost: 64).isEmpty)
    }

    @Test("report how much went out together with what stopped it")
    func fullDevice() throws {
        let full = try OwnedDescriptor.open(Array("/dev/full".utf8), flags: O_WRONLY)
        let result = Array("text".utf8).withUnsafeBytes { full.write($0) }
        #expect(result.written == 0 && result.error == .noSpace)
    }

    @Test("a lock has one holder, and goes with it")
    func lock() throws {
        let place = try TemporaryDirectory()
        let path = place.bytes + Array("/lock".utf8)
        do {
            let held = try FileLock(path: path)
            #expect(throws: Errno.wouldBlock) { _ = try FileLock(path: path) }
            _ = consume held
        }
        _ = try FileLock(path: path)
    }

    @Test("a lock is not taken through a symlink")
    func lockThroughSymlink() throws {
        let place = try TemporaryDirectory()
        symlink("elsewhere", "\(place.path)/lock")
        #expect(throws: Errno.tooManySymbolicLinkLevels) { _ = try FileLock(path: place.bytes + Array("/lock".utf8)) }
    }
}
