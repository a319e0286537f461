/// One name to be looked at. Its bytes are in the batch's arena.
public struct Mark {
    public let node: NodeID
    public internal(set) var hints: Hints
    let nameOffset: UInt32
    let nameLength: UInt8
    /// The next mark of the same directory, or -1.
    var next: Int32
    let hash: UInt32
}

/// Where something was renamed from.
public struct Origin: Hashable, Sendable {
    public let node: NodeID
    public let name: [UInt8]
    public init(node: NodeID, name: [UInt8]) {
        self.node = node
        self.name = name
    }
}

/// The names that have to be looked at, each once, however many events it had.
///
/// It is bounded by what feeds it: at most one full inbox of events between two batches.
public final class MarkSet {
    private(set) var marks: [Mark] = []
    private var names = NameArena()
    private var slots: [Int32] = Array(repeating: -1, count: 1_024)
    /// First mark of each node, by node number; -1 for none.
    private var heads: [Int32] = []
    /// The nodes that have marks, in the order of their first.
    public private(set) var nodes: [NodeID] = []
    private var origins: [Int32: Origin] = [:]

    public init() {}

    public var count: Int { marks.count }
    public var isEmpty: Bool { marks.isEmpty }

    /// Marks a name. Marking it again adds the hints.
    public func mark(_ name: UnsafeRawBufferPointer, in node: NodeID, _ hints: Hints, origin: Origin? = nil) {
        let hash = NameHash.hash(name, in: node.index)
        let position = slot(of: name, in: node, hash)
        if slots[position] >= 0 {
            let index = slots[position]
            combine(Int(index), hints)
            if let origin { origins[index] = origin }
            return
        }
        let number = Int32(marks.count)
        slots[position] = number
        if heads.count <= Int(node.index) {
            heads.append(contentsOf: repeatElement(-1, count: Int(node.index) + 1 - heads.count))
        }
        let head = heads[Int(node.index)]
        // An older generation's marks may still stand under the same number.
        if head < 0 || (marks[Int(head)].node != node && !nodes.contains(node)) { nodes.append(node) }
        heads[Int(node.index)] = number
        marks.append(
            Mark(
                node: node, hints: hints, nameOffset: names.append(name),
                nameLength: UInt8(truncatingIfNeeded: name.count), next: head,
                hash: UInt32(truncatingIfNeeded: hash)))
        if let origin { origins[number] = origin }
        if marks.count * 2 > slots.count { grow() }
    }

    /// What a name is marked with; nothing for one that is not marked.
    public func hints(of name: UnsafeRawBufferPointer, in node: NodeID) -> Hints {
        index(of: name, in: node).map { marks[$0].hints } ?? []
    }

    /// Where the inode that has a name now was renamed from, since the name was first marked: the name that the index
    /// knows it by, through however many renames.
    func origin(of name: UnsafeRawBufferPointer, in node: NodeID) -> Origin? {
        origins.isEmpty ? nil : index(of: name, in: node).flatMap { origins[Int32($0)] }
    }

    private func index(of name: UnsafeRawBufferPointer, in node: NodeID) -> Int? {
        let index = slots[slot(of: name, in: node, NameHash.hash(name, in: node.index))]
        return index < 0 ? nil : Int(index)
    }

    /// Where the number of a name's mark is, or would be.
    private func slot(of name: UnsafeRawBufferPointer, in node: NodeID, _ hash: UInt64) -> Int {
        var position = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[position] >= 0 {
            let mark = marks[Int(slots[position])]
            if mark.hash == UInt32(truncatingIfNeeded: hash), mark.node == node, matches(mark, name) { break }
            position = (position + 1) & (slots.count - 1)
        }
        return position
    }

    private func combine(_ index: Int, _ added: Hints) {
        if !added.isDisjoint(with: .takesName) { giveUpInode(of: index) }
        var hints = marks[index].hints
        // An event of the name's own is not the echo of another name's, and has to reach the others.
        if !added.contains(.viaLink) || !hints.contains(.viaLink) { hints.remove(.viaLink) }
        let own = hints.contains(.viaLink) ? added : added.subtracting(.viaLink)
        // What the first rename brought has lost the name to the second without a word.
        if added.contains(.renamedTo) && hints.contains(.renamedTo) { hints.insert(.vanished) }
        let closes = !added.isDisjoint(with: [.loneClose, .closed])
        if closes && hints.contains(.writtenOpen) {
            // The write is in this mark: its close adds nothing.
            hints.remove(.writtenOpen)
            hints.formUnion(own.subtracting(.loneClose))
        } else {
            hints.formUnion(own)
        }
        marks[index].hints = hints
    }

    /// The inode that has a mark's name loses it: what is told of the name from now on concerns another one.
    private func giveUpInode(of index: Int) {
        let hints = marks[index].hints
        marks[index].hints.subtract(Hints.ofInode.union(.broughtAlong))
        let origin = origins.removeValue(forKey: Int32(index))
        let isEcho = hints.contains(.viaLink) && !hints.contains(.fresh)
        let former = hints.intersection(.ofInode).asFormer
        guard !former.isEmpty, !isEcho else { return }
        // When the name was lost before, this is no longer what the index has there.
        if !hints.contains(.vanished) { marks[index].hints.formUnion(former) }
        // If it came by a rename, the index has it where it came from.
        if let origin { origin.name.withUnsafeBytes { mark($0, in: origin.node, former) } }
    }

    private func matches(_ mark: Mark, _ name: UnsafeRawBufferPointer) -> Bool {
        guard Int(mark.nameLength) == name.count else { return false }
        return names.withName(mark.nameOffset, name.count) { $0.elementsEqual(name) }
    }

    private func grow() {
        slots = Array(repeating: -1, count: slots.count * 4)
        for (index, mark) in marks.enumerated() {
            let hash = withName(of: mark) { NameHash.hash($0, in: mark.node.index) }
            var position = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[position] >= 0 { position = (position + 1) & (slots.count - 1) }
            slots[position] = Int32(index)
        }
    }

    public func has(_ node: NodeID) -> Bool {
        Int(node.index) < heads.count && heads[Int(node.index)] >= 0
    }

    /// The name's bytes; a NUL follows them in memory.
    @inline(__always)
    public func withName<Result, Failure: Error>(
        of mark: Mark, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try names.withName(mark.nameOffset, Int(mark.nameLength), body)
    }

    /// The numbers of a directory's marks, oldest first.
    public func indices(of node: NodeID) -> [Int] {
        guard has(node) else { return [] }
        var all: [Int] = []
        var index = heads[Int(node.index)]
        while index >= 0 {
            if marks[Int(index)].node == node { all.append(Int(index)) }
            index = marks[Int(index)].next
        }
        return all.reversed()
    }

    public subscript(index: Int) -> Mark { marks[index] }
    public func origin(of index: Int) -> Origin? { origins.isEmpty ? nil : origins[Int32(index)] }

    /// Exchanges everything with another set: what was marked is then there to be worked through, while new marks
    /// come into this one.
    public func exchange(with other: MarkSet) {
        swap(&marks, &other.marks)
        swap(&names, &other.names)
        swap(&slots, &other.slots)
        swap(&heads, &other.heads)
        swap(&nodes, &other.nodes)
        swap(&origins, &other.origins)
    }

    public func removeAll() {
        for node in nodes { heads[Int(node.index)] = -1 }
        nodes.removeAll(keepingCapacity: true)
        marks.removeAll(keepingCapacity: marks.count < 65_536)
        names.removeAll()
        origins.removeAll()
        if slots.count > 262_144 {
            slots = Array(repeating: -1, count: 1_024)
            names = NameArena()
        } else {
            for index in slots.indices { slots[index] = -1 }
        }
    }
}
