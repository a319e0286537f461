import Glibc
import LinuxKernel
import SystemPackage
import Testing

@testable import Changelog

/// What others may do to the log between two appends, on the file system of `/tmp`.
@Suite struct ChangelogAppenderTests {
    private let scratch = Scratch()
    private func appender() -> ChangelogAppender { ChangelogAppender(path: scratch.bytes("log"), requireMount: nil) }

    @Test func createsTheLogForOwnerAndGroupOnlyAndAppends() throws {
        var log = appender()
        try log.append("/a\n")
        try log.append("/b\n/c\n")
        try log.synchronize()
        try log.append("/d\n")
        #expect(try scratch.lines("log") == ["/a", "/b", "/c", "/d"])
        let status = try withCPath(scratch.bytes("log")) { (name) throws(Errno) in try FileStatus.of(name, in: AT_FDCWD)
        }
        #expect(status.mode & 0o7137 == 0)
    }

    @Test func aTruncatedLogGoesOnAtItsBeginning() throws {
        var log = appender()
        try log.append("/a\n")
        truncate(scratch.path("log"), 0)
        try log.append("/b\n")
        #expect(try scratch.read("log") == Array("/b\n".utf8))
    }

    @Test func aLogCutInTheMiddleOfALineGluesNothing() throws {
        var log = appender()
        try log.append("/first\n/second\n")
        truncate(scratch.path("log"), 10)
        try log.append("/third\n")
        #expect(try scratch.lines("log") == ["/first", "/se", "/third"])
    }

    @Test func whatWentIntoAFileMovedAwayIsAppendedAgain() throws {
        var log = appender()
        try log.append("/a\n")
        scratch.move("log", "log.1")
        try log.append("/b\n")
        #expect(try scratch.lines("log") == ["/b"])
        #expect(try scratch.lines("log.1") == ["/a", "/b"])
    }

    @Test func aRemovedOrReplacedLogIsFollowed() throws {
        var log = appender()
        try log.append("/a\n")
        scratch.removeFile("log")
        try log.append("/b\n")
        #expect(try scratch.lines("log") == ["/b"])
        try scratch.write("other", Array("theirs".utf8))
        scratch.move("other", "log")
        try log.append("/c\n")
        #expect(try scratch.lines("log") == ["theirs", "/c"])
    }

    @Test func aTornLineOfAKilledProcessIsEndedFirst() throws {
        try scratch.write("log", Array("/whole\n/to".utf8))
        var log = appender()
        try log.append("/torn\n")
        #expect(try scratch.lines("log") == ["/whole", "/to", "/torn"])
    }

    @Test func aMissingDirectoryIsNotMadeAndIsUsedWhenItAppears() throws {
        var log = ChangelogAppender(path: scratch.bytes("backup/log"), requireMount: nil)
        #expect(log.failure(appending: "/a\n")?.reason == .directoryMissing)
        #expect(!scratch.exists("backup"))
        scratch.makeDirectory("backup")
        try log.append("/a\n")
        #expect(try scratch.lines("backup/log") == ["/a"])
        // The whole directory is moved away.
        scratch.move("backup", "gone")
        #expect(log.failure(appending: "/b\n")?.reason == .directoryMissing)
        scratch.makeDirectory("backup")
        try log.append("/b\n")
        #expect(try scratch.lines("backup/log") == ["/b"])
    }

    @Test func aSymlinkIsNotFollowed() throws {
        try scratch.write("victim", [])
        symlink(scratch.path("victim"), scratch.path("log"))
        var log = appender()
        #expect(log.failure(appending: "/a\n")?.reason == .symbolicLink)
        #expect(try scratch.read("victim") == [])
        scratch.removeFile("log")
        try log.append("/a\n")
        // Put in its place while the log is open.
        scratch.removeFile("log")
        symlink(scratch.path("victim"), scratch.path("log"))
        #expect(log.failure(appending: "/b\n")?.reason == .symbolicLink)
        #expect(try scratch.read("victim") == [])
    }

    @Test func whatIsNoRegularFileIsRefusedWithoutWaiting() throws {
        var log = appender()
        mkfifo(scratch.path("log"), 0o600)
        #expect(log.failure(appending: "/a\n")?.reason == .notRegularFile)
        scratch.removeFile("log")
        scratch.makeDirectory("log")
        #expect(log.failure(appending: "/a\n")?.reason == .notRegularFile)
        rmdir(scratch.path("log"))
        try log.append("/a\n")
    }

    @Test func requireMountRefusesADirectoryThatIsNone() throws {
        scratch.makeDirectory("mnt")
        for path in ["mnt/log", "elsewhere"] {
            var log = ChangelogAppender(path: scratch.bytes(path), requireMount: scratch.bytes("mnt"))
            #expect(log.failure(appending: "/a\n")?.reason == .notMounted)
            #expect(!scratch.exists(path))
        }
        var log = ChangelogAppender(path: scratch.bytes("log"), requireMount: scratch.bytes("missing"))
        #expect(log.failure(appending: "/a\n")?.reason == .notMounted)
    }

    @Test func pathsBelowTheMount() {
        func relative(_ path: String, _ mount: String) -> String? {
            ChangelogFile.relative(Array(path.utf8), to: Array(mount.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(relative("/mnt/backup/log", "/mnt/backup") == "log")
        #expect(relative("/mnt/backup//a/log", "/mnt/backup/") == "a/log")
        #expect(relative("/log", "/") == "log")
        #expect(relative("/mnt/backup2/log", "/mnt/backup") == nil)
        #expect(relative("/mnt/backup", "/mnt/backup") == nil)
    }
}
