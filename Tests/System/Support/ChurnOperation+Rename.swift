import Glibc

extension Churn {
    func rename(_ operation: ChurnOperation) throws -> ChurnEffect? {
        switch operation {
        case .renameFile: return try chosen(.file, .symlink, .fifo) { try move($0, to: newPath()) }
        case .renameDirectory:
            return try chosen(.directory) { path in
                let target = newPath()
                return target.isBelow(path) ? nil : try move(path, to: target)
            }
        case .renameOver:
            guard let old = choose(.file), let new = choose(.file), !tree.isSameInode(old, new) else { return nil }
            return try move(old, to: new)
        case .moveOut:
            return try chosen(.directory, .file) { path in
                let target = outside / "o\(steps.count)"
                return try move(path, to: target)
            }
        case .moveBackIn:
            let stored = tree.items.keys.filter { $0.parent == outside }
            guard let path = stored.sorted().randomElement(using: &random) else { return nil }
            return try move(path, to: newPath())
        case .exchangeFiles: return try exchange(choose(.file), choose(.file, .symlink))
        case .exchangeDirectories: return try exchange(choose(.directory), choose(.directory, .file))
        case .renameThereAndBack:
            return try chosen(.directory, .file) { path in
                let away = path.parent / "away\(steps.count)"
                try Disk.rename(path, away)
                try Disk.rename(away, path)
                let all = tree.tree(path)
                return ChurnEffect(
                    present: [path], gone: all.map { $0.moved(from: path, to: away) }, flickered: all)
            }
        default: return try chain()
        }
    }

    private func chosen(_ kinds: ModelTree.Kind..., then body: (Path) throws -> ChurnEffect?) throws -> ChurnEffect? {
        let path = tree.items.filter { kinds.contains($0.value.kind) && isWatched($0.key) }.map(\.key).sorted()
            .randomElement(using: &random)
        return try path.flatMap(body)
    }

    /// nil where a path would come near PATH_MAX, which only calls by descriptor could reach.
    private func move(_ old: Path, to new: Path) throws -> ChurnEffect? {
        let longest = tree.tree(old).map(\.bytes.count).max() ?? 0
        guard longest - old.bytes.count + new.bytes.count < 3_000 else { return nil }
        try Disk.rename(old, new)
        let (gone, present) = tree.move(old, to: new)
        return ChurnEffect(present: present, gone: gone)
    }

    private func exchange(_ one: Path?, _ other: Path?) throws -> ChurnEffect? {
        guard let one, let other, !one.isAtOrBelow(other), !other.isBelow(one), !tree.isSameInode(one, other) else {
            return nil
        }
        try Disk.exchange(one, other)
        let touched = tree.exchange(one, other)
        return ChurnEffect(
            present: touched.filter { tree.contains($0) }, gone: touched.filter { !tree.contains($0) })
    }

    /// `mv d1 d2/x; mv d2/x/child .; mv d2 d1`: names that mean one directory after another.
    private func chain() throws -> ChurnEffect? {
        guard let first = choose(.directory), let second = choose(.directory), !first.isAtOrBelow(second),
            !second.isAtOrBelow(first)
        else { return nil }
        let inner = second / "chained\(steps.count)"
        let before = Set(tree.items.keys)
        try Disk.rename(first, inner)
        var touched = Set(tree.move(first, to: inner).gone)
        try Disk.rename(second, first)
        let all = tree.move(second, to: first)
        touched.formUnion(all.gone)
        touched.formUnion(all.present)
        let now = Set(tree.items.keys)
        return ChurnEffect(
            present: touched.filter { now.contains($0) },
            gone: touched.filter { !now.contains($0) },
            flickered: touched.filter { now.contains($0) && before.contains($0) })
    }
}
