public import ChangeStore
import LinuxKernel

/// A directory in the tree, by its place in the tree's arrays. Places are given again after a removal, with another
/// generation: a number that was kept too long means nobody, never somebody else.
public struct NodeID: Hashable, Sendable {
    let index: Int32
    let generation: UInt32
    public static let none = NodeID(index: -1, generation: 0)
}

/// Every directory below the roots: where it is believed to be, which inode it is and which watch it has.
///
/// It mirrors the index's directories, held in memory because each event needs it: about 100 bytes a directory.
/// The belief may lag behind the file system; whoever opens a directory by its path checks that it is the inode
/// that the node means.
public final class DirectoryTree {
    var nodes: [Node] = []
    var names = NameArena()
    var children = NodeTable()
    var identities = NodeTable()
    var recorded = NodeTable()
    private var free: [Int32] = []
    var watches: [Int32: Int32] = [:]
    /// The further nodes of a watch that several nodes share: bind mounts show one inode at two places.
    var sharedWatches: [Int32: [Int32]] = [:]
    public private(set) var roots: [NodeID] = []
    /// Directories in the tree, roots included.
    public private(set) var count = 0
    public var watchCount: Int { watches.count }
    /// Counts what changes where a directory is or which one it is: while it stands still, whatever was found open at
    /// its place is still what the tree means by that place. Additions do not count.
    public private(set) var rearrangements = 0

    public init() {}

    struct Node {
        var directory: Int64 = 0
        var inode: UInt64
        var born: Int64
        var path: Int64 = 0
        var fileSystem: Int32
        var parent: Int32
        var firstChild: Int32 = -1
        var nextSibling: Int32 = -1
        var previousSibling: Int32 = -1
        var watch: Int32 = -1
        var nameOffset: UInt32
        var nameLength: UInt16
        var state: NodeState = []
        var isLive = true
        var generation: UInt32 = 0
    }

    subscript(node: NodeID) -> Node {
        get { nodes[Int(node.index)] }
        set { nodes[Int(node.index)] = newValue }
    }

    func id(_ index: Int32) -> NodeID {
        index < 0 ? .none : NodeID(index: index, generation: nodes[Int(index)].generation)
    }

    // MARK: Looking

    public func child(of parent: NodeID, named name: UnsafeRawBufferPointer) -> NodeID? {
        let found = children.first(hash: NameHash.hash(name, in: parent.index)) { candidate in
            nodes[Int(candidate)].parent == parent.index && hasName(candidate, name)
        }
        return found.map(id)
    }

    private func hasName(_ node: Int32, _ name: UnsafeRawBufferPointer) -> Bool {
        let length = Int(nodes[Int(node)].nameLength)
        guard length == name.count else { return false }
        return names.withName(nodes[Int(node)].nameOffset, length) { $0.elementsEqual(name) }
    }

    /// A node that is this directory, other than `except`.
    public func node(with identity: DirectoryIdentity, except: NodeID = .none) -> NodeID? {
        let found = identities.first(hash: Self.hash(of: identity.key)) { candidate in
            let node = nodes[Int(candidate)]
            return node.inode == identity.key.inode && node.fileSystem == identity.key.fileSystem.rawValue
                && node.born == identity.born && candidate != except.index
        }
        return found.map(id)
    }

    public func identity(of node: NodeID) -> DirectoryIdentity {
        let node = self[node]
        return DirectoryIdentity(
            key: InodeKey(fileSystem: FileSystemID(rawValue: node.fileSystem), inode: node.inode), born: node.born)
    }

    public func parent(of node: NodeID) -> NodeID { id(self[node].parent) }
    public func isRoot(_ node: NodeID) -> Bool { self[node].state.contains(.root) }
    public func isLive(_ node: NodeID) -> Bool {
        node.index >= 0 && nodes[Int(node.index)].isLive && nodes[Int(node.index)].generation == node.generation
    }
    public func root(of node: NodeID) -> NodeID {
        var current = node
        while self[current].parent >= 0 { current = parent(of: current) }
        return current
    }

    public func state(of node: NodeID) -> NodeState { self[node].state }
    public func setState(_ state: NodeState, of node: NodeID) { nodes[Int(node.index)].state.formUnion(state) }
    public func clearState(_ state: NodeState, of node: NodeID) { nodes[Int(node.index)].state.subtract(state) }

    public func clearStateEverywhere(_ state: NodeState) {
        for index in nodes.indices { nodes[index].state.subtract(state) }
    }

    /// The store's number; nil for a directory that has been seen but not recorded yet.
    public func directory(of node: NodeID) -> DirectoryID? {
        let number = self[node].directory
        return number == 0 ? nil : DirectoryID(rawValue: number)
    }
    public func setDirectory(_ directory: DirectoryID, of node: NodeID) {
        precondition(self[node].directory == 0, "a directory keeps its number")
        nodes[Int(node.index)].directory = directory.rawValue
        recorded.insert(node.index) { directoryHash($0) }
    }

    /// The node of a recorded directory.
    public func node(of directory: DirectoryID) -> NodeID? {
        recorded.first(hash: NameHash.mix(UInt64(bitPattern: directory.rawValue))) {
            nodes[Int($0)].directory == directory.rawValue
        }.map(id)
    }

    /// The interned path for the history rows of the directory's entries, while it is known and still right.
    public func pathID(of node: NodeID) -> PathID? {
        let number = self[node].path
        return number == 0 ? nil : PathID(rawValue: number)
    }
    public func setPathID(_ path: PathID?, of node: NodeID) { nodes[Int(node.index)].path = path?.rawValue ?? 0 }

    /// Forgets every interned path: retention removed some.
    public func forgetPaths() {
        for index in nodes.indices { nodes[index].path = 0 }
    }

    /// The name in its parent; of a root, its absolute path. Valid during the call.
    public func withName<Result, Failure: Error>(
        of node: NodeID, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try names.withName(self[node].nameOffset, Int(self[node].nameLength), body)
    }

    public func name(of node: NodeID) -> [UInt8] { withName(of: node) { [UInt8]($0) } }

    /// The absolute path that the directory is believed to have.
    public func path(of node: NodeID) -> [UInt8] {
        var chain: [NodeID] = []
        var current = node
        while current != .none {
            chain.append(current)
            current = parent(of: current)
        }
        var path: [UInt8] = []
        for (index, member) in chain.reversed().enumerated() {
            if index > 0 && path.last != UInt8(ascii: "/") { path.append(UInt8(ascii: "/")) }
            withName(of: member) { path.append(contentsOf: $0) }
        }
        return path
    }

    /// The path below its root, without the root's: empty for the root itself.
    public func relativePath(of node: NodeID) -> [UInt8] {
        let full = path(of: node)
        let skip = Int(self[root(of: node)].nameLength)
        return Array(full.dropFirst(skip).drop { $0 == UInt8(ascii: "/") })
    }

    public func forEachChild(of node: NodeID, _ body: (NodeID) -> Void) {
        var child = self[node].firstChild
        while child >= 0 {
            let next = nodes[Int(child)].nextSibling
            body(id(child))
            child = next
        }
    }

    /// The directories that are held.
    public var heldNodes: [NodeID] {
        nodes.indices.filter { nodes[$0].isLive && nodes[$0].state.contains(.held) }.map { id(Int32($0)) }
    }

    /// The node and everything below, parents before children.
    public func subtree(of node: NodeID) -> [NodeID] {
        var all = [node]
        var index = 0
        while index < all.count {
            forEachChild(of: all[index]) { all.append($0) }
            index += 1
        }
        return all
    }

    /// How many directories there are in the subtree, the node included.
    public func countOfSubtree(of node: NodeID) -> Int {
        var count = 0
        var waiting = [node.index]
        while let index = waiting.popLast() {
            count += 1
            var child = nodes[Int(index)].firstChild
            while child >= 0 {
                waiting.append(child)
                child = nodes[Int(child)].nextSibling
            }
        }
        return count
    }

    // MARK: Changing

    public func addRoot(path: [UInt8], identity: DirectoryIdentity) -> NodeID {
        let node = path.withUnsafeBytes { add($0, parent: -1, identity: identity) }
        setState(.root, of: node)
        roots.append(node)
        return node
    }

    public func add(_ name: UnsafeRawBufferPointer, to parent: NodeID, identity: DirectoryIdentity) -> NodeID {
        add(name, parent: parent.index, identity: identity)
    }

    private func add(_ name: UnsafeRawBufferPointer, parent: Int32, identity: DirectoryIdentity) -> NodeID {
        let fresh = Node(
            inode: identity.key.inode, born: identity.born, fileSystem: identity.key.fileSystem.rawValue,
            parent: parent, nameOffset: names.append(name), nameLength: UInt16(name.count))
        let number: Int32
        if let reused = free.popLast() {
            number = reused
            let generation = nodes[Int(number)].generation
            nodes[Int(number)] = fresh
            nodes[Int(number)].generation = generation &+ 1
        } else {
            number = Int32(nodes.count)
            nodes.append(fresh)
        }
        link(number)
        identities.insert(number) { identityHash($0) }
        count += 1
        return id(number)
    }

    /// Moves a directory with everything below it to another name; its store number and watches stay.
    public func move(_ node: NodeID, to name: UnsafeRawBufferPointer, in parent: NodeID) {
        rearrangements += 1
        unlink(node.index)
        names.giveUp(length: Int(self[node].nameLength))
        self[node].nameOffset = names.append(name)
        self[node].nameLength = UInt16(name.count)
        self[node].parent = parent.index
        link(node.index)
        for member in subtree(of: node) { setPathID(nil, of: member) }
        compactNames()
    }

    /// Takes a directory out of its place; it keeps everything below it, and waits to be moved somewhere or removed.
    public func detach(_ node: NodeID) {
        rearrangements += 1
        unlink(node.index)
        self[node].parent = -1
        setState(.detached, of: node)
    }

    /// The node means another inode from now on.
    public func setIdentity(_ identity: DirectoryIdentity, of node: NodeID) {
        rearrangements += 1
        identities.remove(node.index) { identityHash($0) }
        self[node].inode = identity.key.inode
        self[node].born = identity.born
        self[node].fileSystem = identity.key.fileSystem.rawValue
        identities.insert(node.index) { identityHash($0) }
    }

    /// Removes one node without children. Its watch must have been taken from it before.
    public func remove(_ node: NodeID) {
        rearrangements += 1
        precondition(self[node].firstChild < 0 && self[node].watch < 0, "removing a node that is in use")
        if !self[node].state.contains(.detached) { unlink(node.index) }
        identities.remove(node.index) { identityHash($0) }
        if self[node].directory != 0 { recorded.remove(node.index) { directoryHash($0) } }
        names.giveUp(length: Int(self[node].nameLength))
        nodes[Int(node.index)].isLive = false
        nodes[Int(node.index)].state = []
        roots.removeAll { $0 == node }
        free.append(node.index)
        count -= 1
        compactNames()
    }

    private func link(_ number: Int32) {
        let parent = nodes[Int(number)].parent
        nodes[Int(number)].state.remove(.detached)
        nodes[Int(number)].previousSibling = -1
        nodes[Int(number)].nextSibling = -1
        if parent >= 0 {
            let first = nodes[Int(parent)].firstChild
            nodes[Int(number)].nextSibling = first
            if first >= 0 { nodes[Int(first)].previousSibling = number }
            nodes[Int(parent)].firstChild = number
        }
        children.insert(number) { childHash($0) }
    }

    private func unlink(_ number: Int32) {
        guard !nodes[Int(number)].state.contains(.detached) else { return }
        children.remove(number) { childHash($0) }
        let node = nodes[Int(number)]
        if node.previousSibling >= 0 {
            nodes[Int(node.previousSibling)].nextSibling = node.nextSibling
        } else if node.parent >= 0 {
            nodes[Int(node.parent)].firstChild = node.nextSibling
        }
        if node.nextSibling >= 0 { nodes[Int(node.nextSibling)].previousSibling = node.previousSibling }
    }

    private func childHash(_ number: Int32) -> UInt64 {
        let node = nodes[Int(number)]
        return names.withName(node.nameOffset, Int(node.nameLength)) { NameHash.hash($0, in: node.parent) }
    }

    private func directoryHash(_ number: Int32) -> UInt64 {
        NameHash.mix(UInt64(bitPattern: nodes[Int(number)].directory))
    }

    private func identityHash(_ number: Int32) -> UInt64 {
        let node = nodes[Int(number)]
        return Self.hash(of: InodeKey(fileSystem: FileSystemID(rawValue: node.fileSystem), inode: node.inode))
    }

    private static func hash(of key: InodeKey) -> UInt64 {
        NameHash.mix(key.inode ^ UInt64(UInt32(bitPattern: key.fileSystem.rawValue)) << 48)
    }

    /// Renames and removals leave holes in the names: they are closed when they are half of it.
    private func compactNames() {
        guard names.wasted > 65_536, names.wasted * 2 > names.count else { return }
        var fresh = NameArena()
        for index in nodes.indices where nodes[index].isLive {
            let node = nodes[index]
            nodes[index].nameOffset = names.withName(node.nameOffset, Int(node.nameLength)) { fresh.append($0) }
        }
        names = fresh
    }
}
