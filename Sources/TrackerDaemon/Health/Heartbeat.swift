public import LinuxKernel
import Synchronization

/// The sign of life of one stage of the pipeline: written by the stage, read by the watchdog's timer.
///
/// One relaxed atomic word, so a stage can afford it for every batch. The word is a moment of `MonotonicTime`, positive
/// while the stage has work, negative since it has none, and 0 before its first.
public final class Heartbeat: Sendable {
    private let word = Atomic<Int64>(0)
    private let thread = Atomic<Int32>(0)

    public init() {}

    /// Names the calling thread as the one whose state tells a stage that waits for a disk from one that is stuck.
    public func adoptCurrentThread() { adopt(thread: currentThreadIdentifier()) }

    /// Names the thread that the stage's own thread is about to wait for.
    public func adopt(thread number: Int32) { thread.store(number, ordering: .relaxed) }

    /// There is work from now on.
    ///
    /// Whoever hands the work over calls it, under the same lock as the work: a thread that never wakes up for it is
    /// then found as well. For a stage that is busy already this is no progress, and changes nothing.
    public func begin(at now: MonotonicTime = .now) {
        let seen = word.load(ordering: .relaxed)
        if seen > 0 { return }
        _ = word.compareExchange(expected: seen, desired: now.nanoseconds, ordering: .relaxed)
    }

    /// A part of the work is done, and more may follow.
    public func progress(at now: MonotonicTime = .now) { word.store(now.nanoseconds, ordering: .relaxed) }

    /// There is no work left, under the same lock as `begin`.
    ///
    /// Also what a stage calls before it waits for another stage, one that has no room for its output: that one is
    /// judged in its place.
    public func idle(at now: MonotonicTime = .now) { word.store(-now.nanoseconds, ordering: .relaxed) }

    /// What one look at a stage sees.
    public struct Snapshot: Equatable, Sendable {
        /// The moment of the last `begin`, `progress` or `idle`; nil before the first.
        public let lastProgress: MonotonicTime?
        public let isBusy: Bool
        /// The kernel's number of the stage's thread; 0 before `adoptCurrentThread`.
        public let thread: Int32

        public init(lastProgress: MonotonicTime?, isBusy: Bool, thread: Int32) {
            self.lastProgress = lastProgress
            self.isBusy = isBusy
            self.thread = thread
        }
    }

    public var snapshot: Snapshot {
        let word = word.load(ordering: .relaxed)
        return Snapshot(
            lastProgress: word == 0 ? nil : MonotonicTime(nanoseconds: abs(word)), isBusy: word > 0,
            thread: thread.load(ordering: .relaxed))
    }
}
