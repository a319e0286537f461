import Testing

@testable import Offsite

@Suite struct RsyncVersionTests {
    @Test(
        arguments: [
            ("rsync  version 3.2.7  protocol version 31\nCopyright", RsyncVersion(3, 2, 7, protocolNumber: 31)),
            ("rsync  version 3.1.2  protocol version 31", RsyncVersion(3, 1, 2, protocolNumber: 31)),
            ("rsync  version v3.4.1  protocol version 32", RsyncVersion(3, 4, 1, protocolNumber: 32)),
            ("rsync  version 3.5.0pre1  protocol version 32.PR1", nil),
            ("openrsync: protocol version 29", nil), ("", nil), ("rsync version", nil),
        ] as [(String, RsyncVersion?)])
    func firstLines(text: String, version: RsyncVersion?) { #expect(RsyncVersion(parsing: text) == version) }

    @Test func thisHostHasOne() throws {
        let version = try #require(try TransferPrograms.rsync())
        #expect(!version.isBefore((3, 0, 0)) && version.protocolNumber >= 30)
        #expect(try TransferPrograms.ssh().hasPrefix("OpenSSH_"))
    }
}
