import ChangeStore
import LinuxKernel
import Testing

@testable import Tracking

@Suite struct DirectoryTreeTests {
    let tree = DirectoryTree()
    let root: NodeID

    init() { root = tree.addRoot(path: bytes("/srv/a"), identity: someDirectory(1)) }

    @Test func pathsAndSubtree() {
        let week = tree.add("week", to: root, 2)
        let mail = tree.add("mail", to: week, 3)
        #expect(text(tree.path(of: root)) == "/srv/a")
        #expect(text(tree.path(of: mail)) == "/srv/a/week/mail")
        #expect(text(tree.relativePath(of: mail)) == "week/mail")
        #expect(tree.relativePath(of: root).isEmpty)
        #expect(tree.subtree(of: root) == [root, week, mail])
        #expect(tree.root(of: mail) == root && tree.isRoot(root) && !tree.isRoot(mail))
        #expect(tree.roots == [root] && tree.count == 3)
    }

    @Test func rootOfTheFileSystemHasNoDoubleSlash() {
        let slash = tree.addRoot(path: bytes("/"), identity: someDirectory(2))
        let etc = tree.add("etc", to: slash, 3)
        #expect(text(tree.path(of: etc)) == "/etc")
        #expect(text(tree.relativePath(of: etc)) == "etc")
    }

    @Test func moveTakesEverythingBelowAlong() {
        let one = tree.add("one", to: root, 2)
        let two = tree.add("two", to: root, 3)
        let deep = tree.add("deep", to: one, 4)
        tree.setDirectory(DirectoryID(rawValue: 9), of: deep)
        tree.setPathID(PathID(rawValue: 5), of: deep)
        _ = tree.setWatch(WatchDescriptor(rawValue: 8), of: deep)
        tree.move(one, to: "eins", in: two)
        #expect(text(tree.path(of: deep)) == "/srv/a/two/eins/deep")
        #expect(tree.child(of: root, named: "one") == nil)
        #expect(tree.child(of: two, named: "eins") == one)
        #expect(tree.children(of: root) == [two])
        #expect(tree.pathID(of: deep) == nil, "an interned path is no longer right after a move")
        #expect(tree.directory(of: deep) == DirectoryID(rawValue: 9))
        #expect(tree.nodes(of: 8) == [deep])
    }

    @Test func detachedSubtreeWaitsAndComesBack() {
        let one = tree.add("one", to: root, 2)
        let deep = tree.add("deep", to: one, 3)
        tree.detach(one)
        #expect(tree.state(of: one).contains(.detached) && tree.isLive(one))
        #expect(tree.child(of: root, named: "one") == nil && tree.children(of: root).isEmpty)
        #expect(tree.node(with: someDirectory(2)) == one && tree.root(of: deep) == one)
        // Its name is free for another.
        let other = tree.add("one", to: root, 4)
        #expect(tree.child(of: root, named: "one") == other)
        tree.move(one, to: "back", in: root)
        #expect(!tree.state(of: one).contains(.detached))
        #expect(text(tree.path(of: deep)) == "/srv/a/back/deep")
        #expect(tree.children(of: root) == [one, other])
    }

    @Test func staleNumberMeansNobody() {
        let gone = tree.add("x", to: root, 2)
        tree.remove(gone)
        #expect(!tree.isLive(gone))
        let next = tree.add("y", to: root, 3)
        #expect(next.index == gone.index && next != gone)
        #expect(!tree.isLive(gone) && tree.isLive(next) && !tree.isLive(.none))
        #expect(tree.state(of: next).isEmpty && tree.directory(of: next) == nil && tree.watch(of: next) == nil)
    }

    @Test func detachedNodeCanBeRemoved() {
        let one = tree.add("one", to: root, 2)
        tree.setDirectory(DirectoryID(rawValue: 4), of: one)
        tree.detach(one)
        tree.remove(one)
        #expect(!tree.isLive(one) && tree.count == 1)
        #expect(tree.node(with: someDirectory(2)) == nil && tree.node(of: DirectoryID(rawValue: 4)) == nil)
    }

    @Test func identityAndRecordedLookup() {
        let one = tree.add("one", to: root, 2)
        let twin = tree.add("bind", to: root, 2)
        #expect(
            Set([tree.node(with: someDirectory(2)), tree.node(with: someDirectory(2), except: one)]).contains(twin))
        #expect(tree.node(with: someDirectory(2), except: twin) == one)
        #expect(
            tree.node(with: someDirectory(2, born: 8)) == nil && tree.node(with: someDirectory(2, fileSystem: 2)) == nil
        )
        tree.setIdentity(someDirectory(5), of: one)
        #expect(tree.node(with: someDirectory(5)) == one && tree.node(with: someDirectory(2)) == twin)
        tree.setDirectory(DirectoryID(rawValue: 77), of: one)
        #expect(tree.node(of: DirectoryID(rawValue: 77)) == one && tree.node(of: DirectoryID(rawValue: 78)) == nil)
    }

    @Test func watchOfTwoNodes() {
        let one = tree.add("one", to: root, 2)
        let two = tree.add("two", to: root, 2)
        let watch = WatchDescriptor(rawValue: 3)
        #expect(tree.setWatch(watch, of: one) == nil && tree.setWatch(watch, of: two) == nil)
        #expect(Set(tree.nodes(of: 3)) == [one, two] && tree.watchCount == 1)
        #expect(tree.clearWatch(of: one) == nil, "the other still needs it")
        #expect(tree.nodes(of: 3) == [two])
        #expect(tree.setWatch(WatchDescriptor(rawValue: 4), of: two) == watch, "nobody's any more")
        #expect(!tree.hasNode(of: watch) && tree.nodes(of: 4) == [two])
        #expect(tree.clearWatch(of: two)?.rawValue == 4 && tree.clearWatch(of: two) == nil)
    }

    /// `IN_IGNORED` takes the watch from each node while all of them are being told of it.
    @Test(arguments: 1...4) func everyNodeOfAWatchIsToldWhileItIsTaken(count: Int) {
        let nodes = (0..<count).map { tree.add("n\($0)", to: root, 2) }
        for node in nodes { _ = tree.setWatch(WatchDescriptor(rawValue: 3), of: node) }
        var told: [NodeID] = []
        tree.forEachNode(of: WatchDescriptor(rawValue: 3)) { node in
            told.append(node)
            _ = tree.clearWatch(of: node)
        }
        #expect(told.count == count && Set(told) == Set(nodes))
        #expect(nodes.allSatisfy { tree.watch(of: $0) == nil } && tree.watchCount == 0)
    }

    /// Past 64 KiB of names given up the rest moves together; every name must still be found.
    @Test func namesSurviveCompaction() {
        let long = String(repeating: "n", count: 200)
        let kept = (0..<50).map { tree.add("kept\($0)", to: root, UInt64(100 + $0)) }
        for round in 0..<2_000 {
            let node = tree.add(long + "\(round)", to: root, 1_000)
            tree.move(node, to: "other" + long, in: kept[round % 50])
            tree.remove(node)
        }
        #expect(tree.names.count < 200_000, "\(tree.names.count) bytes")
        for (number, node) in kept.enumerated() {
            #expect(tree.child(of: root, named: "kept\(number)") == node)
            #expect(text(tree.path(of: node)) == "/srv/a/kept\(number)")
        }
    }
}
