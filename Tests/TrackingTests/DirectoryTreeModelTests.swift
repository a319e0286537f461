import ChangeStore
import LinuxKernel
import Testing

@testable import Tracking

/// A directory tree as anyone would write it, to compare with.
private struct Model {
    struct Directory {
        var name: String
        var parent: NodeID?
        var inode: UInt64
        var record: Int64?
        var watch: CInt?
    }
    var all: [NodeID: Directory] = [:]
    let root: NodeID

    func path(of node: NodeID) -> String {
        guard let parent = all[node]?.parent else { return all[node]?.name ?? "?" }
        return path(of: parent) + "/" + (all[node]?.name ?? "?")
    }

    func isInside(_ node: NodeID, _ ancestor: NodeID) -> Bool {
        node == ancestor || (all[node]?.parent).map { isInside($0, ancestor) } ?? false
    }

    func isAttached(_ node: NodeID) -> Bool { isInside(node, root) }
    func child(of parent: NodeID, named name: String) -> NodeID? {
        all.first { $0.value.parent == parent && $0.value.name == name }?.key
    }
    func isLeaf(_ node: NodeID) -> Bool { !all.values.contains { $0.parent == node } }
}

@Suite struct DirectoryTreeModelTests {
    private static let names = (0..<12).map { "n\($0)" }

    @Test func randomOperationsAgreeWithANaiveTree() throws {
        var random = SeededGenerator()
        print("TRACKING_SEED=\(random.seed)")
        let tree = DirectoryTree()
        let root = tree.addRoot(path: bytes("/r"), identity: someDirectory(1))
        var model = Model(root: root)
        model.all[root] = .init(name: "/r", parent: nil, inode: 1)
        var stale: Set<NodeID> = []
        var inode: UInt64 = 10
        for step in 0..<6_000 {
            try operate(tree, &model, &random, &inode, &stale)
            if step % 100 == 0 { compare(tree, model, stale, "seed \(random.seed), step \(step)") }
        }
        compare(tree, model, stale, "seed \(random.seed), end")
    }

    private func operate(
        _ tree: DirectoryTree, _ model: inout Model, _ random: inout SeededGenerator, _ inode: inout UInt64,
        _ stale: inout Set<NodeID>
    ) throws {
        let nodes = model.all.keys.sorted { $0.index < $1.index }
        let node = try #require(nodes.randomElement(using: &random))
        let parent = try #require(nodes.filter(model.isAttached).randomElement(using: &random))
        let name = try #require(Self.names.randomElement(using: &random))
        let isFree = model.child(of: parent, named: name) == nil
        switch UInt8.random(in: 0..<10, using: &random) {
        case 0..<3 where isFree && model.all.count < 50:
            inode += 1
            let fresh = tree.add(name, to: parent, inode)
            #expect(model.all[fresh] == nil && !stale.contains(fresh))
            model.all[fresh] = .init(name: name, parent: parent, inode: inode)
        case 3, 4:
            guard node != model.root, isFree, !model.isInside(parent, node) else { return }
            tree.move(node, to: name, in: parent)
            model.all[node]?.name = name
            model.all[node]?.parent = parent
        case 5:
            guard node != model.root else { return }
            tree.detach(node)
            model.all[node]?.parent = nil
        case 6, 7:
            guard node != model.root, model.isLeaf(node) else { return }
            _ = tree.clearWatch(of: node)
            tree.remove(node)
            model.all[node] = nil
            stale.insert(node)
        case 8:
            if model.all[node]?.record == nil {
                inode += 1
                tree.setDirectory(DirectoryID(rawValue: Int64(inode)), of: node)
                model.all[node]?.record = Int64(inode)
            } else {
                inode += 1
                tree.setIdentity(someDirectory(inode), of: node)
                model.all[node]?.inode = inode
            }
        default:
            let watch = CInt.random(in: 1...40, using: &random)
            _ = tree.setWatch(WatchDescriptor(rawValue: watch), of: node)
            model.all[node]?.watch = watch
        }
    }

    private func compare(_ tree: DirectoryTree, _ model: Model, _ stale: Set<NodeID>, _ comment: Comment) {
        #expect(tree.count == model.all.count, comment)
        for (node, expected) in model.all {
            #expect(tree.isLive(node), comment)
            #expect(tree.node(with: someDirectory(expected.inode)) == node, comment)
            #expect(tree.watch(of: node)?.rawValue == expected.watch, comment)
            #expect(tree.directory(of: node)?.rawValue == expected.record, comment)
            if let record = expected.record { #expect(tree.node(of: DirectoryID(rawValue: record)) == node, comment) }
            #expect(text(tree.path(of: node)) == model.path(of: node), comment)
            let children = model.all.filter { $0.value.parent == node }
            #expect(tree.children(of: node) == Set(children.keys), comment)
            for name in Self.names {
                #expect(tree.child(of: node, named: name) == children.first { $0.value.name == name }?.key, comment)
            }
            #expect(Set(tree.subtree(of: node)) == Set(model.all.keys.filter { model.isInside($0, node) }), comment)
        }
        for watch in CInt(1)...40 {
            #expect(
                Set(tree.nodes(of: watch)) == Set(model.all.filter { $0.value.watch == watch }.keys), comment)
        }
        #expect(tree.watchCount == Set(model.all.values.compactMap(\.watch)).count, comment)
        #expect(stale.allSatisfy { !tree.isLive($0) }, comment)
    }
}
