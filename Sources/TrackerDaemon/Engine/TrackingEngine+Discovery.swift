import ChangeStore
import LinuxKernel
import Logging
import SystemPackage
import Tracking

/// Directories that turn up: watched before anything in them is looked at.
extension TrackingEngine {
    /// An event told of a directory at a name: finds out which one, and watches it with all that is below at once.
    func discover(_ name: [UInt8], in parent: NodeID) throws(StoreError) {
        guard tree.isLive(parent) else { return }
        // Where the parent is not found, the mark that came with the event has it looked into.
        guard case .directory(let opened) = try open(parent, for: .look) else { return }
        try name.withTerminatedName { (name) throws(StoreError) in
            guard let status = try? FileStatus.of(name.cString, in: opened.descriptor.number), status.isDirectory else {
                return
            }
            try place(name, in: parent, opened.descriptor.number, status, isSeenHappening: true)
        }
    }

    /// Puts the directory that stands at a name into the tree: the node that is there already, one that was known at
    /// another place and has moved here, or a new one.
    ///
    /// - Parameter isSeenHappening: an event told of it, so that everything below is new and is watched at once;
    ///   otherwise a walk found it, which goes on into it.
    /// - Returns: the node, or nil when the place cannot be taken yet.
    @discardableResult
    func place(
        _ name: UnsafeRawBufferPointer, in parent: NodeID, _ descriptor: CInt, _ status: FileStatus,
        isSeenHappening: Bool
    ) throws(StoreError) -> NodeID? {
        let key = try key(of: status, named: name, in: descriptor)
        let identity = DirectoryIdentity(key: key, born: status.born.nanoseconds)
        if let child = tree.child(of: parent, named: name) {
            if tree.identity(of: child) == identity {
                tree.clearState(.removalSeen, of: child)
                if isSeenHappening { refresh(child) }
                return child
            }
            if try isMountChange(child, name, in: parent, status) {
                try meetOtherFileSystem(child, seen: identity)
                return child
            }
            try detach(child)
        }
        if let known = try moved(identity, to: parent) {
            if try relocate(known, to: name, in: parent, status) { return known }
            if tree.isLive(known) { return nil }
        }
        let node = tree.add(name, to: parent, identity: identity)
        if !mayEnter(node, key.fileSystem, device: status.device) {
            tree.setState(.notEntered, of: node)
            return node
        }
        if isSeenHappening { try cover(node) } else { queue(node, [.queuedDeep, .queuedGap]) }
        return node
    }

    /// A directory that an event says appeared, and that is known there: seen twice, or made anew with the same inode.
    private func refresh(_ node: NodeID) {
        guard tree.watch(of: node) == nil || tree.identity(of: node).born == 0 else { return }
        queue(node, [.queuedDeep, .queuedGap])
    }

    /// The node of a directory that is known and is no longer where it was.
    private func moved(_ identity: DirectoryIdentity, to parent: NodeID) throws(StoreError) -> NodeID? {
        guard let known = tree.node(with: identity), !tree.isRoot(known), !isInside(parent, known),
            tree.state(of: known).isDisjoint(with: [.held, .removalSeen])
        else { return nil }
        if tree.state(of: known).contains(.detached) { return known }
        // A bind mount shows one directory at two places.
        guard case .directory(let opened) = try open(tree.parent(of: known), for: .look) else { return known }
        let still = try tree.name(of: known).withTerminatedName { (bytes) throws(StoreError) -> Bool in
            guard let status = try? FileStatus.of(bytes.cString, in: opened.descriptor.number), status.isDirectory
            else {
                return false
            }
            return try self.key(of: status, named: bytes, in: opened.descriptor.number) == identity.key
        }
        return still ? nil : known
    }

    private func isInside(_ node: NodeID, _ ancestor: NodeID) -> Bool {
        var current = node
        while current != .none {
            if current == ancestor { return true }
            current = tree.parent(of: current)
        }
        return false
    }

    /// Watches a new directory and everything below it: watch first, then list, then go down. What is in it is listed
    /// and looked at with the next batch.
    private func cover(_ start: NodeID) throws(StoreError) {
        var work = [start]
        while let node = work.popLast() {
            queue(node, [])
            guard case .directory(let opened) = try open(node, for: .list) else { continue }
            watch(node, opened.descriptor.number)
            for name in subdirectories(of: opened.descriptor.number, node) {
                try name.withTerminatedName { (name) throws(StoreError) in
                    guard let status = try? FileStatus.of(name.cString, in: opened.descriptor.number),
                        status.isDirectory,
                        tree.child(of: node, named: name) == nil
                    else { return }
                    let key = try key(of: status, named: name, in: opened.descriptor.number)
                    let identity = DirectoryIdentity(key: key, born: status.born.nanoseconds)
                    if tree.node(with: identity) != nil || isForeign(device: status.device)
                        || (settings.oneFileSystem && key.fileSystem != tree.identity(of: node).key.fileSystem)
                    {
                        return
                    }
                    work.append(tree.add(name, to: node, identity: identity))
                }
            }
        }
    }

    /// The NUL-terminated names of a directory's subdirectories, less the excluded.
    private func subdirectories(of descriptor: CInt, _ node: NodeID) -> [[UInt8]] {
        var names: [[UInt8]] = []
        try? lister.list(descriptor) { name, length, _, isDirectory in
            guard isDirectory != false else { return }
            let bytes = UnsafeRawBufferPointer(start: name, count: length)
            if isDirectory == true && interpreter.isExcluded(bytes, node, true) { return }
            names.append([UInt8](bytes))
        }
        return names
    }

    /// Adds the watch of an open directory, or makes sure of it. Out of watches, the directory is polled.
    func watch(_ node: NodeID, _ descriptor: CInt) {
        do throws(Errno) {
            let watch = try instance.inotify.watch(directory: descriptor, for: EventInterpreter.mask)
            if let orphan = tree.setWatch(watch, of: node) { instance.inotify.remove(orphan) }
            if polled.remove(node) != nil { tree.clearState(.polled, of: node) }
        } catch {
            guard polled.insert(node).inserted else { return }
            tree.setState(.polled, of: node)
            guard polled.count == 1 else { return }
            let remedy =
                error == .noSpace
                ? "the limit is reached: sysctl -w fs.inotify.max_user_watches=\(Self.suggestedLimit(for: tree.count))"
                : "see the error"
            log.error(
                "a directory got no watch; such directories are polled",
                metadata: [
                    "errno": "\(error)", "path": "\(printable(tree.path(of: node)))", "remedy": "\(remedy)",
                ])
        }
    }

    /// The kernel ended a watch: the directory is gone, or it was unmounted, or it is somewhere else.
    func reconsider(unwatched node: NodeID) {
        guard tree.isLive(node) else { return }
        let parent = tree.parent(of: node)
        guard parent != .none else { return }
        marks.mark(tree.name(of: node), in: parent, [.directory])
    }
}
