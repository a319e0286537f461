import Glibc
import LinuxKernel
import SystemPackage
import Testing

@testable import Offsite

@Suite struct MetricsTextfileTests {
    private func mode(of path: [UInt8]) throws -> UInt16 {
        let file = try OwnedDescriptor.open(path, flags: O_RDONLY)
        return try FileStatus.of(descriptor: file.number).mode & 0o7777
    }

    @Test func theFileIsReplacedAndAllMayReadIt() throws {
        let directory = try MetricsDirectory()
        let textfile = MetricsTextfile(directory: directory.bytes)
        var figures = SyncFigures.complete
        #expect(textfile.write(figures) == nil)
        // A temporary file that a kill left, with permissions of its own.
        try directory.write("nfs-changes-synology.prom.new", Array("rest of an earlier one".utf8))
        figures.recordFailure(took: .seconds(1))
        #expect(textfile.write(figures) == nil)
        #expect(directory.names == ["nfs-changes-synology.prom"])
        #expect(try directory.read("nfs-changes-synology.prom") == figures.exposition)
        #expect(try mode(of: textfile.path(for: "synology")) == 0o644)
    }

    @Test func aDirectoryThatIsMissingIsSaid() throws {
        let directory = try MetricsDirectory()
        let textfile = MetricsTextfile(directory: directory.bytes + Array("/no\u{1B}ne".utf8))
        let failure = textfile.write(.complete)
        #expect(failure == .textfile(path: textfile.path(for: "synology"), .noSuchFileOrDirectory))
        #expect(
            failure?.description
                == "metrics not written to \(directory.path)/no\\033ne/nfs-changes-synology.prom: "
                + "No such file or directory")
        #expect(directory.names.isEmpty)
    }

    @Test(.enabled(if: geteuid() == 0)) func aFullDirectoryKeepsTheOldFile() throws {
        let directory = try MetricsDirectory()
        try directory.limit(toBytes: 65_536)
        let textfile = MetricsTextfile(directory: directory.bytes)
        #expect(textfile.write(.complete) == nil)
        #expect(try !directory.write("filler", [UInt8](repeating: 1, count: 100_000)))
        var later = SyncFigures.complete
        later.recordFailure(took: .seconds(1))
        #expect(textfile.write(later) == .textfile(path: textfile.path(for: "synology"), .noSpace))
        #expect(try directory.read("nfs-changes-synology.prom") == SyncFigures.complete.exposition)
        // What is left of the try is nothing that the collector reads.
        #expect(directory.names.filter { $0.hasSuffix(".prom") } == ["nfs-changes-synology.prom"])

        try #require(unlink("\(directory.path)/filler") == 0)
        #expect(textfile.write(later) == nil)
        #expect(try directory.read("nfs-changes-synology.prom") == later.exposition)
    }
}
