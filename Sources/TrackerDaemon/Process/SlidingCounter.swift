import LinuxKernel

/// Counts the events of the time just passed, in steps: the last minute in steps of five seconds, the last hour in
/// steps of a minute.
struct SlidingCounter {
    private var buckets: [Int64]
    /// Nanoseconds.
    private let step: Int64
    private var current: Int64 = 0

    static var lastMinute: SlidingCounter { SlidingCounter(steps: 12, seconds: 5) }
    static var lastHour: SlidingCounter { SlidingCounter(steps: 60, seconds: 60) }

    private init(steps: Int, seconds: Int64) {
        buckets = [Int64](repeating: 0, count: steps)
        step = seconds * 1_000_000_000
    }

    mutating func add(_ count: Int64, at now: MonotonicTime) {
        advance(to: now)
        buckets[place(of: current)] += count
    }

    mutating func total(at now: MonotonicTime) -> Int64 { steps(at: now).reduce(0, +) }

    /// The count of each step, the current one last.
    mutating func steps(at now: MonotonicTime) -> [Int64] {
        advance(to: now)
        let count = Int64(buckets.count)
        // The clock may not have run for as many steps yet.
        return (current - count + 1...current).map { $0 < 0 ? 0 : buckets[place(of: $0)] }
    }

    private func place(of step: Int64) -> Int { Int(step % Int64(buckets.count)) }

    private mutating func advance(to now: MonotonicTime) {
        let number = now.nanoseconds / step
        guard number > current else { return }
        for passed in max(current + 1, number - Int64(buckets.count) + 1)...number { buckets[place(of: passed)] = 0 }
        current = number
    }
}
