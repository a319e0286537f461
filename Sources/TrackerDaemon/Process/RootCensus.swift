import LinuxKernel
import Tracking

/// How many directories each root has. Counted now and then, in at most a hundredth of the time.
struct RootCensus {
    private(set) var roots: [TrackerReport.Root] = []
    /// When it may be taken again.
    private(set) var due = MonotonicTime(nanoseconds: 0)
    /// How the tree was when it was counted.
    private var stamp: Stamp?

    private struct Stamp: Equatable {
        let count: Int
        let rearrangements: Int
        let roots: [NodeID]
        let states: [NodeState]

        init(_ tree: DirectoryTree) {
            count = tree.count
            rearrangements = tree.rearrangements
            roots = tree.roots
            states = tree.roots.map { tree.state(of: $0).intersection([.held, .missing]) }
        }
    }

    func isOutdated(for tree: DirectoryTree) -> Bool { Stamp(tree) != stamp }

    mutating func take(of tree: DirectoryTree, _ now: MonotonicTime) {
        guard now >= due, isOutdated(for: tree) else { return }
        stamp = Stamp(tree)
        roots = tree.roots.map { root in
            let state = tree.state(of: root)
            return TrackerReport.Root(
                path: tree.name(of: root),
                state: state.contains(.missing) ? .missing : state.contains(.held) ? .held : .watched,
                directories: tree.countOfSubtree(of: root))
        }
        let cost = MonotonicTime.now - now
        due = MonotonicTime(nanoseconds: now.nanoseconds + max(1_000_000_000, cost * 100))
    }
}
