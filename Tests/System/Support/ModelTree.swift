/// The naive model of a churned tree: which paths there are, of which kind, and which of them are one inode.
///
/// Every operation is a loop over all paths: slow, and too simple to be wrong in the ways that a tracker could be.
struct ModelTree {
    enum Kind: Sendable { case file, directory, symlink, fifo }

    struct Item: Sendable {
        let kind: Kind
        /// The same for all names of one inode.
        let inode: Int
        /// The name is new: a tracker may not have looked at it yet.
        var isUnseen = true
    }

    private(set) var items: [Path: Item] = [:]
    private var nextInode = 1

    mutating func add(_ path: Path, _ kind: Kind) {
        items[path] = Item(kind: kind, inode: nextInode)
        nextInode += 1
    }

    mutating func link(_ existing: Path, _ new: Path) {
        guard let item = items[existing] else { return }
        items[new] = Item(kind: item.kind, inode: item.inode)
    }

    /// Everything that is `watched` has been looked at.
    mutating func settle(_ watched: (Path) -> Bool) {
        for path in items.keys { items[path]?.isUnseen = !watched(path) }
    }

    func contains(_ path: Path) -> Bool { items[path] != nil }

    /// The path and everything below it.
    func tree(_ path: Path) -> [Path] { items.keys.filter { $0.isAtOrBelow(path) } }

    /// All names of the inode at `path`.
    func names(of path: Path) -> [Path] {
        guard let inode = items[path]?.inode else { return [] }
        return items.filter { $0.value.inode == inode }.map(\.key)
    }

    func isSameInode(_ one: Path, _ other: Path) -> Bool { items[one]?.inode == items[other]?.inode }

    /// Removes the path and everything below it.
    ///
    /// - Returns: what is gone.
    @discardableResult
    mutating func remove(_ path: Path) -> [Path] {
        let gone = tree(path)
        for path in gone { items[path] = nil }
        return gone
    }

    /// Renames the path with everything below it, over whatever is at `new`.
    ///
    /// - Returns: the old names, and what they are called now.
    @discardableResult
    mutating func move(_ old: Path, to new: Path) -> (gone: [Path], present: [Path]) {
        let moved = items.filter { $0.key.isAtOrBelow(old) }
        let replaced = tree(new)
        for path in replaced { items[path] = nil }
        for path in moved.keys { items[path] = nil }
        var present: [Path] = []
        for (path, item) in moved {
            let place = path.moved(from: old, to: new)
            items[place] = item
            present.append(place)
        }
        return (Array(moved.keys) + replaced.filter { !present.contains($0) }, present)
    }

    /// Exchanges two paths with everything below them.
    ///
    /// - Returns: all paths that now name something else, or nothing.
    mutating func exchange(_ one: Path, _ other: Path) -> [Path] {
        let first = items.filter { $0.key.isAtOrBelow(one) }
        let second = items.filter { $0.key.isAtOrBelow(other) }
        for path in Array(first.keys) + Array(second.keys) { items[path] = nil }
        var touched = Set(first.keys).union(second.keys)
        for (path, item) in first { items[path.moved(from: one, to: other)] = item }
        for (path, item) in second { items[path.moved(from: other, to: one)] = item }
        touched.formUnion(first.keys.map { $0.moved(from: one, to: other) })
        touched.formUnion(second.keys.map { $0.moved(from: other, to: one) })
        return Array(touched)
    }
}
