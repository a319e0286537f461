import LinuxKernel
import Testing

@testable import Offsite

/// Single runs of rsync, to a directory of this host.
@Suite struct DestinationLinkTests {
    /// The last row of a directory's may come in one batch and that of something in it in a later one.
    @Test(arguments: [true, false]) func aDeletionMakesNoParents(_ isByList: Bool) throws {
        let place = try FileSystemLook.makeTemporaryDirectory(prefix: Array("changes-test".utf8))
        defer { try? FileSystemLook.removeTree(place) }
        func path(_ name: String) -> [UInt8] { place + Array("/\(name)".utf8) }
        for name in ["source", "state", "copy", "copy/.nfs-changes", "copy/d", "copy/d/full"] {
            try FileSystemLook.makeDirectory(path(name))
        }
        for name in ["copy/d/file", "copy/d/full/file", "copy/d/kept"] { try replaceFile(path(name), with: [1]) }
        let target = try #require(SyncTarget(parsing: String(decoding: path("copy"), as: UTF8.self)))
        let link = try DestinationLink(
            DestinationSettings(name: "copy", source: path("source"), target: target),
            stateDirectory: path("state"), process: RsyncProcess(stop: NoStopSignal()))
        // The program of a sandbox would be this one.
        link.isSandboxed = false
        link.deletesByList = isByList
        let outcome = try link.delete(
            ["d/file", "d/full", "gone/file", "d/gone/file"].map { Array($0.utf8) }, atMost: 100)
        #expect(outcome.verdict == .done, "\(String(decoding: outcome.errors, as: UTF8.self))")
        #expect(Set(FileSystemLook.names(in: path("copy"))) == Set([".nfs-changes", "d"].map { Array($0.utf8) }))
        #expect(FileSystemLook.names(in: path("copy/d")) == [Array("kept".utf8)])
    }
}
