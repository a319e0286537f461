import Glibc
import LinuxKernel
import Testing

@testable import Changelog

/// What happens to the log's file system. Mounts of tmpfs: for root only.
@Suite(.enabled(if: Scratch.canMount, "needs the right to mount"))
struct ChangelogMountTests {
    private let scratch = Scratch()
    private func appender() -> ChangelogAppender {
        ChangelogAppender(path: scratch.bytes("mnt/log"), requireMount: scratch.bytes("mnt"))
    }
    /// 3,000 lines of 100 bytes, told apart by their number.
    private let lines = (0..<3_000).map { "/\($0)".padded(to: 99) }
    private var text: String { lines.map { $0 + "\n" }.joined() }

    /// Leaves room for some of `text` only.
    private func fill() throws {
        try scratch.write("mnt/ballast", [UInt8](repeating: 0, count: 1_048_576 - 3 * 65_536 - 10))
    }

    @Test func aTornLineOnAFullDiskIsContinued() throws {
        scratch.mountTemporary("mnt")
        try fill()
        var log = appender()
        #expect(log.failure(appending: text)?.reason == .full)
        let torn = try scratch.read("mnt/log")
        #expect(!torn.isEmpty && torn.last != UInt8(ascii: "\n"))
        try log.synchronize()  // Closes it, as the writer does before it waits.
        #expect(log.failure(appending: text)?.reason == .full)
        try log.synchronize()
        scratch.removeFile("mnt/ballast")
        try log.append(text)
        #expect(try scratch.lines("mnt/log") == lines)
    }

    @Test func aTornLineStartsAnewInAFileThatOthersChanged() throws {
        scratch.mountTemporary("mnt")
        try fill()
        var log = appender()
        #expect(log.failure(appending: text)?.reason == .full)
        truncate(scratch.path("mnt/log"), 0)
        try log.append(text)
        // Whole lines that were in the file are gone with it; the torn one is not.
        let rest = try scratch.lines("mnt/log")
        #expect(!rest.isEmpty && rest == lines.suffix(rest.count))
    }

    @Test func aTornLineStartsAnewAfterOthersAppended() throws {
        scratch.mountTemporary("mnt")
        try fill()
        var log = appender()
        #expect(log.failure(appending: text)?.reason == .full)
        try log.synchronize()
        scratch.removeFile("mnt/ballast")
        let tornFile = try scratch.read("mnt/log")
        try scratch.write("mnt/log", tornFile + Array("x\ny".utf8))
        try log.append(text)
        let all = try scratch.lines("mnt/log")
        #expect(all.filter(lines.contains) == lines)
        #expect(all.contains("y"))
    }

    @Test func aTornLineInAFileMovedAwayIsWholeInTheNext() throws {
        scratch.mountTemporary("mnt")
        try fill()
        var log = appender()
        #expect(log.failure(appending: text)?.reason == .full)
        scratch.move("mnt/log", "mnt/log.1")
        scratch.removeFile("mnt/ballast")
        try log.append(text)
        #expect(try scratch.lines("mnt/log") == lines)
    }

    @Test func aReadOnlyFileSystemIsWaitedFor() throws {
        scratch.mountTemporary("mnt")
        var log = appender()
        try log.append("/a\n")
        #expect(scratch.remount("mnt", readOnly: true) == EBUSY)
        try log.synchronize()
        #expect(scratch.remount("mnt", readOnly: true) == 0)
        #expect(log.failure(appending: "/b\n")?.reason == .readOnly)
        #expect(scratch.remount("mnt", readOnly: false) == 0)
        try log.append("/b\n")
        #expect(try scratch.lines("mnt/log") == ["/a", "/b"])
    }

    @Test func nothingIsWrittenBelowAnEmptyMountPoint() throws {
        scratch.mountTemporary("mnt")
        var log = appender()
        try log.append("/a\n")
        try log.synchronize()
        #expect(scratch.unmount("mnt") == 0)
        #expect(log.failure(appending: "/b\n")?.reason == .notMounted)
        #expect(!scratch.exists("mnt/log"))
        scratch.mountTemporary("mnt")
        try log.append("/b\n")
        #expect(try scratch.lines("mnt/log") == ["/b"])
    }

    @Test func aLazyUnmountUnderAnOpenLogIsNoticed() throws {
        scratch.mountTemporary("mnt")
        var log = appender()
        try log.append("/a\n")
        #expect(scratch.unmount("mnt", lazily: true) == 0)
        #expect(log.failure(appending: "/b\n")?.reason == .notMounted)
        #expect(!scratch.exists("mnt/log"))
    }

    @Test func aFileSystemMountedOverTheLogGetsTheLines() throws {
        scratch.mountTemporary("mnt")
        var log = appender()
        try log.append("/a\n")
        scratch.mountTemporary("mnt")
        try log.append("/b\n")
        #expect(try scratch.lines("mnt/log") == ["/b"])
        #expect(scratch.unmount("mnt", lazily: true) == 0)
        #expect(try scratch.lines("mnt/log") == ["/a", "/b"])
    }

    @Test func aBindMountOfTheSameFileSystemIsAMount() throws {
        scratch.makeDirectory("other")
        scratch.makeDirectory("mnt")
        #expect(mount(scratch.path("other"), scratch.path("mnt"), nil, 4096, nil) == 0)  // MS_BIND
        var log = appender()
        try log.append("/a\n")
        #expect(try scratch.lines("other/log") == ["/a"])
    }
}

extension String {
    func padded(to length: Int) -> String { self + String(repeating: ".", count: max(0, length - utf8.count)) }
}
