public import LinuxKernel

/// What one batch does at the destination. Paths are relative to the source.
public struct BatchPlan: Equatable, Sendable {
    /// What is to be sent, in the order of its first path; parents come before what is in them.
    public var units: [Unit] = []
    /// New names that are made at the destination out of what it has, in runs of their own before the units.
    public var clones: [LinkClone] = []
    /// To be deleted before it is sent: symlinks, FIFOs and devices that took the place of others. rsync takes those that
    /// look the same for the same, with whatever hard links they have at the destination.
    public var replaced: [[UInt8]] = []
    /// To be deleted with everything in them; none lies in another.
    public var deletions: [[UInt8]] = []
    /// Every path that is gone, in `deletions` or in one of them.
    public var gone: [[UInt8]] = []
    /// Paths that are gone because something else took the place of a directory above them: they go when it is put.
    public var covered: [[UInt8]] = []
    /// Paths whose deletion waits; only a dry run tells them apart from `gone`.
    public var held: [[UInt8]] = []
    /// Paths that are put off.
    public var postponed: [Postponed] = []

    public init() {}

    /// Paths that go in one run of rsync or not at all: the names of an inode.
    public struct Unit: Equatable, Sendable {
        public let paths: [[UInt8]]
        /// To be sent whatever size and time say.
        public let isForced: Bool
        /// Bytes of content that may have to be sent.
        public let bytes: Int64
        /// Further names of the inode, which the destination has: they are listed too, so that `paths` become links to
        /// them and nothing is sent.
        public let anchors: [[UInt8]]
        /// There were anchors when it was planned: nothing of it is to be sent.
        let isLinked: Bool

        public init(_ paths: [[UInt8]], isForced: Bool = false, bytes: Int64 = 0, anchors: [[UInt8]] = []) {
            self.init(paths, isForced: isForced, bytes: bytes, anchors: anchors, isLinked: !anchors.isEmpty)
        }

        private init(_ paths: [[UInt8]], isForced: Bool, bytes: Int64, anchors: [[UInt8]], isLinked: Bool) {
            self.paths = paths
            self.isForced = isForced
            self.bytes = bytes
            self.anchors = anchors
            self.isLinked = isLinked
        }

        /// Resuming it saves nothing.
        var isSmall: Bool { bytes <= 262_144 }

        /// The unit without some of its paths and anchors; nil when no path is left.
        func without(_ isOut: ([UInt8]) -> Bool) -> Unit? {
            let rest = paths.filter { !isOut($0) }
            if rest.isEmpty { return nil }
            if rest.count == paths.count, !anchors.contains(where: isOut) { return self }
            return Unit(
                rest, isForced: isForced, bytes: bytes, anchors: anchors.filter { !isOut($0) }, isLinked: isLinked)
        }
    }

    /// Bytes of content that may have to be sent.
    public var bytes: Int64 { units.reduce(0) { $0 + $1.bytes } }

    public struct Postponed: Equatable, Sendable {
        public let path: [UInt8]
        public let facts: PathFacts
        public let due: Timestamp
        public let reason: Reason

        public init(path: [UInt8], facts: PathFacts, due: Timestamp, reason: Reason) {
            self.path = path
            self.facts = facts
            self.due = due
            self.reason = reason
        }
    }

    public enum Reason: Equatable, Sendable {
        /// It is being written.
        case unsettled
        /// It is not there although nothing says that it was deleted: that may come, or a file system is not mounted.
        case absent
        /// It cannot be looked at: the errno.
        case unreadable(Int32)
        /// Its root is missing, held or another one.
        case rootAway
    }

    /// Nothing is to be done at the destination.
    public var isEmpty: Bool { units.isEmpty && clones.isEmpty && deletions.isEmpty }

    /// All of it is one run of rsync.
    var isOneRun: Bool {
        guard let first = units.first, clones.isEmpty, replaced.isEmpty, gone.isEmpty, covered.isEmpty else {
            return false
        }
        // What was to be linked may have to be sent after all.
        return units.allSatisfy { $0.isForced == first.isForced && !$0.isLinked }
    }

    /// The parents of a relative path, nearest last.
    public static func parents(of path: [UInt8]) -> [[UInt8]] {
        path.indices.filter { path[$0] == UInt8(ascii: "/") }.map { Array(path[..<$0]) }
    }

    /// The nearest parent of a relative path; empty for one that stands at the top.
    public static func parent(of path: [UInt8]) -> [UInt8] {
        path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) } ?? []
    }

    /// The paths of some units with all their parents, each once, parents first.
    public static func paths(of units: some Sequence<Unit>) -> [[UInt8]] {
        var all: Set<[UInt8]> = []
        for unit in units {
            for path in unit.paths + unit.anchors where all.insert(path).inserted {
                var parent = path[...]
                while let slash = parent.lastIndex(of: UInt8(ascii: "/")) {
                    parent = parent[..<slash]
                    guard all.insert(Array(parent)).inserted else { break }
                }
            }
        }
        return all.sorted(by: precedes)
    }

    /// Those of sorted paths that lie in no other of them.
    static func outermost(_ paths: [[UInt8]]) -> [[UInt8]] {
        var all: [[UInt8]] = []
        for path in paths where all.last.map({ RenameMap.rest(of: path, below: $0) == nil }) ?? true {
            all.append(path)
        }
        return all
    }

    /// The order of components: what is in a directory follows it at once.
    public static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                for index in 0..<min(left.count, right.count) where left[index] != right[index] {
                    if left[index] == UInt8(ascii: "/") { return true }
                    if right[index] == UInt8(ascii: "/") { return false }
                    return left[index] < right[index]
                }
                return left.count < right.count
            }
        }
    }
}
