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

    private struct Recent {
        var last: MonotonicTime
        var mayComeEarly: Bool
    }
    private var recent: [UInt64: Recent] = [:]
    private var nextSweep = MonotonicTime(nanoseconds: 0)

    public init() {}

    /// When a mark of `name` with these hints may be looked at; nil for now.
    ///
    /// - Parameter isPaused: no event came for it during the last settling time.
    public func notBefore(
        _ name: UnsafeRawBufferPointer, in node: NodeID, hints: Hints, isPaused: Bool, now: MonotonicTime
    ) -> MonotonicTime? {
        // Names that appear or vanish never wait, and neither does what other names' changes demand.
        guard !recent.isEmpty, hints.isSubset(of: .ongoing),
            let known = recent[NameHash.hash(name, in: node.index)]
        else { return nil }
        let due = MonotonicTime(nanoseconds: known.last.nanoseconds + Self.interval)
        if due <= now || (isPaused && known.mayComeEarly) { return nil }
        return due
    }

    /// Notes that a record of the name was written.
    public mutating func recorded(_ name: UnsafeRawBufferPointer, in node: NodeID, now: MonotonicTime) {
        if now >= nextSweep || recent.count >= Self.limit { sweep(now) }
        let key = NameHash.hash(name, in: node.index)
        if let known = recent[key], now - known.last < Self.interval {
            recent[key] = Recent(last: now, mayComeEarly: false)
        } else {
            // A name that has paced itself for a while earns the early record back.
            let wasBusy = recent[key].map { now - $0.last < Self.interval + Self.interval / 2 } ?? false
            recent[key] = Recent(last: now, mayComeEarly: !wasBusy || (recent[key]?.mayComeEarly ?? true))
        }
    }

    private mutating func sweep(_ now: MonotonicTime) {
        nextSweep = now.advanced(milliseconds: 2_000)
        recent = recent.filter { now - $0.value.last < Self.interval + Self.interval / 2 }
        if recent.count >= Self.limit { recent.removeAll(keepingCapacity: true) }
    }
}
