import LinuxKernel
import Testing

@testable import ChangeStore

/// The walk through the index against a sorted list of paths.
@Suite struct IndexWalkTests {
    private let state = StateDirectory()

    /// Directories and files as a tree of names, put into a store.
    private final class Tree {
        let store: Store
        private(set) var paths: [String] = []
        private var directories: [String: DirectoryID] = [:]
        private var inode: UInt64 = 0

        init(_ store: Store) { self.store = store }

        /// - Parameter path: of a root, or below what there is.
        func add(_ path: String, isDirectory: Bool, isRoot: Bool = false) throws {
            inode += 1
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            let parent = isRoot ? .roots : try #require(directories[String(path[..<slash])])
            let name = isRoot ? Array(path.utf8) : Array(path[path.index(after: slash)...].utf8)
            let attributes = isDirectory ? EntryAttributes.directory : .file()
            try store.add(name, in: parent, InodeKey(inode), attributes)
            paths.append(path)
            guard isDirectory else { return }
            let identity = DirectoryIdentity(key: InodeKey(inode), born: 0)
            directories[path] = try name.withUnsafeBytes {
                try store.addDirectory($0, in: parent, identity: identity)
            }
        }

        func number(of path: String) throws -> DirectoryID { try #require(directories[path]) }

        var sorted: [String] {
            paths.sorted { left, right in
                let (left, right) = (left.split(separator: "/"), right.split(separator: "/"))
                return left.lexicographicallyPrecedes(right) {
                    $0.utf8.lexicographicallyPrecedes($1.utf8)
                }
            }
        }
    }

    private func walk(after path: String = "", _ step: (String) -> IndexWalk.Step = { _ in .next }) throws -> [String] {
        var all: [String] = []
        try IndexWalk(stateDirectory: state.bytes).run(after: Array(path.utf8)) { path, _ in
            let text = String(decoding: path, as: UTF8.self)
            all.append(text)
            return step(text)
        }
        return all
    }

    @Test func everyPathInOrderAndFromEachOn() throws {
        let seed = freshSeed()
        var random = SeededGenerator(seed: seed)
        let tree = Tree(try state.open())
        try tree.store.begin()
        // In the order of their bytes `/r-b` comes before `/r/x`, in that of their components after it.
        for root in ["/r/x", "/r-b", "/r/x-y", "/q", "/r0", "/r/ü"] {
            try tree.add(root, isDirectory: true, isRoot: true)
        }
        var directories = tree.paths
        // Bytes on either side of the slash, so that the two orders differ everywhere.
        let names = ["a", "a-b", "a b", "a.b", "a0", "-", "~", "A", "é", "b"]
        for _ in 0..<200 {
            let parent = try #require(directories.randomElement(using: &random))
            let path = parent + "/" + (names.randomElement(using: &random) ?? "")
            if tree.paths.contains(path) { continue }
            let isDirectory = Bool.random(using: &random)
            try tree.add(path, isDirectory: isDirectory)
            if isDirectory { directories.append(path) }
        }
        try tree.store.commitTransaction()
        let expected = tree.sorted
        #expect(try walk() == expected, "seed \(seed)")
        for (index, path) in expected.enumerated() {
            let rest = try walk(after: path)
            #expect(rest == Array(expected[(index + 1)...]), "seed \(seed), after \(path)")
        }
        // A place that is no path any more, or never was.
        for _ in 0..<100 {
            let place =
                (directories.randomElement(using: &random) ?? "") + "/" + ["0", "a-", "zz", "a/q", "\u{1}"]
                .randomElement(using: &random)!
            let components = place.split(separator: "/")
            let rest = expected.filter {
                components.lexicographicallyPrecedes($0.split(separator: "/")) {
                    $0.utf8.lexicographicallyPrecedes($1.utf8)
                }
            }
            #expect(try walk(after: place) == rest, "seed \(seed), after \(place)")
        }
    }

    @Test func whatIsInADirectoryCanBePassedOver() throws {
        let tree = Tree(try state.open())
        try tree.store.begin()
        try tree.add("/r", isDirectory: true, isRoot: true)
        for path in ["/r/a", "/r/b"] { try tree.add(path, isDirectory: true) }
        for path in ["/r/a/1", "/r/b/1", "/r/c"] { try tree.add(path, isDirectory: false) }
        try tree.store.commitTransaction()
        #expect(try walk { $0 == "/r/a" ? .skipContents : .next } == ["/r", "/r/a", "/r/b", "/r/b/1", "/r/c"])
        #expect(try walk { $0 == "/r/b" ? .stop : .next } == ["/r", "/r/a", "/r/a/1", "/r/b"])
        #expect(try walk(after: "/zzz") == [])
    }

    /// What changes during the walk has rows of its own; what does not change is not missed.
    @Test func whatStaysIsMetWhateverElseChanges() throws {
        let tree = Tree(try state.open())
        let store = tree.store
        try store.begin()
        try tree.add("/r", isDirectory: true, isRoot: true)
        for directory in 0..<9 {
            try tree.add("/r/d\(directory)", isDirectory: true)
            for file in 0..<9 { try tree.add("/r/d\(directory)/f\(file)", isDirectory: false) }
        }
        try store.commitTransaction()
        let stays = tree.paths.filter { !$0.hasPrefix("/r/d7") && !$0.hasPrefix("/r/d8") }
        var count = 0
        let met = try walk { path in
            count += 1
            guard count == 30 else { return .next }
            do {
                try store.begin()
                try tree.add("/r/a", isDirectory: true)
                try tree.add("/r/a/late", isDirectory: false)
                // To before the walk's place, with what is in it.
                let root = try tree.number(of: "/r")
                let entry = try #require(try store.entry(Array("d7".utf8), in: root))
                try store.remove(Array("d7".utf8), in: root, entry.key)
                try store.add(Array("b".utf8), in: root, entry.key, .directory)
                let moved = try tree.number(of: "/r/d7")
                try Array("b".utf8).withUnsafeBytes {
                    try store.updateDirectory(
                        moved, name: $0, in: root, identity: DirectoryIdentity(key: entry.key, born: 0))
                }
                try store.commitTransaction()
            } catch {
                Issue.record("\(error)")
            }
            return .next
        }
        #expect(Set(met).isSuperset(of: stays) && met.count == Set(met).count)
    }
}

extension EntryAttributes {
    fileprivate static var directory: EntryAttributes {
        var attributes = EntryAttributes.file()
        attributes.mode = 0o040755
        return attributes
    }
}
