import Glibc
import LinuxKernel
import Testing

@testable import Offsite

/// Deletions, with the real rsync and a directory as destination.
@Suite struct DeletionTests {
    private let place = try! MetricsDirectory()

    private func make(_ names: String...) {
        for name in names { _ = system("mkdir -p '\(place.path)/\(name)'") }
    }

    private func exists(_ name: String) -> Bool { access("\(place.path)/\(name)", F_OK) == 0 }

    private func link(byList: Bool) throws -> DestinationLink {
        make("source", "state", "copy/.nfs-changes/tmp")
        let target = try #require(SyncTarget(parsing: "\(place.path)/copy"))
        let settings = DestinationSettings(name: "test", source: Array("\(place.path)/source".utf8), target: target)
        let link = try DestinationLink(
            settings, stateDirectory: Array("\(place.path)/state".utf8), process: ProgramRun(stop: NoStopSignal()))
        link.deletesByList = byList
        // The program that makes the sandbox is `changes`, not this one.
        link.isSandboxed = false
        return link
    }

    @Test(arguments: [true, false]) func onlyWhatIsListedGoes(_ byList: Bool) throws {
        let link = try link(byList: byList)
        make("copy/r/d/e", "copy/r/d/@eaDir", "copy/r/d [x]*", "copy/r/d x")
        let paths = ["r/d/e", "r/d [x]*"].map { Array($0.utf8) }
        let outcome = try link.delete(paths, atMost: 10)
        #expect(outcome.verdict == .done && outcome.statistics.deleted == 2)
        #expect(!exists("copy/r/d/e") && !exists("copy/r/d [x]*"))
        #expect(exists("copy/r/d/@eaDir") && exists("copy/r/d x"))
    }

    /// What was put off may be below a directory that has gone since: that one must not come back, empty.
    @Test(arguments: [true, false]) func aDirectoryThatIsGoneIsNotMadeAgain(_ byList: Bool) throws {
        let link = try link(byList: byList)
        make("copy/r")
        let outcome = try link.delete([Array("r/gone/file".utf8)], atMost: 10)
        #expect(outcome.verdict == .done)
        #expect(!exists("copy/r/gone"))
    }
}
