import Glibc
import LinuxKernel
import Synchronization
import Testing

@testable import TrackerDaemon

@Suite struct InboxTests {
    private func put(_ inbox: Inbox, count: Int, byte: UInt8 = 1) {
        let events = [UInt8](repeating: byte, count: count)
        events.withUnsafeBytes { inbox.put(events: $0) }
    }

    @Test func takesEverythingOnceInOrder() throws {
        let inbox = try Inbox()
        put(inbox, count: 2, byte: 1)
        put(inbox, count: 1, byte: 2)
        inbox.putMountsChanged()
        inbox.put(.stop)
        var content = Inbox.Content()
        inbox.take(into: &content)
        #expect(content.events == [1, 1, 2] && content.mountsChanged && !content.lostEvents)
        #expect(content.orders.count == 1)
        inbox.take(into: &content)
        #expect(content.events.isEmpty && !content.mountsChanged && content.orders.isEmpty)
    }

    /// What does not fit is dropped as a whole and told; what fits afterwards still comes.
    @Test func whatDoesNotFitIsReportedAsLost() throws {
        let inbox = try Inbox()
        put(inbox, count: Inbox.limit)
        var content = Inbox.Content()
        inbox.take(into: &content)
        #expect(content.events.count == Inbox.limit && !content.lostEvents)
        put(inbox, count: Inbox.limit - 10, byte: 2)
        put(inbox, count: 11, byte: 3)
        put(inbox, count: 10, byte: 4)
        inbox.take(into: &content)
        #expect(content.lostEvents && content.events.count == Inbox.limit && content.events.last == 4)
        inbox.take(into: &content)
        #expect(!content.lostEvents && content.events.isEmpty, "told once")
    }

    @Test func largeBuffersAreGivenBack() throws {
        let inbox = try Inbox()
        put(inbox, count: Inbox.limit)
        var content = Inbox.Content()
        inbox.take(into: &content)
        inbox.take(into: &content)
        inbox.take(into: &content)
        #expect(content.events.capacity <= 1 << 20)
    }

    @Test func waitEndsAtOnceForWhatIsThere() throws {
        for number in 0..<4 {
            let inbox = try Inbox()
            switch number {
            case 0: put(inbox, count: 1)
            case 1: inbox.put(.stop)
            case 2: inbox.putMountsChanged()
            default:
                put(inbox, count: Inbox.limit)
                var content = Inbox.Content()
                inbox.take(into: &content)
                put(inbox, count: Inbox.limit + 1)
            }
            let start = MonotonicTime.now
            inbox.wait(until: start.advanced(milliseconds: 10_000))
            #expect(MonotonicTime.now - start < 5_000_000_000)
        }
    }

    @Test func waitLastsUntilItsDeadlineAndNotLess() throws {
        let inbox = try Inbox()
        for milliseconds in [0, 1, 20] as [Int64] {
            let deadline = MonotonicTime.now.advanced(milliseconds: milliseconds)
            inbox.wait(until: deadline)
            #expect(MonotonicTime.now >= deadline)
        }
        let start = MonotonicTime.now
        inbox.wait(until: MonotonicTime(nanoseconds: 0))
        #expect(MonotonicTime.now - start < 1_000_000_000, "a deadline in the past is now")
    }

    /// One thread puts, the other sleeps without a deadline between two takes: a wake-up that gets lost hangs this.
    @Test(.timeLimit(.minutes(1))) func noWakeUpIsLost() throws {
        let inbox = try Inbox()
        let rounds = 4_000
        let taken = Atomic(0)
        let reader = KernelThread(name: "test") {
            var content = Inbox.Content()
            var isStopping = false
            while !isStopping {
                inbox.wait(until: nil)
                inbox.take(into: &content)
                taken.add(content.events.count, ordering: .releasing)
                isStopping = !content.orders.isEmpty
            }
        }
        for round in 1...rounds {
            put(inbox, count: 1)
            // Now and then the other one has to be asleep, or about to be, when the next comes.
            if round % 8 == 0 { while taken.load(ordering: .acquiring) < round { sched_yield() } }
        }
        inbox.put(.stop)
        reader.join()
        #expect(taken.load(ordering: .acquiring) == rounds)
    }
}
