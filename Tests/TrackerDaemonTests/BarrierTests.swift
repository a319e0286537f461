import LinuxKernel
import Synchronization
import Testing

@testable import TrackerDaemon

@Suite struct BarrierTests {
    /// Collects answers.
    private final class Answers: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }

        func reply(_ name: String) -> Barrier.Reply {
            { result in
                let isGood = (try? result.get()) != nil
                self.names.withLock { $0.append(isGood ? name : "no \(name)") }
            }
        }
    }

    private func moment(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func whoAsksMeanwhileWaitsForTheNextTurn() {
        let answers = Answers()
        var barrier = Barrier()
        let beginsEmpty = barrier.begin()
        #expect(!beginsEmpty && !barrier.isUp && !barrier.isDue)
        barrier.join(answers.reply("first"))
        #expect(barrier.isDue)
        let beginsFirst = barrier.begin()
        #expect(beginsFirst && barrier.isUp && !barrier.isPastFirstStep)
        barrier.join(answers.reply("second"))
        let beginsAgain = barrier.begin()
        #expect(!barrier.isDue && !beginsAgain)
        barrier.goOn(isNearEnd: true, now: moment(1))
        #expect(barrier.isPastFirstStep)
        barrier.answer(.success([]))
        #expect(answers.all == ["first"] && barrier.isDue && !barrier.isPastFirstStep)
        let beginsSecond = barrier.begin()
        #expect(beginsSecond)
        barrier.answer(.success([]))
        #expect(answers.all == ["first", "second"] && !barrier.isDue)
    }

    @Test func eventsStayWhereTheyAreAfterAMomentAndNotForLong() {
        var barrier = Barrier()
        barrier.join(Answers().reply("one"))
        _ = barrier.begin()
        // However long the first step took, one more takes what had come by then.
        barrier.goOn(isNearEnd: true, now: moment(5_000))
        #expect(!barrier.holdsEvents)
        barrier.goOn(isNearEnd: true, now: moment(5_079))
        #expect(!barrier.holdsEvents)
        barrier.goOn(isNearEnd: true, now: moment(5_080))
        #expect(barrier.holdsEvents)
        barrier.goOn(isNearEnd: true, now: moment(5_579))
        #expect(barrier.holdsEvents)
        barrier.goOn(isNearEnd: true, now: moment(5_580))
        #expect(!barrier.holdsEvents)
        barrier.goOn(isNearEnd: true, now: moment(5_660))
        #expect(barrier.holdsEvents)
        // A long walk is waited for without holding anything back.
        barrier.goOn(isNearEnd: false, now: moment(5_661))
        #expect(!barrier.holdsEvents)
        barrier.goOn(isNearEnd: false, now: moment(60_000))
        #expect(!barrier.holdsEvents)
        barrier.answer(.success([]))
        #expect(!barrier.holdsEvents && !barrier.isUp)
    }

    @Test func aStopRefusesEverybody() {
        let answers = Answers()
        var barrier = Barrier()
        barrier.join(answers.reply("first"))
        _ = barrier.begin()
        barrier.join(answers.reply("second"))
        barrier.refuse(RefusedOrder(reason: "stopping"))
        #expect(answers.all == ["no first", "no second"] && !barrier.isUp && !barrier.isDue)
    }
}
