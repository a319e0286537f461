public import LinuxKernel

/// Keeps a file that is written continuously at one record a second.
///
/// After a record, further writes to the same name wait until a second has passed. One record may come early, when the
/// writing has paused, so that the last write of a short burst is in the log at once; a file that never pauses
/// never uses it.
public struct RecordPacing {
    /// Nanoseconds between two records of one name.
    public static let interval: Int64 = 1_000_000_000
    /// Names that are remembered at most: past that the oldest are forgotten, which costs further lines and no change.
    private static let limit = 65_536

    /// How long a name must have been quiet for its record to come early, in nanoseconds.
    public static let pause: Int64 = 250_000_000

    private struct Recent {
        var last: MonotonicTime
        var mayComeEarly: Bool
        /// When it was last put off with an event read since the time before.
        var busyAt: MonotonicTime
    }
    private var recent: [UInt64: Recent] = [:]
    private var nextSweep = MonotonicTime(nanoseconds: 0)
    var rememberedCount: Int { recent.count }

    public init() {}

    /// When to decide again about a mark of `name` with these hints; nil when it may be looked at now.
    ///
    /// Asking before that time is allowed, and answered for each name by itself: marks of many names come back together.
    public mutating func putOff(
        _ name: UnsafeRawBufferPointer, in node: NodeID, hints: Hints, now: MonotonicTime
    ) -> MonotonicTime? {
        // Names that appear or vanish never wait, and neither does what other names' changes demand.
        guard !recent.isEmpty, hints.isSubset(of: .ongoing) else { return nil }
        let key = NameHash.hash(name, in: node.index)
        guard let known = recent[key] else { return nil }
        let due = MonotonicTime(nanoseconds: known.last.nanoseconds + Self.interval)
        if due <= now { return nil }
        guard known.mayComeEarly else { return due }
        let busyAt = hints.contains(.fresh) ? now : known.busyAt
        recent[key]?.busyAt = busyAt
        if now - busyAt >= Self.pause { return nil }
        return min(due, MonotonicTime(nanoseconds: busyAt.nanoseconds + Self.pause))
    }

    /// Notes that a record of the name was written.
    public mutating func recorded(_ name: UnsafeRawBufferPointer, in node: NodeID, now: MonotonicTime) {
        if now >= nextSweep || recent.count >= Self.limit { sweep(now) }
        let key = NameHash.hash(name, in: node.index)
        var mayComeEarly = true
        if let known = recent[key], isBusy(known, now) {
            // Within the interval this record is the early one; a name that has kept the pace keeps what it had.
            mayComeEarly = now - known.last >= Self.interval && known.mayComeEarly
        }
        recent[key] = Recent(last: now, mayComeEarly: mayComeEarly, busyAt: now)
    }

    /// The name goes on being recorded, rather than once more after a rest.
    private func isBusy(_ known: Recent, _ now: MonotonicTime) -> Bool {
        now - known.last < Self.interval + Self.interval / 2
    }

    private mutating func sweep(_ now: MonotonicTime) {
        nextSweep = now.advanced(milliseconds: 2_000)
        recent = recent.filter { isBusy($0.value, now) }
        if recent.count >= Self.limit { recent.removeAll(keepingCapacity: true) }
    }
}
