import LinuxKernel
import Testing

@testable import Offsite

@Suite struct RoomWatchTests {
    private final class Signal: StopSignal {
        var isSet = false
        let descriptor: Int32 = -1
        func isRequested() -> Bool { isSet }
    }

    @Test func `a transfer ends when too little is left, and is not asked too often`() {
        var left: Int64 = 100
        var questions = 0
        let signal = Signal()
        let watch = RoomWatch(
            signal, every: 0,
            ask: {
                questions += 1
                left -= 30
                return left == 40 ? nil : FileSystemSpace(available: left, total: 1_000)
            }, isTooLittle: { $0.available < 20 })
        #expect(!watch.isRequested() && watch.room?.available == 70)
        // Nobody answered.
        #expect(!watch.isRequested() && watch.room?.available == 70)
        #expect(watch.isRequested() && watch.isFull && watch.room?.available == 10)
        #expect(watch.isRequested() && questions == 3)

        let slow = RoomWatch(signal, ask: { FileSystemSpace(available: 0, total: 1) }, isTooLittle: { _ in true })
        #expect(!slow.isRequested())
        signal.isSet = true
        #expect(slow.isRequested() && !slow.isFull)
    }

    @Test func `the default fits small disks and those that are meant to be full`() throws {
        let target = try #require(SyncTarget(parsing: "/copy"))
        var settings = DestinationSettings(name: "a", source: [], target: target)
        #expect(settings.leastFree(of: 100 << 30) == 5 << 30)
        #expect(settings.leastFree(of: 12 << 40) == 20 << 30)
        settings.minFree = .share(percent: 10)
        #expect(settings.leastFree(of: 100 << 30) == 10 << 30)
    }
}
