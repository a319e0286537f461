public import LinuxKernel

/// Which watch stands for which directories.
extension DirectoryTree {
    public func watch(of node: NodeID) -> WatchDescriptor? {
        let number = self[node].watch
        return number < 0 ? nil : WatchDescriptor(rawValue: number)
    }

    /// The nodes that a watch stands for; none for one that was given up. `body` may take the watch from them.
    @inline(__always)
    public func forEachNode(of watch: WatchDescriptor, _ body: (NodeID) -> Void) {
        guard let first = watches[watch.rawValue] else { return }
        // Taken before the first call: a node that gives its watch up changes who comes next.
        let others = sharedWatches.isEmpty ? nil : sharedWatches[watch.rawValue]
        body(id(first))
        for other in others ?? [] { body(id(other)) }
    }

    public func hasNode(of watch: WatchDescriptor) -> Bool { watches[watch.rawValue] != nil }

    /// Notes the watch that a directory has now.
    ///
    /// - Returns: the watch it had before, when that one is nobody's any more: to be removed from the kernel.
    public func setWatch(_ watch: WatchDescriptor, of node: NodeID) -> WatchDescriptor? {
        if self[node].watch == watch.rawValue { return nil }
        let orphan = clearWatch(of: node)
        self[node].watch = watch.rawValue
        if watches[watch.rawValue] == nil {
            watches[watch.rawValue] = node.index
        } else {
            sharedWatches[watch.rawValue, default: []].append(node.index)
        }
        return orphan
    }

    /// Takes its watch from a directory.
    ///
    /// - Returns: the watch, when it is nobody's any more: to be removed from the kernel.
    public func clearWatch(of node: NodeID) -> WatchDescriptor? {
        let number = self[node].watch
        guard number >= 0 else { return nil }
        self[node].watch = -1
        var others = sharedWatches[number] ?? []
        if watches[number] == node.index {
            guard let heir = others.popLast() else {
                watches[number] = nil
                return WatchDescriptor(rawValue: number)
            }
            watches[number] = heir
        } else {
            others.removeAll { $0 == node.index }
        }
        sharedWatches[number] = others.isEmpty ? nil : others
        return nil
    }
}
