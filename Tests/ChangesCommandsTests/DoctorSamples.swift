import LinuxKernel
import Testing

@testable import ChangesCommands

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func states(_ findings: [Finding]) -> [Finding.State] { findings.map(\.state) }
let root = UserFacts(isRoot: true, readsEverything: true)
let nobody = UserFacts(isRoot: false, readsEverything: false)
let gigabyte: Int64 = 1 << 30

func mount(_ line: String) throws -> MountEntry { try #require(MountEntry(line: line.utf8)) }
func disk(_ point: String = "/mnt/backup", type: String = "ext4", options: String = "rw") throws -> MountEntry {
    try mount("30 1 8:1 / \(point) \(options) - \(type) /dev/sda1 rw")
}

/// Whatever a finding says, it is one line, and says what to do unless all is well.
func expectWellFormed(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
    for finding in findings {
        #expect((finding.remedy == nil) == (finding.state == .ok), "\(finding)", sourceLocation: sourceLocation)
        #expect(
            !(finding.text + (finding.remedy ?? "")).utf8.contains { $0 < 0x20 }, "\(finding)",
            sourceLocation: sourceLocation)
    }
}
