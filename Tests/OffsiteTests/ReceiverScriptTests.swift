import LinuxKernel
import Testing

@testable import Offsite

@Suite struct ReceiverScriptTests {
    private let old = DestinationMarker(destination: "n\"a$s", machine: "m", store: "s", cursor: 1)
    private let new = DestinationMarker(destination: "n\"a$s", machine: "m", store: "s", cursor: 2)
    private let other = DestinationMarker(destination: "n\"a$s", machine: "another", store: "s", cursor: 1)

    private struct End {
        var status: Int32
        var errors: [UInt8]
        var marker: [UInt8]
        var isRefused: Bool { ReceiverScript.isRefused(status, errors) }
    }

    /// Runs the script where `old` is the marker.
    ///
    /// - Parameter receiver: a command in the receiver's place, which finds the marker's path in `$0`; nil: there is none.
    private func run(
        _ expected: [DestinationMarker], _ next: DestinationMarker?, _ receiver: String?
    ) throws -> End {
        let place = try FileSystemLook.makeTemporaryDirectory(prefix: Array("nfs-changes-test".utf8))
        defer { try? FileSystemLook.removeTree(place) }
        let marker = place + Array("/\(DestinationMarker.name)".utf8)
        try replaceFile(marker, with: old.text)
        let script = ReceiverScript(place: String(decoding: place, as: UTF8.self), expected: expected, next: next)
        let text = receiver == nil ? script.sealing : script.text
        #expect(!text.contains("'"))
        var words = ["sh", "-c", text, "sh"].map { Array($0.utf8) }
        if let receiver { words += ["sh", "-c", receiver].map { Array($0.utf8) } + [marker] }
        let result = try ProgramRun(stop: NoStopSignal()).run(words)
        #expect(!FileSystemLook.names(in: place).contains(Array("\(DestinationMarker.name).new".utf8)))
        return End(
            status: result.status, errors: result.errors,
            marker: try OwnedDescriptor.open(marker, flags: 0).readToEnd())
    }

    @Test func `a receiver that ends well is followed by the marker and by what room there is`() throws {
        let ended = try run([old], new, "exit 0")
        #expect(ended.status == 0 && ended.marker == new.text)
        #expect(ReceiverScript.room(in: ended.errors).flatMap(DestinationLink.space(parsing:)) != nil)
    }

    @Test func `a receiver that fails leaves the marker as it was, and its status counts`() throws {
        let ended = try run([old], new, "exit 23")
        #expect(ended.status == 23 && !ended.isRefused && ended.marker == old.text)
    }

    @Test(arguments: [true, false]) func `a receiver does not start beside another marker`(isSealing: Bool) throws {
        let ended = try run([new], isSealing ? other : nil, "printf x >\"$0\"")
        #expect(ended.status == 78 && ended.isRefused && ended.marker == old.text)
    }

    @Test func `what a receiver that failed may have written is known as well`() throws {
        let ended = try run([new, old], new, "exit 0")
        #expect(ended.status == 0 && ended.marker == new.text)
    }

    @Test func `a marker that changes while the receiver is at work is not replaced`() throws {
        let ended = try run([old], new, "printf 'of another\\n' >\"$0\"")
        #expect(ended.isRefused && ended.marker == Array("of another\n".utf8))
    }

    @Test func `with nothing to write the receiver takes the shell's place`() throws {
        let ended = try run([old], nil, "exit 24")
        #expect(ended.status == 24 && ended.marker == old.text)
    }

    @Test func `a marker is replaced without a receiver, but not another`() throws {
        #expect(try run([old], new, nil).marker == new.text)
        let refused = try run([new], new, nil)
        #expect(refused.isRefused && refused.marker == old.text)
    }

    @Test func `words tell of another marker where rsync ends before ssh's status is known`() {
        #expect(ReceiverScript.isRefused(12, Array("nfs-changes: the marker is another\nrsync error: …".utf8)))
        #expect(!ReceiverScript.isRefused(12, Array("rsync error".utf8)))
    }
}
