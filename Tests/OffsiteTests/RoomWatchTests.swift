import LinuxKernel
import Testing

@testable import Offsite

@Suite struct RoomWatchTests {
    private final class Signal: StopSignal {
        var isSet = false
        let descriptor: Int32 = -1
        func isRequested() -> Bool { isSet }
    }

    private func settings(_ minFree: Amount?) throws -> DestinationSettings {
        var settings = DestinationSettings(
            name: "a", source: [], target: try #require(SyncTarget(parsing: "/copy")))
        settings.minFree = minFree
        return settings
    }

    @Test func `a transfer ends when too little is left`() throws {
        var answers: [FileSystemSpace?] = [nil, FileSystemSpace(available: 10, total: 1_000)]
        let signal = Signal()
        let watch = RoomWatch(signal, try settings(.count(20)), room: nil, ask: { answers.removeFirst() })
        // Nobody answered: asked again later.
        #expect(!watch.isRequested() && watch.room == nil && !watch.isRequested() && answers.count == 1)
        signal.isSet = true
        #expect(watch.isRequested() && !watch.isFull)

        let full = RoomWatch(Signal(), try settings(.count(20)), room: nil, ask: { answers.removeFirst() })
        #expect(full.isRequested() && full.isFull && full.room?.available == 10 && full.isRequested())
    }

    @Test func `the nearer min_free is, the more often the destination is asked`() throws {
        let watch = RoomWatch(Signal(), try settings(.count(1 << 30)), room: nil, ask: { nil })
        func pause(_ available: Int64) -> Int64 {
            watch.pause(at: FileSystemSpace(available: available, total: 1 << 40))
        }
        #expect(pause(1 << 40) == 10_000 && pause(2 << 30) == 4_096 && pause(1 << 30) == 200 && pause(0) == 200)
    }

    @Test func `the default fits small disks and those that are meant to be full`() throws {
        #expect(try settings(nil).leastFree(of: 100 << 30) == 5 << 30)
        #expect(try settings(nil).leastFree(of: 12 << 40) == 20 << 30)
        #expect(try settings(.share(percent: 10)).leastFree(of: 100 << 30) == 10 << 30)
    }
}
