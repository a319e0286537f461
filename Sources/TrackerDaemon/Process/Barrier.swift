import LinuxKernel

/// Those who wait until everything that happened before they asked is in the store.
///
/// What happens afterwards must not keep them waiting, however much it is. For a moment events are still taken, since
/// they may tell where a directory went that is not at its place; then they stay in the inbox until what was taken
/// before is settled. Who asks meanwhile waits for the next turn.
struct Barrier {
    typealias Reply = @Sendable (Result<[String], RefusedOrder>) -> Void

    private var waiting: [Reply] = []
    private var next: [Reply] = []
    /// When events are left in the inbox, or taken again; nil in the turn's first step.
    private var change: MonotonicTime?
    /// Events stay in the inbox.
    private(set) var holdsEvents = false

    /// How long events are taken first, in milliseconds: twice what the other half of a rename takes to show.
    private static let patience: Int64 = 80
    /// How long they stay in the inbox at most, which holds those of about a second's storm.
    private static let longestHold: Int64 = 500

    /// A turn is under way.
    var isUp: Bool { !waiting.isEmpty }
    /// A turn can begin.
    var isDue: Bool { waiting.isEmpty && !next.isEmpty }
    /// The turn's first step is over: what comes now happened after it was asked for.
    var isPastFirstStep: Bool { change != nil }

    mutating func join(_ reply: @escaping Reply) { next.append(reply) }

    /// Begins a turn for those who have joined, unless one is under way. Everything that happened before they asked must
    /// have been taken out of the inbox, or be taken with the next step.
    ///
    /// - Returns: whether one begins.
    mutating func begin() -> Bool {
        guard isDue else { return false }
        swap(&waiting, &next)
        return true
    }

    /// A step is over and not everything is settled.
    ///
    /// - Parameter isNearEnd: nothing is left that would take longer than the inbox can hold events for.
    mutating func goOn(isNearEnd: Bool, now: MonotonicTime) {
        guard isUp else { return }
        let isOver = change.map { $0 <= now } ?? true
        if change == nil || holdsEvents && (isOver || !isNearEnd) {
            holdsEvents = false
            change = now.advanced(milliseconds: Self.patience)
        } else if !holdsEvents && isOver && isNearEnd {
            holdsEvents = true
            change = now.advanced(milliseconds: Self.longestHold)
        }
    }

    /// Answers those whose turn it is.
    mutating func answer(_ result: Result<[String], RefusedOrder>) {
        for reply in waiting { reply(result) }
        waiting = []
        change = nil
        holdsEvents = false
    }

    /// Nobody is answered any more.
    mutating func refuse(_ reason: RefusedOrder) {
        answer(.failure(reason))
        if begin() { answer(.failure(reason)) }
    }
}
