import ChangeStore
import Tracking

/// How many changes of each kind were recorded below one root.
struct RootChanges: Equatable, Sendable {
    /// Its path; empty: below none that is tracked any more.
    let root: [UInt8]
    /// By the kind's raw value.
    private(set) var counts = [Int64](repeating: 0, count: Int(ChangeKind.allCases.map(\.rawValue).max() ?? 0) + 1)

    init(root: [UInt8]) { self.root = root }

    subscript(kind: ChangeKind) -> Int64 {
        get { counts[Int(kind.rawValue)] }
        set { counts[Int(kind.rawValue)] = newValue }
    }

    mutating func add(_ other: RootChanges) { for index in counts.indices { counts[index] += other.counts[index] } }
}

extension TrackingEngine {
    /// Counts a change of a name in a directory of the tree, or of a root.
    func count(_ kind: ChangeKind, in node: NodeID) { count(kind, root: tree.root(of: node)) }

    /// Counts a change in a directory that may be out of the tree by now.
    func count(_ kind: ChangeKind, below path: [UInt8]) {
        let root = tree.roots.first { root in
            let name = tree.name(of: root)
            return path == name || path.starts(with: name + [UInt8(ascii: "/")])
        }
        count(kind, root: root ?? .none)
    }

    private func count(_ kind: ChangeKind, root: NodeID) {
        statistics.changes += 1
        let isRoot = root != .none && tree.isRoot(root)
        statistics.changesByRoot[
            isRoot ? root : .none, default: RootChanges(root: isRoot ? tree.name(of: root) : [])][kind] += 1
    }

    /// The changes by root since the last call.
    func takeChangesByRoot() -> [RootChanges] {
        defer { statistics.changesByRoot = [:] }
        return Array(statistics.changesByRoot.values)
    }
}
