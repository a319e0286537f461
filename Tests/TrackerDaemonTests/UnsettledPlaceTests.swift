import LinuxKernel
import Testing

@testable import TrackerDaemon

@Suite struct UnsettledPlaceTests {
    @Test(arguments: [
        "/srv/nfs/a-backup", "/a is missing", "/a\nb\\", "/ä is held: another file system or directory is there",
    ])
    func `a line is read as it was written`(_ path: String) {
        for reason in UnsettledPlace.Reason.allCases {
            let place = UnsettledPlace(Array(path.utf8), reason)
            #expect(!place.line.contains("\n"))
            #expect(UnsettledPlace(parsing: place.line) == place)
        }
    }

    @Test func `a line of another version is none`() { #expect(UnsettledPlace(parsing: "/a is on fire") == nil) }
}
