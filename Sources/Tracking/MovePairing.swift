public import LinuxKernel

/// Joins the two halves of a rename by their cookie, also when they come in different reads.
///
/// The kernel queues `IN_MOVED_FROM` and `IN_MOVED_TO` of one rename one after the other (fs/notify: fsnotify_move),
/// but others' events can stand between them, and the second half is missing when the file left the watched trees.
public struct MovePairing {
    private var open: [UInt32: (origin: Origin, since: MonotonicTime)] = [:]

    public init() {}

    public mutating func from(_ cookie: UInt32, _ origin: Origin, now: MonotonicTime) {
        open[cookie] = (origin, now)
    }

    /// The place that `cookie` came from, once.
    public mutating func to(_ cookie: UInt32) -> Origin? {
        open.isEmpty ? nil : open.removeValue(forKey: cookie)?.origin
    }

    /// Gives up what has waited since before `moment`: it left the watched trees.
    public mutating func forget(before moment: MonotonicTime) {
        guard !open.isEmpty else { return }
        open = open.filter { $0.value.since >= moment }
    }
}
