import Tracking

/// What a scan is for.
struct ScanScope {
    /// The part of a directory's state that asks for this scan.
    let state: NodeState
    let reason: LookReason
    let isDeep: Bool
    /// What it finds goes into the index without a record: the baseline of a new store.
    let isSilent: Bool

    init(_ state: NodeState) {
        self.state = state.intersection([.queuedGap, .queuedDeep, .queuedSilent])
        reason = state.contains(.queuedGap) ? .gap : .hinted
        isDeep = state.contains(.queuedDeep)
        isSilent = state.contains(.queuedSilent)
    }
}

/// The directories that wait to be walked: a queue whose memory is given back as it empties.
struct WalkQueue {
    private var nodes: [NodeID] = []
    private var head = 0

    var isEmpty: Bool { head == nodes.count }
    var count: Int { nodes.count - head }

    mutating func append(_ node: NodeID) { nodes.append(node) }

    mutating func popFirst() -> NodeID? {
        guard head < nodes.count else { return nil }
        defer {
            head += 1
            if head == nodes.count {
                nodes = []
                head = 0
            } else if head > 4_096 && head * 2 > nodes.count {
                nodes.removeFirst(head)
                head = 0
            }
        }
        return nodes[head]
    }
}
