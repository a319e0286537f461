public import LinuxKernel

/// Joins the two halves of a rename by their cookie, also when they come in different reads.
///
/// The kernel queues `IN_MOVED_FROM` and `IN_MOVED_TO` of one rename one after the other (fs/notify: fsnotify_move),
/// but others' events can stand between them, and the second half is missing when the file left the watched trees.
public struct MovePairing {
    private struct Half {
        var origin: Origin
        /// What events had told of the inode under its old name.
        let hints: Hints
        /// The same name at further places: bind mounts show a directory twice, and each has both halves.
        var further: [Origin] = []
        let since: MonotonicTime
    }
    private var open: [UInt32: Half] = [:]

    public init() {}

    /// - Parameter hints: what the old name was marked with when it was renamed.
    public mutating func from(_ cookie: UInt32, _ origin: Origin, hints: Hints = [], now: MonotonicTime) {
        if open[cookie] == nil {
            open[cookie] = Half(origin: origin, hints: hints.takenAlong, since: now)
        } else {
            open[cookie]?.further.append(origin)
        }
    }

    /// The place that `cookie` came from, once for each place that was given, in their order; and the hints that go
    /// along with the inode.
    public mutating func to(_ cookie: UInt32) -> (origin: Origin, hints: Hints)? {
        guard !open.isEmpty, let half = open.removeValue(forKey: cookie) else { return nil }
        if let next = half.further.first {
            open[cookie] = Half(
                origin: next, hints: half.hints, further: Array(half.further.dropFirst()), since: half.since)
        }
        return (half.origin, half.hints)
    }

    /// Gives up what has waited since before `moment`: it left the watched trees.
    public mutating func forget(before moment: MonotonicTime) {
        guard !open.isEmpty else { return }
        open = open.filter { $0.value.since >= moment }
    }
}
